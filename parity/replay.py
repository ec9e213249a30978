"""Replaying traces, batched: many runs go through the same compiled step together."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxtro
from jaxtro.env import debug, step
from jaxtro.env import joker_events as ev
from jaxtro.env.actions import Action, Kind, is_legal
from jaxtro.env.dispatch import only_where
from jaxtro.env.generation import locked_masks, rules_of
from jaxtro.env.phases.start import run_of
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import HAND_CAPACITY, State
from jaxtro.tables import BLINDS, ITEMS
from jaxtro.view import ON_DECK, Derived, derive, one_game, state_view
from parity.compare import compare_state, compare_streams, times_used
from parity.report import FileResult, Mismatch
from parity.traces import Op, Settings, Trace, TraceError, ops_of, settings_of, setup

KIND, UNIT = "trace", "states"
BATCH = 64
_EVENTS = ev.events_of(BOOK)


def _one_step(
    state: State, action: Action, number: jax.Array, value: jax.Array, added: debug.Added, adds: jax.Array
) -> tuple[State, jax.Array, Derived]:
    legal = is_legal(state, action, _EVENTS)
    state = step.advance(state, action, legal, BOOK, _EVENTS).state
    state = only_where(number >= 0, debug.set_number, state, number, value)
    state = only_where(adds, lambda state, added: debug.add_item(state, added, BOOK, _EVENTS), state, added)
    return state, legal, derive(state)


@functools.cache
def _compiled() -> tuple[Any, Any]:
    return jax.jit(jax.vmap(_one_step)), jax.jit(
        lambda seed, rules: run_of(seed, rules, jnp.float64(1), jnp.bool_(True), BOOK)
    )


def start(trace: Trace, settings: Settings) -> State:
    """The run of a trace before its first action, as numpy arrays.

    Raises:
      TraceError: for a header that names no run.
    """
    try:
        seed = jaxtro.encode_seed(str(trace.header["seed"]))
    except ValueError as error:
        raise TraceError(str(error)) from error
    deck, stake, challenge = setup(trace.header)
    items, tags = locked_masks(settings.locked)
    rules = rules_of(
        deck, stake, challenge, items, tags, boss_order=settings.boss_order, to_do_order=settings.to_do_order,
        sort_by_age=settings.sort_by_age,
    )  # fmt: skip
    return jax.device_get(_compiled()[1](seed, rules))


def plan_of(trace: Trace) -> list[tuple[int, list[Op]]]:
    """For each line after the start: its number and what to do.

    Raises:
      TraceError: for an action that trace_v1 does not have.
    """
    plan: list[tuple[int, list[Op]]] = []
    for line in trace.lines[1:]:
        try:
            plan.append((line.get("i", len(plan) + 1), ops_of(line["a"])))
        except (KeyError, TypeError, ValueError) as error:
            raise TraceError(f"line {line.get('i')}: {type(error).__name__}: {error}") from error
    return plan


def _slot(op: Op, state: State) -> int:
    """The place of an op; vouchers of the shop are counted without the gap that a bought one leaves."""
    if op.kind == Kind.BUY_VOUCHER:
        there = np.flatnonzero(state.shop.vouchers)
        return int(there[op.slot]) if op.slot < len(there) else op.slot
    return op.slot


_NO_ADD = dict(
    item=0, pack=0, front=-1, enhancement=0, edition=0, seal=0, eternal=False, perishable=False, rental=False
)


def _arguments(ops: list[Op | None], states: list[State]) -> tuple[Any, ...]:
    """The batch of arguments of `_one_step`."""
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
      game: number of the trace. line: index into its lines. refused: the action was not legal.
      state, before: of this game now and at the line before. derived: see `Derived`.
    """

    game: int
    line: int
    refused: bool
    state: State
    before: State | None
    derived: Derived


def replay(traces: list[Trace], settings: list[Settings]) -> Iterator[Moment]:
    """Plays all traces together; yields every state that a line describes, in order for each trace.

    A consumer stops the trace of the moment by sending True (see `check_traces`).
    """
    for first in range(0, len(traces), BATCH):
        chunk = list(range(first, min(first + BATCH, len(traces))))
        yield from _replay_batch([traces[n] for n in chunk], [settings[n] for n in chunk], first)


def _replay_batch(traces: list[Trace], settings: list[Settings], offset: int) -> Iterator[Moment]:
    starts = [start(trace, setting) for trace, setting in zip(traces, settings, strict=True)]
    plans = [plan_of(trace) for trace in traces]
    queues = [
        [
            (line + 1, op, n == len(ops) - 1)
            for line, (_, ops) in enumerate(plan)
            for n, op in enumerate(ops or [Op()])
        ]
        for plan in plans
    ]
    run = _compiled()[0]
    padded = starts + [starts[0]] * (BATCH - len(starts))
    states: Any = jax.tree.map(lambda *values: np.stack(values), *padded)
    for n in range(len(traces)):
        _boss_from_trace(traces[n], settings[n], states, n, 0, 0)
    starts = [one_game(states, n) for n in range(len(traces))]
    derived: Any = jax.device_get(jax.jit(jax.vmap(derive))(states))
    last = list(starts)
    for n, state in enumerate(starts):
        yield Moment(offset + n, 0, False, state, None, one_game(derived, n))
    stopped = [False] * len(traces)
    for tick in range(max((len(queue) for queue in queues), default=0)):
        current = [
            queue[tick] if tick < len(queue) and not stopped[n] else None for n, queue in enumerate(queues)
        ]
        if not any(current):
            break
        ops = [entry[1] if entry else None for entry in current] + [None] * (BATCH - len(traces))
        host = [one_game(states, n) for n in range(len(traces))]
        listed = [
            _boss_fought(traces[n], settings[n], states, n, entry[0])
            if entry and entry[1].kind == Kind.SELECT
            else None
            for n, entry in enumerate(current)
        ]
        states, legal, derived = jax.device_get(run(states, *_arguments(ops, host)))
        states = jax.tree.map(np.array, states)  # writable
        for n, boss in enumerate(listed):
            if boss is not None:
                states.blinds.boss[n] = boss
        for n, entry in enumerate(current):
            if entry is None:
                continue
            line, op, is_last = entry
            _boss_from_trace(traces[n], settings[n], states, n, line, int(host[n].run.bosses_used.sum()))
            refused = op.kind >= 0 and not bool(legal[n])
            if is_last or refused:
                state = one_game(states, n)
                moment = Moment(offset + n, line, refused, state, last[n], one_game(derived, n))
                if (yield moment):  # type: ignore[misc]
                    stopped[n] = True
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
        if key is None or (number is not None and times_used(trace.header["seed"], "boss", number) != drawn):
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


def _tag_not_fired(expected: dict[str, Any], got: dict[str, Any]) -> dict[str, Any]:
    """A save can be written while a Boss Tag is about to fire: it then holds the boss from before.

    Leaves out what the tag changes. Such states exist in two saves of seed TEST123, and the next state of the
    same file has the tag gone and the boss drawn.
    """
    tags = expected.get("tags") or []
    if not expected.get("rng_full") or tags != [*got["tags"], "tag_boss"]:
        return expected
    blinds = {name: value for name, value in (expected.get("blinds") or {}).items() if name != "Boss"}
    streams = {name: value for name, value in expected["rng"].items() if name != "boss"}
    return expected | {"tags": None, "blinds": blinds, "rng": streams, "bosses_used": None}


def _differences(trace: Trace, moment: Moment, line: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The facts that differ at a line."""
    if moment.refused:
        return [("action", f"{line['a']['m']} {line['a'].get('p') or ''}", "not legal here")]
    expected = line["s"]
    got = state_view(moment.state, moment.derived)
    partial = bool(trace.header.get("partial"))
    expected = _tag_not_fired(expected, got)
    found = compare_state(expected, got, partial)
    if expected.get("rng"):
        found += compare_streams(
            expected["rng"], moment.state.streams, moment.before.streams if moment.before else None,
            trace.header["seed"], complete=not partial,
        )  # fmt: skip
    if expected.get("used_jokers") is not None:
        found += _existing(expected["used_jokers"], got["vouchers"], moment.derived)
    return found


def _existing(expected: list[str], redeemed: list[str], derived: Derived) -> list[tuple[str, Any, Any]]:
    """The items that exist; redeemed vouchers are left out (their cards stay around for a while)."""
    got = sorted(ITEMS.keys[n] for n in np.flatnonzero(derived.exists) if n)
    wanted = sorted(key for key in expected if key in ITEMS.keys and key not in redeemed)
    return [] if got == wanted else [("used_jokers", wanted, got)]


def check_traces(
    traces: list[Trace], options: Settings | None = None, include_suspect: bool = False
) -> list[FileResult]:
    """Compares every state of every trace; a trace is compared up to its first difference.

    States behind the first difference count as not matched.

    Args:
      options: settings that replace those of the headers.
      include_suspect: compare states marked `suspect`, too.
    """
    results = [FileResult(trace.path, KIND, UNIT) for trace in traces]
    settings = [options or settings_of(trace.header) for trace in traces]
    failed = [False] * len(traces)

    def counts(line: dict[str, Any]) -> bool:
        return line.get("s") is not None and (include_suspect or not line.get("suspect"))

    moments = replay(traces, settings)
    reply: bool | None = None
    while True:
        try:
            moment = next(moments) if reply is None else moments.send(reply)  # type: ignore[attr-defined]
        except StopIteration:
            break
        reply = None
        trace, result = traces[moment.game], results[moment.game]
        line = trace.lines[moment.line]
        if not counts(line) and not moment.refused:
            continue
        found = _differences(trace, moment, line) if counts(line) or moment.refused else []
        where = (
            f"step {line.get('i', moment.line)}, after {line['a']['m']} {line['a'].get('p') or ''}".rstrip()
        )
        if counts(line):
            result.count("states", [Mismatch(where, name, wanted, got) for name, wanted, got in found])
        elif found:
            if line.get("suspect"):
                where += " (a suspect line)"
            result.mismatches += [Mismatch(where, name, wanted, got) for name, wanted, got in found]
        if found:
            failed[moment.game] = True
            rest = sum(counts(other) for other in trace.lines[moment.line + 1 :])
            result.total += rest
            result.sections.setdefault("states", [0, 0])[1] += rest
            reply = True
    return results
