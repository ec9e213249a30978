"""What cards and poker hands give: the tables as arrays, and the amounts of one hand."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.lookups import look_up
from jaxtro.env.scoring.boss import halved
from jaxtro.env.scoring.hands import STONE
from jaxtro.env.scoring.quantities import RANK_CHIPS
from jaxtro.env.state import Cards
from jaxtro.tables import EDITIONS, ENHANCEMENTS, HANDS, SEALS, VOUCHERS, item


def _column(rows: tuple, name: str, empty: float = 0, dtype: type = np.float64) -> np.ndarray:
    return np.array([empty] + [row.get(name, empty) for row in rows], dtype)


LUCKY, GLASS_CARD, STEEL = (ENHANCEMENTS.keys.index(key) for key in ("m_lucky", "m_glass", "m_steel"))
LUCKY_ROW, _GLASS_ROW = ENHANCEMENTS.row(LUCKY), ENHANCEMENTS.row(GLASS_CARD)
CARD_ODDS = np.array(
    [LUCKY_ROW["lucky_mult_odds"], LUCKY_ROW["lucky_money_odds"], _GLASS_ROW["break_odds"]], np.float64
)
CARD_CHIPS = _column(ENHANCEMENTS.rows, "chips", dtype=np.int32)
CARD_MULT, CARD_XMULT = _column(ENHANCEMENTS.rows, "mult"), _column(ENHANCEMENTS.rows, "xmult", 1)
STEEL_XMULT = float(ENHANCEMENTS.row(STEEL)["held_xmult"])
RED = SEALS.keys.index("Red")
EDITION_CHIPS = _column(EDITIONS.rows, "chips", dtype=np.int32)
EDITION_MULT, EDITION_XMULT = _column(EDITIONS.rows, "mult"), _column(EDITIONS.rows, "xmult", 1)
SEAL_DOLLARS = _column(SEALS.rows, "dollars", dtype=np.int32)
SEAL_REPEATS = _column(SEALS.rows, "repeats", dtype=np.int32)
# Whole numbers: sums and products are exact in float64 below 2**53.
_BASE_CHIPS = np.array([row["base_chips"] for row in HANDS.rows], np.float64)
_BASE_MULT = np.array([row["base_mult"] for row in HANDS.rows], np.float64)
_LEVEL_CHIPS = np.array([row["chips_per_level"] for row in HANDS.rows], np.float64)
_LEVEL_MULT = np.array([row["mult_per_level"] for row in HANDS.rows], np.float64)
PLANETS = np.array([item(row["planet"]) for row in HANDS.rows], np.int32)
OBSERVATORY_XMULT = float(VOUCHERS.row(VOUCHERS.keys.index("v_observatory"))["extra"])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MultAmounts:
    """What each card does to mult on every trigger: float64[N] each, in this order.

    mult (Lucky: `lucky_mult` instead, on a hit), xmult, then the edition.
    """

    mult: Array
    lucky_mult: Array
    xmult: Array
    edition_mult: Array
    edition_xmult: Array


def mult_amounts(enhancement: Array, edition: Array) -> MultAmounts:
    """The amounts of played cards; int8[N] each."""
    enhancement, edition = enhancement.astype(jnp.int32), edition.astype(jnp.int32)
    return MultAmounts(
        mult=look_up(CARD_MULT, enhancement),
        lucky_mult=jnp.where(enhancement == LUCKY, float(LUCKY_ROW["lucky_mult"]), 0.0),
        xmult=look_up(CARD_XMULT, enhancement),
        edition_mult=look_up(EDITION_MULT, edition),
        edition_xmult=look_up(EDITION_XMULT, edition),
    )


def card_chips(cards: Cards) -> Array:
    """Chips of every trigger of played cards, edition included. -> float64[N]"""
    enhancement, edition = cards.enhancement.astype(jnp.int32), cards.edition.astype(jnp.int32)
    rank = jnp.where(enhancement == STONE, 0, look_up(RANK_CHIPS, cards.rank.astype(jnp.int32)))
    chips = rank + look_up(CARD_CHIPS, enhancement) + look_up(EDITION_CHIPS, edition)
    return chips.astype(jnp.float64) + cards.bonus


def base_chips(hand: Array, level: Array) -> Array:
    """Chips of a poker hand at a level. -> float64[]"""
    chips = look_up(_BASE_CHIPS, hand) + look_up(_LEVEL_CHIPS, hand) * (level.astype(jnp.float64) - 1)
    return jnp.maximum(chips, 0.0)


def base_mult(hand: Array, level: Array) -> Array:
    """Mult of a poker hand at a level. -> float64[]"""
    mult = look_up(_BASE_MULT, hand) + look_up(_LEVEL_MULT, hand) * (level.astype(jnp.float64) - 1)
    return jnp.maximum(mult, 1.0)


def flint_mult(mult: Array, flint: Array) -> Array:
    """Base mult, halved by The Flint (at least 1)."""
    return jnp.where(flint, halved(mult, 1.0), mult)
