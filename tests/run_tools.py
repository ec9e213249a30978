"""Building runs for tests and playing many of them together: one compiled step serves all tests."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

import jaxtro
from jaxtro.compile_cache import keep
from jaxtro.env.actions import Action, Kind
from jaxtro.env.scoring import BOOK
from jaxtro.env.scoring.card_features import RANKS
from jaxtro.env.state import BlindStatus, Phase, State
from jaxtro.tables import BLINDS, EDITIONS, ENHANCEMENTS, ITEMS, JOKERS, PACKS, SEALS, TAGS, VOUCHERS
from jaxtro.tables.pools import SUITS

BATCH = 64
ENV = jaxtro.make()


@functools.cache
def compiled() -> tuple[Any, Any]:
    """The batched step and reset that all tests share."""
    step, reset = jax.jit(jax.vmap(ENV.step)), jax.jit(jax.vmap(ENV.reset_to_seed))
    return keep(step, "step", ENV.about), keep(reset, "reset of each", ENV.about)


def resets(seeds: Sequence[str], params: Sequence[Any]) -> list[State]:
    """New runs, as numpy arrays."""
    states: list[State] = []
    for first in range(0, len(seeds), BATCH):
        some, its = list(seeds[first : first + BATCH]), list(params[first : first + BATCH])
        count = len(some)
        some, its = some + some[:1] * (BATCH - count), its + its[:1] * (BATCH - count)
        codes = np.stack([jaxtro.encode_seed(seed) for seed in some])
        batch = jax.tree.map(lambda *values: np.stack(values), *jax.device_get(its))
        _, out = jax.device_get(compiled()[1](codes, batch))
        states += [jax.tree.map(lambda values: np.array(values[n]), out) for n in range(count)]  # noqa: B023
    return states


def step_all(states: Sequence[State], actions: Sequence[Action]) -> list[tuple[Any, State, Any]]:
    """One step of every run. -> (observation, state, info) each"""
    results: list[tuple[Any, State, Any]] = []
    for first in range(0, len(states), BATCH):
        some, acts = list(states[first : first + BATCH]), list(actions[first : first + BATCH])
        count = len(some)
        some, acts = some + some[:1] * (BATCH - count), acts + acts[:1] * (BATCH - count)
        stack = lambda *values: np.stack([np.asarray(value) for value in values])  # noqa: E731
        batch, moves = jax.tree.map(stack, *some), jax.tree.map(stack, *acts)
        out = jax.device_get(compiled()[0](batch, moves))
        for n in range(count):
            row = jax.tree.map(lambda values, n=n: np.array(values[n]), (out[0], out[1], out[5]))
            results.append(row)
    return results


def act(kind: Kind, slot: int = 0, cards: Sequence[int] = (), to: int = 0) -> Action:
    """An action as numpy arrays."""
    chosen = np.zeros(32, bool)
    chosen[list(cards)] = True
    return Action(np.int32(kind), chosen, np.int32(slot), np.int32(to))  # type: ignore[arg-type]


# --- setting a run up ---------------------------------------------------------------------------------------


def put(state: State, **fields: Any) -> State:
    """Fields by their path with "__": put(state, run__money=5). The arrays' types are kept."""
    for path, value in fields.items():
        parts = path.split("__")
        state = _put(state, parts, value)
    return state


def _put(node: Any, parts: list[str], value: Any) -> Any:
    if not parts:
        return np.broadcast_to(np.asarray(value), np.shape(node)).astype(np.asarray(node).dtype)
    return replace(node, **{parts[0]: _put(getattr(node, parts[0]), parts[1:], value)})


def jokers(state: State, *specs: Any) -> State:
    """The player's jokers: keys, or (key, {field: value})."""
    owned = jax.tree.map(np.array, state.jokers)
    owned = replace(owned, perish=np.full_like(owned.perish, -1))
    for place, spec in enumerate(specs):
        key, fields = spec if isinstance(spec, tuple) else (spec, {})
        joker = JOKERS.keys.index(key)
        owned.id[place], owned.number[place] = joker, 200 + place
        owned.stored[place] = BOOK.start(joker) if key != "j_todo_list" else 11
        owned.counter[place] = 23 if key == "j_yorick" else 0
        for name, value in fields.items():
            getattr(owned, name)[place] = EDITIONS.find(value) if name == "edition" else value
    return replace(state, jokers=owned)


def consumables(state: State, *keys: str) -> State:
    """The player's consumables."""
    owned = jax.tree.map(np.array, state.consumables)
    for place, key in enumerate(keys):
        owned.id[place], owned.number[place] = ITEMS.keys.index(key), 300 + place
    return replace(state, consumables=owned)


def _front(code: str) -> tuple[int, int]:
    suit, rank = code.split("_")
    return RANKS.index(rank) + 2, SUITS.index(suit)


def hand(state: State, text: str) -> State:
    """Puts cards of the deck into the hand: "S_K H_K~m_gold#Red"; the rest is the draw pile."""
    deck = jax.tree.map(np.array, state.deck)
    piles = jax.tree.map(np.array, state.piles)
    chosen: list[int] = []
    for word in text.split():
        body, _, seal = word.partition("#")
        front, _, enhancement = body.partition("~")
        rank, suit = _front(front)
        places = np.flatnonzero((deck.cards.rank == rank) & (deck.cards.suit == suit))
        place = next(int(p) for p in places if int(p) not in chosen)
        deck.cards.enhancement[place] = ENHANCEMENTS.keys.index(enhancement) if enhancement else 0
        deck.cards.seal[place] = SEALS.keys.index(seal) if seal else 0
        chosen.append(place)
    rest = [int(p) for p in np.flatnonzero(deck.cards.rank > 0) if int(p) not in chosen]
    piles.draw[:], piles.hand[:], piles.discard[:] = -1, -1, -1
    piles.draw[: len(rest)], piles.hand[: len(chosen)] = rest, chosen
    sizes = {"n_draw": np.int32(len(rest)), "n_hand": np.int32(len(chosen)), "n_discard": np.int32(0)}
    return replace(state, deck=deck, piles=replace(piles, **sizes))


def fight(state: State, blind: str = "bl_small", target: float = 1e9, **fields: Any) -> State:
    """In a round against a blind."""
    number = BLINDS.keys.index(blind)
    on_deck = {"bl_small": 0, "bl_big": 1}.get(blind, 2)
    status = np.zeros(3, np.int8)
    status[on_deck] = BlindStatus.CURRENT
    values = {
        "hands_left": 4, "discards_left": 3, "hands_played": 0, "discards_used": 0, "blind": number, "target": target,
        "chips": 0, "disabled": False, "mouth_hand": -1, "last_hand": -1, "forced": -1,
    } | fields  # fmt: skip
    state = put(state, phase=int(Phase.SELECTING_HAND), **{f"round__{name}": v for name, v in values.items()})
    boss = number if on_deck == 2 else int(state.blinds.boss)
    return put(state, blinds__on_deck=on_deck, blinds__status=status, blinds__boss=boss)


def upcoming(state: State, blind: str = "bl_small") -> State:
    """In blind select, this blind on deck."""
    on_deck = {"bl_small": 0, "bl_big": 1}.get(blind, 2)
    status = np.zeros(3, np.int8)
    status[on_deck] = BlindStatus.SELECT
    state = put(state, phase=int(Phase.BLIND_SELECT), blinds__on_deck=on_deck, blinds__status=status)
    return put(state, blinds__boss=BLINDS.keys.index(blind)) if on_deck == 2 else state


def evaluated(state: State, payout: int = 0, on_deck: int = 0) -> State:
    """After a won round, before the cash-out."""
    status = np.zeros(3, np.int8)
    status[on_deck] = BlindStatus.DEFEATED
    state = put(state, phase=int(Phase.ROUND_EVAL), blinds__on_deck=on_deck, blinds__status=status)
    return put(state, round__payout=payout)


def shop(
    state: State, cards: Sequence[str] = (), packs: Sequence[str] = (), vouchers: Sequence[str] = ()
) -> State:
    """In the shop, with these things on offer."""
    state = put(state, phase=int(Phase.SHOP))
    now = jax.tree.map(np.array, state.shop)
    for place, key in enumerate(cards):
        now.cards.id[place] = ITEMS.keys.index(key)
        if key.startswith("j_"):
            now.cards.stored[place] = BOOK.start(JOKERS.keys.index(key))
    now.packs[: len(packs)] = [PACKS.keys.index(key) for key in packs]
    now.vouchers[: len(vouchers)] = [ITEMS.keys.index(key) for key in vouchers]
    return replace(state, shop=now)


def tags(state: State, *keys: str) -> State:
    """Held tags."""
    held = np.zeros_like(state.tags)
    held[: len(keys)] = [TAGS.keys.index(key) for key in keys]
    return replace(state, tags=held)


def redeemed(state: State, *keys: str) -> State:
    """Vouchers that are redeemed (only by name: numbers they add are not added)."""
    mask = np.array(state.run.redeemed)
    mask[[VOUCHERS.keys.index(key) for key in keys]] = True
    return put(state, run__redeemed=mask)


def hand_codes(state: State) -> list[str]:
    """The hand as front codes."""
    places = state.piles.hand[: int(state.piles.n_hand)]
    cards = state.deck.cards
    return [f"{SUITS[cards.suit[p]]}_{RANKS[cards.rank[p] - 2]}" for p in places]


def joker_keys(state: State) -> list[str]:
    """The jokers' keys."""
    return [JOKERS.keys[n] for n in state.jokers.id if n]


def consumable_keys(state: State) -> list[str]:
    """The consumables' keys."""
    return [ITEMS.keys[n] for n in state.consumables.id if n]


# --- cases --------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A run set up, some actions, and what must hold then.

    Attributes:
      name: of the case. setup: from a new run to the start of the case. actions: what is done.
      check: gets the states (before, after each action) and the infos; it asserts.
      params: of the run. seed: of the run.
    """

    name: str
    setup: Callable[[State], State]
    actions: list[Action]
    check: Callable[[list[State], list[Any]], None]
    params: dict[str, Any] = field(default_factory=dict)
    seed: str = "TUTORIAL"


def run_cases(cases: Sequence[Case]) -> dict[str, tuple[list[State], list[Any]]]:
    """Plays all cases together. -> name: (states, infos)"""
    params = [jaxtro.make_params(endless=True, **case.params) for case in cases]
    starts = resets([case.seed for case in cases], params)
    states = [[case.setup(start)] for case, start in zip(cases, starts, strict=True)]
    infos: list[list[Any]] = [[] for _ in cases]
    for tick in range(max(len(case.actions) for case in cases)):
        now = [n for n, case in enumerate(cases) if tick < len(case.actions)]
        out = step_all([states[n][-1] for n in now], [cases[n].actions[tick] for n in now])
        for n, (_, state, info) in zip(now, out, strict=True):
            states[n].append(state)
            infos[n].append(info)
    return {case.name: (states[n], infos[n]) for n, case in enumerate(cases)}
