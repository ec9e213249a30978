"""Comparison with `scoring_vectors` files: one played hand a line (format: scoring.md 9)."""

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxtro
from jaxtro.env import rng, scoring, state
from jaxtro.env.scoring import BOOK, HandScore, book
from jaxtro.tables import BLINDS, EDITIONS, ENHANCEMENTS, HANDS, JOKERS, SEALS, item
from jaxtro.tables.pools import SUITS
from jaxtro.tables.streams import SLOT, STREAM_ID
from parity.report import FileResult, Mismatch

KIND, UNIT = "scoring vectors", "cases"
BATCH = 512
RANKS = "23456789TJQKA"
# The draws of a hand that are compared; no hand of the rules comes near with five jokers.
LOG = 512
PLACES = state.HAND_CAPACITY + 8  # some cases hold up to 30 cards beside the five played ones
_EDITIONS = {"foil": "e_foil", "holo": "e_holo", "poly": "e_polychrome", "negative": "e_negative"}
_MISPRINT_NUMBERS = 24


def _cards(rows: list[dict[str, Any]], places: int) -> state.Cards:
    if len(rows) > places:
        raise ValueError(f"{len(rows)} cards; at most {places} fit")
    cards = state.no_cards(places)
    for place, row in enumerate(rows):
        rank, suit = row["c"]
        cards.rank[place] = 2 + RANKS.index(rank)
        cards.suit[place] = SUITS.index(suit)
        if row.get("e"):
            cards.enhancement[place] = ENHANCEMENTS.keys.index("m_" + row["e"])
        if row.get("ed"):
            cards.edition[place] = EDITIONS.keys.index(_EDITIONS[row["ed"]])
        if row.get("seal"):
            cards.seal[place] = SEALS.keys.index(row["seal"].title())
        cards.bonus[place] = row.get("bonus", 0)
        cards.debuffed[place] = row.get("deb", False)
    return cards


def _jokers(rows: list[dict[str, Any]]) -> state.Jokers:
    if len(rows) > state.JOKER_CAPACITY:
        raise ValueError(f"{len(rows)} jokers; at most {state.JOKER_CAPACITY} fit")
    jokers = state.no_jokers(state.JOKER_CAPACITY)
    for place, row in enumerate(rows):
        joker = JOKERS.keys.index(row["k"])
        jokers.id[place] = joker
        if row.get("ed"):
            jokers.edition[place] = EDITIONS.keys.index(_EDITIONS[row["ed"]])
        jokers.debuffed[place] = row.get("deb", False)
        jokers.sell[place] = row["sell"]
        jokers.stored[place] = _stored(joker, row.get("state", {}))
    return jokers


def _stored(joker: int, values: dict[str, Any]) -> float:
    name = BOOK.state_name(joker)
    if name not in values:
        return BOOK.start(joker)
    return float(HANDS.keys.index(values[name]) if name == "hand" else values[name])


def _case(case: dict[str, Any]) -> tuple[state.ScoringState, np.ndarray]:
    """The state of a case, its streams not yet started, and the chosen cards: the first of the hand."""
    ctx, played = case["ctx"], case["played"]
    levels = np.array([case["levels"][name] for name in HANDS.keys], np.int32)
    if (levels[:, 0] < 0).any():
        raise ValueError("a level below zero")
    consumables = np.zeros(state.CONSUMABLE_CAPACITY, np.int16)
    consumables[: len(case["consumables"])] = [item(key) for key in case["consumables"]]
    boss = case["boss"]
    count = np.int32
    return state.ScoringState(
        hand=_cards(played + case["held"], PLACES),
        jokers=_jokers(case["jokers"]),
        poker_hands=state.PokerHands(
            level=levels[:, 0],  # type: ignore[arg-type]
            played=levels[:, 1],  # type: ignore[arg-type]
            played_this_round=levels[:, 2],  # type: ignore[arg-type]
            visible=np.ones(len(HANDS), bool),  # type: ignore[arg-type]
        ),
        consumables=consumables,  # type: ignore[arg-type]
        boss=count(0 if boss is None or case["boss_disabled"] else BLINDS.keys.index(boss)),  # type: ignore[arg-type]
        money=count(ctx["money"]),  # type: ignore[arg-type]
        hands_left=count(ctx["hands_left"]),  # type: ignore[arg-type]
        discards_left=count(ctx["discards_left"]),  # type: ignore[arg-type]
        hands_played_this_round=count(ctx["hands_played_round"]),  # type: ignore[arg-type]
        hands_played=count(ctx["hands_played_run"]),  # type: ignore[arg-type]
        deck_size=count(ctx["deck_size"]),  # type: ignore[arg-type]
        starting_deck_size=count(ctx["starting_deck_size"]),  # type: ignore[arg-type]
        cards_in_draw_pile=count(ctx["deck_remaining"]),  # type: ignore[arg-type]
        steel_in_deck=count(ctx["steel_tally"]),  # type: ignore[arg-type]
        stone_in_deck=count(ctx["stone_tally"]),  # type: ignore[arg-type]
        enhanced_in_deck=count(ctx["enhanced_tally"]),  # type: ignore[arg-type]
        tarots_used=count(ctx["tarots_used"]),  # type: ignore[arg-type]
        blinds_skipped=count(ctx["skips"]),  # type: ignore[arg-type]
        target_suit=count(SUITS.index(ctx["ancient_suit"])),  # type: ignore[arg-type]
        idol_rank=count(2 + RANKS.index(ctx["idol"]["rank"])),  # type: ignore[arg-type]
        idol_suit=count(SUITS.index(ctx["idol"]["suit"])),  # type: ignore[arg-type]
        most_played=count(HANDS.keys.index(ctx["most_played"])),  # type: ignore[arg-type]
        eye_used=np.isin(HANDS.keys, ctx["eye_used"]),  # type: ignore[arg-type]
        mouth_hand=count(HANDS.keys.index(ctx["mouth_hand"]) if ctx["mouth_hand"] else -1),  # type: ignore[arg-type]
        consumable_slots=count(ctx["consumable_slots"]),  # type: ignore[arg-type]
        joker_slots=count(ctx["joker_slots"]),  # type: ignore[arg-type]
        plasma=np.bool_(case["deck"] == "b_plasma"),  # type: ignore[arg-type]
        observatory=np.bool_("v_observatory" in case["vouchers"]),  # type: ignore[arg-type]
        streams=None,  # type: ignore[arg-type]
    ), np.arange(PLACES) < len(played)


def _streams(seed: jax.Array, predraws: jax.Array) -> rng.Streams:
    """The streams of scoring after some uses of each."""
    streams = rng.start_streams(seed, 1, BOOK.streams)
    slots = jnp.asarray([SLOT[STREAM_ID[name]] for name in BOOK.streams])
    drawn = jax.vmap(
        lambda number, times: jax.lax.fori_loop(0, times, lambda _, x: rng.step_stream(x), number)
    )(streams.states[slots], predraws)
    return replace(streams, states=streams.states.at[slots].set(drawn))


_one_streams = jax.jit(_streams)


def _random(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Seed and uses of the streams of a case."""
    uses = [case["rng"]["predraws"].get(name, 0) for name in BOOK.streams]
    return jaxtro.encode_seed(case["rng"]["seed"]), np.array(uses, np.int32)


def state_of(case: dict[str, Any]) -> tuple[state.ScoringState, np.ndarray]:
    """The state of a case and its chosen cards."""
    made, chosen = _case(case)
    return replace(made, streams=_one_streams(*_random(case))), chosen


@functools.cache
def _scorer() -> Any:
    def one(case: state.ScoringState, chosen: jax.Array, seed: jax.Array, predraws: jax.Array) -> HandScore:
        case = replace(case, streams=_streams(seed, predraws))
        return scoring.score_hand(case, chosen, log=LOG)[0]

    return jax.jit(jax.vmap(one))


def _scores(cases: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], HandScore]]:
    for first in range(0, len(cases), BATCH):
        chunk = cases[first : first + BATCH]
        padded = chunk + [chunk[0]] * (BATCH - len(chunk))
        states, chosen = zip(*map(_case, padded), strict=True)
        seeds, predraws = map(np.stack, zip(*map(_random, padded), strict=True))
        stacked = jax.tree.map(lambda *values: np.stack(values), *states)
        result = jax.device_get(_scorer()(stacked, np.stack(chosen), seeds, predraws))
        for number, case in enumerate(chunk):
            yield case, jax.tree.map(lambda value: value[number], result)  # noqa: B023 (used at once)


def _draws(score: HandScore) -> list[list[Any]]:
    draws = []
    for number in range(int(score.log_length)):
        name, u = BOOK.streams[score.log_stream[number]], float(score.log_value[number])
        draws.append([name, int(u * _MISPRINT_NUMBERS) if name == "misprint" else u])
    return draws


def _state_after(score: HandScore, place: int, joker: int) -> dict[str, Any]:
    name = BOOK.state_name(joker)
    value = float(score.jokers.stored[place])
    if name is None:
        return {}
    return {name: HANDS.keys[int(value)] if name == "hand" else value}


def result_of(case: dict[str, Any], score: HandScore) -> dict[str, Any]:
    """A result in the form of a case's `expect`."""
    cards = score.cards
    changed = {}
    for place, row in enumerate(case["played"]):
        after = {
            "e": ENHANCEMENTS.keys[cards.enhancement[place]].removeprefix("m_") or None,
            "bonus": int(cards.bonus[place]),
        }
        if after != {"e": row.get("e"), "bonus": row.get("bonus", 0)}:
            changed[str(place)] = after
    jokers = {}
    for place, row in enumerate(case["jokers"]):
        if row.get("state") and not score.removed[place]:
            jokers[str(place)] = _state_after(score, place, JOKERS.keys.index(row["k"]))
    return {
        "hand": HANDS.keys[int(score.hand)],
        "contains": [name for name, there in zip(HANDS.keys, score.contains, strict=True) if there],
        "scoring": np.flatnonzero(score.scoring).tolist(),
        "blocked": bool(score.blocked),
        "chips": float(score.chips),
        "mult": float(score.mult),
        "total": float(score.total),
        "money_delta": int(score.money),
        "level_after": int(score.level),
        "destroyed": np.flatnonzero(score.destroyed).tolist(),
        "jokers_removed": np.flatnonzero(score.removed).tolist(),
        "jokers_after": jokers,
        "cards_after": changed,
        "created": ["copy:0"] * int(score.copies)
        + [book.CREATED[number - 1][0] for number in score.created if number],
        "draws": _draws(score),
    }


def _compare(case: dict[str, Any], got: dict[str, Any]) -> list[Mismatch]:
    differences = []
    for field, expected in case["expect"].items():
        if field not in got:
            differences.append(Mismatch(case["id"], field, expected, "(unknown field)"))
            continue
        value = got[field]
        if isinstance(expected, dict) and field == "jokers_after":
            value = {place: value.get(place) for place in expected} if set(value) == set(expected) else value
        if field in ("contains", "scoring", "destroyed"):
            expected, value = sorted(expected), sorted(value)
        if value != expected and not (value != value and expected != expected):
            differences.append(Mismatch(case["id"], field, expected, value))
    return differences


def check(path: str, data: list[dict[str, Any]]) -> FileResult:
    """Compares every case of a file; fields that a case's `expect` leaves out are not compared."""
    result = FileResult(path, KIND, UNIT)
    for case, score in _scores(data):
        if int(score.log_length) > LOG:
            raise ValueError(f"{case['id']}: more than {LOG} draws")
        result.count(case.get("family", "cases"), _compare(case, result_of(case, score)))
    return result
