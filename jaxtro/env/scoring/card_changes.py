"""Jokers that change or look at the scoring cards before they score (Midas Mask, Vampire, Ride the Bus).

Functions of `CARD_CHANGES` take the scoring cards and the gain of the joker's row, and return the
enhancements after it, what is added to the joker's stored number, and whether that number is set to 0
first. A later joker sees the changes of an earlier one.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring.view import Area
from jaxtro.tables import ENHANCEMENTS

CardChange = Callable[[Area, Array], tuple[Array, Array, Array]]
_GOLD = ENHANCEMENTS.keys.index("m_gold")


def gold_faces(scoring: Area, gain: Array) -> tuple[Array, Array, Array]:
    """Midas Mask: live scoring face cards become Gold cards."""
    enhancement = jnp.where(scoring.members & scoring.face, jnp.int8(_GOLD), scoring.cards.enhancement)
    return enhancement, jnp.zeros_like(gain), jnp.bool_(False)


def drain_enhancements(scoring: Area, gain: Array) -> tuple[Array, Array, Array]:
    """Vampire: live enhanced scoring cards lose their enhancement; gains for each."""
    drained = scoring.members & scoring.live & (scoring.cards.enhancement > 0)
    count = jnp.sum(drained, dtype=jnp.int32).astype(jnp.float64)
    return jnp.where(drained, jnp.int8(0), scoring.cards.enhancement), guard(gain * count), jnp.bool_(False)


def reset_on_face(scoring: Area, gain: Array) -> tuple[Array, Array, Array]:
    """Ride the Bus: back to 0 with a live scoring face card, else gains."""
    reset = jnp.any(scoring.members & scoring.face)
    return scoring.cards.enhancement, jnp.where(reset, 0.0, gain), reset


CARD_CHANGES: dict[str, CardChange] = {
    "gold_faces": gold_faces,
    "drain_enhancements": drain_enhancements,
    "reset_on_face": reset_on_face,
}
