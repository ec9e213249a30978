"""Comparison with `scoring_vectors` files: one played hand a line (format: scoring.md 9)."""

import functools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxtro
from jaxtro.env import rng, scoring, state
from jaxtro.env.scoring import BOOK, HandScore, book, notation
from jaxtro.env.scoring.card_features import RANKS
from jaxtro.env.scoring.rolls import NUM_PLAYED
from jaxtro.tables import BLINDS, CONSUMABLES, ENHANCEMENTS, HANDS, JOKERS, SEALS, item
from jaxtro.tables.pools import SUITS
from jaxtro.tables.streams import SLOT, STREAM_ID
from parity.report import FileResult, Mismatch

KIND, UNIT = "scoring vectors", "cases"
BATCH = 512
# The draws of a hand that are compared; no hand of the rules comes near with five jokers.
LOG = 512
PLACES = state.HAND_CAPACITY + 8  # some cases hold up to 30 cards beside the five played ones


# Vectors give the whole number of this stream, of all others the float.
_MISPRINT = JOKERS.row(JOKERS.find("j_misprint"))["scoring"]["main"]["mult"]["random"]


class CaseError(ValueError):
    """A case that cannot be scored; the text says why."""


def _cards(rows: list[dict[str, Any]], places: int) -> state.Cards:
    if len(rows) > places:
        raise CaseError(f"{len(rows)} cards; at most {places} fit")
    cards = state.no_cards(places)
    for place, row in enumerate(rows):
        one = notation.parse_cards(str(row["c"]), 1)
        cards.rank[place], cards.suit[place] = one.rank[0], one.suit[0]
        cards.enhancement[place] = ENHANCEMENTS.find(row["e"]) if row.get("e") else 0
        cards.edition[place] = notation.find_edition(row["ed"]) if row.get("ed") else 0
        cards.seal[place] = SEALS.find(row["seal"]) if row.get("seal") else 0
        cards.bonus[place] = row.get("bonus") or 0
        cards.debuffed[place] = bool(row.get("deb"))
    return cards


def _jokers(rows: list[dict[str, Any]]) -> state.Jokers:
    if len(rows) > state.JOKER_CAPACITY:
        raise CaseError(f"{len(rows)} jokers; at most {state.JOKER_CAPACITY} fit")
    jokers = state.no_jokers(state.JOKER_CAPACITY)
    for place, row in enumerate(rows):
        joker = JOKERS.find(row["k"])
        jokers.id[place] = joker
        jokers.edition[place] = notation.find_edition(row["ed"]) if row.get("ed") else 0
        jokers.debuffed[place] = bool(row.get("deb"))
        jokers.sell[place] = row["sell"] if row.get("sell") is not None else BOOK.sell_value(joker)
        jokers.stored[place] = _stored(joker, row.get("state") or {})
    return jokers


def _stored(joker: int, values: dict[str, Any]) -> float:
    name = BOOK.state_name(joker)
    if name is None or values.get(name) is None:
        return BOOK.start(joker)
    return float(HANDS.find(values[name]) if name == "hand" else values[name])


def _levels(given: dict[str, list[int]]) -> np.ndarray:
    """Level, plays in the run and plays this round of every poker hand. -> int32[12, 3]"""
    levels = np.tile(np.array([1, 0, 0], np.int32), (len(HANDS), 1))
    for name, numbers in given.items():
        levels[HANDS.find(name), : len(numbers)] = numbers
    if (levels < np.array([1, 0, 0])).any():
        raise CaseError("a level below 1 or a count below 0")
    return levels


# Names of `ctx`, where they differ from those of `ScoringState`.
_CTX_NAMES = {
    "hands_played_round": "hands_played_this_round", "hands_played_run": "hands_played",
    "deck_remaining": "cards_in_draw_pile", "steel_tally": "steel_in_deck", "stone_tally": "stone_in_deck",
    "enhanced_tally": "enhanced_in_deck", "skips": "blinds_skipped",
}  # fmt: skip


def _case(case: dict[str, Any]) -> tuple[state.ScoringState, np.ndarray]:
    """The state of a case, its streams not yet started, and the chosen cards: the first of the hand."""
    ctx, played = case.get("ctx") or {}, case["played"]
    if not 1 <= len(played) <= NUM_PLAYED:
        raise CaseError(f"{len(played)} played cards; a hand is 1 to {NUM_PLAYED} cards")
    numbers = dict(notation.NUMBERS)
    for name, number in ctx.items():
        name = _CTX_NAMES.get(name, name)
        if name in numbers and number is not None:
            numbers[name] = number
    jokers, levels = _jokers(case.get("jokers") or []), _levels(case.get("levels") or {})
    oops = [joker for joker, debuffed in zip(jokers.id, jokers.debuffed, strict=True) if not debuffed]
    probability = math.prod(int(BOOK.columns["odds_factor"][joker]) for joker in oops)
    if ctx.get("prob", probability) not in (probability, None):
        raise CaseError(f"ctx.prob is {ctx['prob']}, but the jokers make it {probability}")
    owned = [CONSUMABLES.keys[CONSUMABLES.find(key)] for key in case.get("consumables") or []]
    if len(owned) > state.CONSUMABLE_CAPACITY:
        raise CaseError(f"{len(owned)} consumables; at most {state.CONSUMABLE_CAPACITY} fit")
    consumables = np.zeros(state.CONSUMABLE_CAPACITY, np.int16)
    consumables[: len(owned)] = [item(key) for key in owned]
    boss = case.get("boss")
    acting_boss = BLINDS.find(boss) if boss and not case.get("boss_disabled") else 0
    idol = ctx.get("idol") or {"rank": "A", "suit": "S"}
    eye_used = np.zeros(len(HANDS), bool)
    eye_used[[HANDS.find(name) for name in ctx.get("eye_used") or []]] = True
    ids = {
        "boss": acting_boss,
        "target_suit": SUITS.index(ctx.get("ancient_suit") or "S"),
        "idol_rank": 2 + RANKS.index(str(idol["rank"]).replace("10", "T")),
        "idol_suit": SUITS.index(idol["suit"]),
        "most_played": HANDS.find(ctx["most_played"]) if ctx.get("most_played") else -1,
        "mouth_hand": HANDS.find(ctx["mouth_hand"]) if ctx.get("mouth_hand") else -1,
    }
    scalars: dict[str, Any] = {name: np.int32(number) for name, number in (numbers | ids).items()}
    return state.ScoringState(
        hand=_cards(played + (case.get("held") or []), PLACES),
        jokers=jokers,
        poker_hands=state.PokerHands(
            level=levels[:, 0],  # type: ignore[arg-type]
            played=levels[:, 1],  # type: ignore[arg-type]
            played_this_round=levels[:, 2],  # type: ignore[arg-type]
            visible=np.ones(len(HANDS), bool),  # type: ignore[arg-type]
        ),
        consumables=consumables,  # type: ignore[arg-type]
        eye_used=eye_used,  # type: ignore[arg-type]
        plasma=np.bool_(case.get("deck") == "b_plasma"),  # type: ignore[arg-type]
        observatory=np.bool_("v_observatory" in (case.get("vouchers") or [])),  # type: ignore[arg-type]
        debuffed_if_changed=np.zeros(PLACES, bool),  # type: ignore[arg-type]
        chips_cap=np.float64(np.inf),  # type: ignore[arg-type]
        streams=None,  # type: ignore[arg-type]
        **scalars,
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
    given = case.get("rng") or {}
    predraws = given.get("predraws") or {}
    uses = [predraws.get(name) or 0 for name in BOOK.streams]
    return jaxtro.encode_seed(given.get("seed") or "TUTORIAL"), np.array(uses, np.int32)


def state_of(case: dict[str, Any]) -> tuple[state.ScoringState, np.ndarray]:
    """The state of a case and its chosen cards."""
    made, chosen = _case(case)
    return replace(made, streams=_one_streams(*_random(case))), chosen


# State, chosen cards, seed, uses of the streams.
Prepared = tuple[state.ScoringState, np.ndarray, np.ndarray, np.ndarray]


@functools.cache
def _scorer() -> Any:
    def one(case: state.ScoringState, chosen: jax.Array, seed: jax.Array, predraws: jax.Array) -> HandScore:
        case = replace(case, streams=_streams(seed, predraws))
        return scoring.score_hand(case, chosen, log=LOG)[0]

    return jax.jit(jax.vmap(one))


def _scores(cases: list[Prepared]) -> Iterator[HandScore]:
    for first in range(0, len(cases), BATCH):
        chunk = cases[first : first + BATCH]
        states, chosen, seeds, predraws = zip(*(chunk + [chunk[0]] * (BATCH - len(chunk))), strict=True)
        stacked = jax.tree.map(lambda *values: np.stack(values), *states)
        result = jax.device_get(_scorer()(stacked, *map(np.stack, (chosen, seeds, predraws))))
        for number in range(len(chunk)):
            yield jax.tree.map(lambda value: value[number], result)  # noqa: B023 (used at once)


def _draws(score: HandScore) -> list[list[Any]]:
    draws = []
    for number in range(int(score.log_length)):
        name, u = BOOK.streams[score.log_stream[number]], float(score.log_value[number])
        draws.append(
            [name, _MISPRINT[0] + int(u * (_MISPRINT[1] - _MISPRINT[0] + 1)) if name == "misprint" else u]
        )
    return draws


def _state_after(score: HandScore, place: int, joker: int) -> dict[str, Any]:
    name = BOOK.state_name(joker)
    value = float(score.jokers.stored[place])
    if name is None:
        return {}
    if name == "hand":
        return {name: HANDS.keys[int(value)] if value >= 0 else None}
    return {name: value}


def result_of(case: dict[str, Any], score: HandScore) -> dict[str, Any]:
    """A result in the form of a case's `expect`."""
    cards = score.cards
    changed = {}
    for place, row in enumerate(case["played"]):
        after = {
            "e": ENHANCEMENTS.keys[cards.enhancement[place]].removeprefix("m_") or None,
            "bonus": int(cards.bonus[place]),
        }
        before = ENHANCEMENTS.keys[ENHANCEMENTS.find(row["e"])].removeprefix("m_") if row.get("e") else None
        if after != {"e": before, "bonus": row.get("bonus") or 0}:
            changed[str(place)] = after
    jokers = {}
    for place, row in enumerate(case.get("jokers") or []):
        if row.get("state") and not score.removed[place]:
            jokers[str(place)] = _state_after(score, place, JOKERS.find(row["k"]))
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
            differences.append(Mismatch(str(case.get("id")), field, expected, "(unknown field)"))
            continue
        value = got[field]
        if isinstance(expected, dict) and field == "jokers_after":
            value = {place: value.get(place) for place in expected} if set(value) == set(expected) else value
        if field in ("contains", "scoring", "destroyed"):
            expected, value = sorted(expected), sorted(value)
        if value != expected and not (value != value and expected != expected):
            differences.append(Mismatch(str(case.get("id")), field, expected, value))
    return differences


def check(path: str, data: list[dict[str, Any]]) -> FileResult:
    """Compares every case of a file; fields that a case's `expect` leaves out are not compared.

    A case that cannot be scored counts as not matched, and says why.
    """
    result = FileResult(path, KIND, UNIT)
    prepared: list[Prepared] = []
    good: list[dict[str, Any]] = []
    for number, case in enumerate(data):
        try:
            prepared.append((*_case(case), *_random(case)))
            good.append(case)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            reason = f"missing {error}" if isinstance(error, KeyError) else str(error)
            wrong = Mismatch(
                str(case.get("id", f"case {number}")), "input", "a case that can be scored", reason
            )
            result.count(case.get("family", "cases"), [wrong])
    for case, score in zip(good, _scores(prepared), strict=True):
        if int(score.log_length) > LOG:
            raise ValueError(f"{case.get('id')}: more than {LOG} draws")
        result.count(case.get("family", "cases"), _compare(case, result_of(case, score)))
    return result
