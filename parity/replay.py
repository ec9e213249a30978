"""Replaying traces, batched: many runs go through the same compiled step together."""

import functools
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxtro
from jaxtro.compile_cache import keep
from jaxtro.env import debug
from jaxtro.env import joker_events as ev
from jaxtro.env.actions import Action, Kind
from jaxtro.env.dispatch import only_where
from jaxtro.env.generation import rules_of
from jaxtro.env.phases.start import run_of
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import HAND_CAPACITY, State
from jaxtro.tables import BLINDS
from jaxtro.view import ON_DECK, Derived, derive, one_game
from parity.settings import Settings
from parity.streams import times_used
from parity.traces import Op, Trace, setup

BATCH = 64
NOT_LEGAL = "not legal here"
_EVENTS = ev.events_of(BOOK)
_BOSS = ("boss", 1, 1)  # the stream of bosses


def _change(state: State, number: jax.Array, value: jax.Array, added: debug.Added, adds: jax.Array) -> State:
    """What the debug ops of a trace do."""
    state = only_where(number >= 0, debug.set_number, state, number, value)
    return only_where(adds, lambda state, added: debug.add_item(state, added, BOOK, _EVENTS), state, added)


@dataclass(frozen=True)
class _Programs:
    """Compiled functions: the step is the public one, so that whoever has compiled that need not wait here again."""

    step: Any
    change: Any
    derive: Any
    start: Any


@functools.cache
def _compiled() -> _Programs:
    env = jaxtro.make()
    start = jax.jit(lambda seed, rules: run_of(seed, rules, jnp.float64(1), jnp.bool_(True), BOOK))
    return _Programs(
        step=keep(jax.jit(jax.vmap(env.step)), "step", env.about),
        change=jax.jit(jax.vmap(_change)),
        derive=jax.jit(jax.vmap(derive)),
        start=keep(start, "start of a trace", env.about),
    )


def _one_op_each(states: Any, arguments: tuple[Any, ...]) -> tuple[Any, np.ndarray, Any]:
    """One op of every game. -> states, bool[N] whether its action was legal, `Derived`; numpy arrays"""
    programs = _compiled()
    action, number, _, _, adds = arguments
    after = programs.step(states, action)[1]
    legal = np.asarray(after.run.steps) > np.asarray(states.run.steps)
    if np.any(number >= 0) or np.any(adds):
        after = programs.change(after, *arguments[1:])
    after, derived = jax.device_get((after, programs.derive(after)))
    return jax.tree.map(np.array, after), legal, derived  # writable


def start(trace: Trace, settings: Settings) -> State:
    """The run of a trace before its first action, as numpy arrays."""
    items, tags = settings.closed()
    rules = rules_of(
        *setup(trace.header), items, tags, boss_order=settings.boss_order, to_do_order=settings.to_do_order,
        sort_by_age=settings.sort_by_age,
    )  # fmt: skip
    return jax.device_get(_compiled().start(jaxtro.encode_seed(trace.header["seed"]), rules))


def _slot(op: Op, state: State) -> int:
    """The place of an op; vouchers of the shop are counted without the gap that a bought one leaves."""
    if op.kind == Kind.BUY_VOUCHER:
        there = np.flatnonzero(state.shop.vouchers)
        return int(there[op.slot]) if op.slot < len(there) else op.slot
    return op.slot


def _wrong_size(op: Op, state: State) -> str:
    """What is wrong with the length of a rearrangement, nothing for other ops.

    The moves of a list that is too short would be legal, and leave the rest where it is.
    """
    if not op.area:
        return ""
    there = {
        "hand": state.piles.n_hand,
        "jokers": np.sum(state.jokers.id > 0),
        "consumables": np.sum(state.consumables.id > 0),
    }[op.area]
    if op.size == there:
        return ""
    return (
        f"{NOT_LEGAL}: there are {int(there)} {op.area if op.area != 'hand' else 'cards in hand'} to arrange"
    )


_NO_ADD = dict(
    item=0, pack=0, front=-1, enhancement=0, edition=0, seal=0, eternal=False, perishable=False, rental=False
)


def _arguments(ops: list[Op | None], states: list[State]) -> tuple[Any, ...]:
    """Action, number, value, item to add and whether to add one: a batch of each."""
    size = len(ops)
    kind, slot, to = (np.zeros(size, np.int32) for _ in range(3))
    number, value, adds = np.full(size, -1, np.int32), np.zeros(size), np.zeros(size, bool)
    cards = np.zeros((size, HAND_CAPACITY), bool)
    added: dict[str, list[Any]] = {name: [empty] * size for name, empty in _NO_ADD.items()}
    kind[:] = -1
    for n, op in enumerate(ops):
        if op is None:
            continue
        kind[n], slot[n], to[n] = op.kind, _slot(op, states[n]), op.to
        cards[n, list(op.cards)] = True
        number[n], value[n], adds[n] = op.number, op.value, bool(op.add)
        for name, given in op.add.items():
            added[name][n] = given
    things = {
        name: np.asarray(values, bool if name in ("eternal", "perishable", "rental") else np.int32)
        for name, values in added.items()
    }
    return Action(kind, cards, slot, to), number, value, debug.Added(**things), adds  # type: ignore[arg-type]


@dataclass
class Moment:
    """A state of a replay.

    Attributes:
      game: number of the trace. line: index into its lines. refused: why the action was not made, empty if it was.
      state, before: of this game now and at the line before. derived: see `Derived`.
    """

    game: int
    line: int
    refused: str
    state: State
    before: State | None
    derived: Derived


def replay(traces: list[Trace], settings: list[Settings]) -> Generator[Moment, bool | None]:
    """Plays all traces together; yields every state that a line describes, in order for each trace.

    A consumer stops the trace of the moment by sending True (see `check_traces`).
    """
    for first in range(0, len(traces), BATCH):
        chunk = list(range(first, min(first + BATCH, len(traces))))
        yield from _replay_batch([traces[n] for n in chunk], [settings[n] for n in chunk], first)


def _replay_batch(
    traces: list[Trace], settings: list[Settings], offset: int
) -> Generator[Moment, bool | None]:
    starts = [start(trace, setting) for trace, setting in zip(traces, settings, strict=True)]
    queues = [
        [
            (line, op, n == len(ops) - 1)
            for line, ops in enumerate(trace.plan, start=1)
            for n, op in enumerate(ops)
        ]
        for trace in traces
    ]
    padded = starts + [starts[0]] * (BATCH - len(starts))
    states: Any = jax.tree.map(lambda *values: np.stack(values), *padded)
    for n in range(len(traces)):
        _boss_from_trace(traces[n], settings[n], states, n, 0, 0)
    starts = [one_game(states, n) for n in range(len(traces))]
    derived: Any = jax.device_get(_compiled().derive(states))
    last = list(starts)
    stopped = [False] * len(traces)
    refused_line = [-1] * len(traces)
    for n, state in enumerate(starts):
        stopped[n] = bool((yield Moment(offset + n, 0, "", state, None, one_game(derived, n))))
    for tick in range(max(map(len, queues), default=0)):
        if all(stopped[n] or tick >= len(queue) for n, queue in enumerate(queues)):
            break
        # The ops of a line behind one that was refused are left out.
        current = [
            queue[tick]
            if tick < len(queue) and not stopped[n] and queue[tick][0] != refused_line[n]
            else None
            for n, queue in enumerate(queues)
        ]
        host = [one_game(states, n) for n in range(len(traces))]
        wrong = [_wrong_size(entry[1], host[n]) if entry else "" for n, entry in enumerate(current)]
        ops = [entry[1] if entry else None for entry in current] + [None] * (BATCH - len(traces))
        listed = [
            _boss_fought(traces[n], settings[n], states, n, entry[0])
            if entry and entry[1].kind == Kind.SELECT
            else None
            for n, entry in enumerate(current)
        ]
        states, legal, derived = _one_op_each(states, _arguments(ops, host))
        for n, boss in enumerate(listed):
            if boss is not None:
                states.blinds.boss[n] = boss
        for n, entry in enumerate(current):
            if entry is None:
                continue
            line, op, is_last = entry
            _boss_from_trace(traces[n], settings[n], states, n, line, int(host[n].run.bosses_used.sum()))
            refused = wrong[n] or (NOT_LEGAL if op.kind >= 0 and not bool(legal[n]) else "")
            if refused:
                refused_line[n] = line
            if is_last or refused:
                state = one_game(states, n)
                moment = Moment(offset + n, line, refused, state, last[n], one_game(derived, n))
                stopped[n] = bool((yield moment))
                last[n] = state


def _boss_from_trace(
    trace: Trace, settings: Settings, states: State, game: int, line: int, drawn_before: int
) -> None:
    """Replaces a boss just drawn by the one that the recording has from then on, in place."""
    drawn = int(states.run.bosses_used[game].sum())
    if not settings.boss_from_trace or drawn == drawn_before:
        return
    for later in trace.lines[line:]:
        state = later.get("s") or {}
        key = ((state.get("blinds") or {}).get("Boss") or {}).get("key")
        number = (state.get("rng") or {}).get("boss")
        if key is None or (number is not None and times_used(trace.header["seed"], _BOSS, number) != drawn):
            continue
        states.run.bosses_used[game, states.blinds.boss[game]] -= 1
        states.blinds.boss[game] = BLINDS.keys.index(key)
        states.run.bosses_used[game, states.blinds.boss[game]] += 1
        return


def _boss_fought(trace: Trace, settings: Settings, states: State, game: int, line: int) -> int | None:
    """Before a boss is selected: puts the one that the recording then fights in place.

    Two saves of seed TEST123 fight The Hook while the list of blinds already names the boss that a Boss Tag
    drew: the recorder selected before the tag had fired.

    Returns:
      The boss of the list, to be put back after the step; None where nothing was changed.
    """
    if not settings.boss_from_trace or int(states.blinds.on_deck[game]) != ON_DECK.index("Boss"):
        return None
    for later in trace.lines[line:]:
        key = ((later.get("s") or {}).get("blind") or {}).get("key")
        if key is not None:
            listed = int(states.blinds.boss[game])
            states.blinds.boss[game] = BLINDS.keys.index(key)
            return listed
    return None
