"""What jokers do outside of scoring: the `run` column of the joker table as arrays by joker id.

Passive effects (hand size, discards, debt ...) and numbers of events (round end, discard, sale ...) stand in
the table; what an event does stands in the phase where a player meets it. A number is 0 where a joker has no
part in the event.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.lookups import element, look_up
from jaxtro.env.scoring.book import RULES, JokerBook, JokerRowError
from jaxtro.env.scoring.copying import resolve
from jaxtro.env.state import OwnedJokers
from jaxtro.tables import TAGS
from jaxtro.tables.streams import STREAM_ID

PAYOUTS = ("", "nines_in_deck", "planets_used", "stored", "discards_if_none_used")
DISCARD_CARDS = ("", "target_rank", "target_suit", "jack")

# path in the `run` column -> (dtype, column name); flags are True/False.
_FIELDS: dict[str, tuple[str, Any]] = {
    "hand_size": ("hand_size", np.int32), "hand_size_stored": ("hand_size_stored", bool),
    "hands": ("hands", np.int32), "discards": ("discards", np.int32), "debt": ("debt", np.int32),
    "free_rerolls": ("free_rerolls", np.int32), "interest": ("interest", np.int32),
    "free_planets": ("free_planets", bool), "allows_duplicates": ("allows_duplicates", bool),
    "saves_at": ("saves_at", np.float64),
    "payout.dollars": ("payout_dollars", np.int32), "payout.each": ("payout_each", np.int32),
    "round_end.gain": ("end_gain", np.float64), "round_end.reset": ("end_reset", np.float64),
    "round_end.sell": ("end_sell", np.int32), "round_end.sell_of_all": ("end_sell_of_all", np.int32),
    "round_end.odds": ("end_odds", np.float64), "round_end.redraw": ("end_redraw", bool),
    "discard.gain": ("discard_gain", np.float64), "discard.dollars": ("discard_dollars", np.int32),
    "discard.faces": ("discard_faces", np.int32), "discard.action_gain": ("action_gain", np.float64),
    "discard.wear": ("discard_wear", np.float64), "discard.least": ("discard_least", np.float64),
    "discard.every": ("discard_every", np.int32), "discard.first_single": ("discard_single", bool),
    "discard.first_levels": ("discard_levels", np.int32),
    "blind_selected.sell_gain": ("eats", np.float64), "blind_selected.gain": ("madness", np.float64),
    "blind_selected.hands": ("burglar", np.int32), "blind_selected.jokers": ("makes_jokers", np.int32),
    "blind_selected.tarots": ("makes_tarots", np.int32), "blind_selected.stones": ("makes_stones", np.int32),
    "blind_selected.disable_boss": ("disables_boss", bool),
    "first_draw.cards": ("first_draw_cards", np.int32),
    "sold.disable_boss": ("sold_disables_boss", bool), "sold.copy_joker_after": ("sold_copies", np.int32),
    "other_sold.gain": ("other_sold_gain", np.float64), "reroll.gain": ("reroll_gain", np.float64),
    "pack_skipped.gain": ("pack_skipped_gain", np.float64),
    "planet_used.gain": ("planet_gain", np.float64), "pack_opened.odds": ("pack_odds", np.float64),
    "shop_left.copies": ("shop_left_copies", np.int32),
}  # fmt: skip
# PackedRows that need more than a number.
_WORDS = {
    "payout.per", "round_end.after", "round_end.stream", "discard.card", "sold.tag",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class JokerEvents:
    """Columns by joker id; `events.payout_dollars` is int32[ids], see `_FIELDS`.

    Beside those: `payout_per` (index into `PAYOUTS`), `end_after_boss` (bool), `has_reset`, `end_stream` (row of
    the stream table), `discard_card` (index into `DISCARD_CARDS`), `sold_tag` (tag id), `added_gain` and
    `destroyed_gain` (float64, from the scoring column).
    """

    columns: Mapping[str, np.ndarray]

    def __getattr__(self, name: str) -> np.ndarray:
        try:
            return self.columns[name]
        except KeyError as error:
            raise AttributeError(name) from error


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": part for inner, part in value.items()}
        else:
            flat[name] = value
    return flat


@functools.cache
def events_of(book: JokerBook) -> JokerEvents:
    """The event columns of a book.

    Raises:
      JokerRowError: for a word in a `run` column that is not understood.
    """
    size = 1 + len(book.rows)
    columns = {name: np.zeros(size, dtype) for name, dtype in _FIELDS.values()}
    for name, dtype in (
        ("payout_per", np.int8), ("end_after_boss", bool), ("has_reset", bool), ("end_stream", np.int32),
        ("discard_card", np.int8), ("sold_tag", np.int8),
    ):  # fmt: skip
        columns[name] = np.zeros(size, dtype)
    for joker, row in enumerate(book.rows, start=1):
        for path, value in _flat(row.get("run", {})).items():
            if path in _FIELDS:
                columns[_FIELDS[path][0]][joker] = value
            elif path not in _WORDS:
                raise JokerRowError(
                    f"{row['key']}: unknown word {path!r} in run; known: {sorted(_FIELDS)}, {sorted(_WORDS)}"
                )
            columns["has_reset"][joker] |= path == "round_end.reset"
            if path == "payout.per":
                columns["payout_per"][joker] = PAYOUTS.index(value)
            elif path == "round_end.after":
                columns["end_after_boss"][joker] = value == "boss"
            elif path == "round_end.stream":
                columns["end_stream"][joker] = STREAM_ID[value]
            elif path == "discard.card":
                columns["discard_card"][joker] = DISCARD_CARDS.index(value)
            elif path == "sold.tag":
                columns["sold_tag"][joker] = TAGS.keys.index(value)
    columns |= {name: book.columns[name] for name in ("added_gain", "destroyed_gain", "destroyed_card")}
    for column in columns.values():
        column.setflags(write=False)
    return JokerEvents(columns)


def working(jokers: OwnedJokers) -> Array:
    """Which jokers are there and not debuffed. -> bool[J]"""
    return (jokers.id > 0) & ~jokers.debuffed


def own(jokers: OwnedJokers, column: np.ndarray) -> Array:
    """A column for the jokers themselves; 0 for debuffed ones. -> [J]"""
    return look_up(column, jnp.where(working(jokers), jokers.id, 0))


def total(jokers: OwnedJokers, column: np.ndarray) -> Array:
    """Sum of a column over the working jokers."""
    return jnp.sum(own(jokers, column), dtype=column.dtype)


def acting(book: JokerBook, jokers: OwnedJokers) -> Array:
    """Ids of the jokers whose effects each place has, copies included; 0 = none. -> int32[J]"""
    works = working(jokers)
    ids = jnp.where(works, jokers.id, 0).astype(jnp.int32)
    target = resolve(jnp.where(works, element(book.traits, ids), 0), works)
    return jnp.where(target >= 0, element(ids, jnp.maximum(target, 0)), 0)


def rule(book: JokerBook, jokers: OwnedJokers, name: str) -> Array:
    """Whether a joker that bends the rules of hands works ("smeared", "pareidolia" ...). -> bool[]"""
    return jnp.any((own(jokers, book.columns["rules"]) >> RULES.index(name)) & 1 != 0)


def probability(book: JokerBook, jokers: OwnedJokers) -> Array:
    """The numerator of every listed chance: 1, doubled by each Oops! All 6s. -> float64[]"""
    factors = own(jokers, book.columns["odds_factor"])
    factors = jnp.where(working(jokers), factors, 1)
    return jnp.prod(factors.astype(jnp.float64))
