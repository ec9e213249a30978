"""Blueprint and Brainstorm (scoring.md 4)."""

import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.scoring.book import Trait

_NOTHING, _LOOK_LEFT = -1, -2


def resolve(traits: Array, active: Array) -> Array:
    """The joker whose effects each place has.

    Args:
      traits: uint32[J], `JokerBook.traits` of the jokers. active: bool[J], there and not debuffed.

    Returns:
      int32[J]: the place of that joker (its own for an ordinary joker); -1 for empty and debuffed places
      and for copies of nothing: no joker there, a debuffed one on the way, a loop, one that cannot be copied.
    """
    places = active.shape[0]
    # From the right: a Blueprint has what its right neighbour has; a Brainstorm waits for the leftmost.
    end, ends = jnp.int32(_NOTHING), []
    copyable, may = jnp.bool_(False), []
    for place in reversed(range(places)):
        right = bits.has(traits[place], Trait.COPIES_RIGHT)
        left = bits.has(traits[place], Trait.COPIES_LEFTMOST)
        end = jnp.where(right, end, jnp.where(left, _LOOK_LEFT, place))
        end = jnp.where(active[place], end, _NOTHING).astype(jnp.int32)
        copyable = jnp.where(right, copyable, bits.has(traits[place], Trait.COPYABLE))
        ends.append(end)
        may.append(copyable)
    # A leftmost joker that itself ends at a Brainstorm is a loop.
    leader, leader_may = jnp.maximum(end, _NOTHING), copyable
    target = []
    for place, end, may_copy in zip(reversed(range(places)), ends, may, strict=True):
        found = jnp.where(end == _LOOK_LEFT, leader, end)
        may_copy = jnp.where(end == _LOOK_LEFT, leader_may, may_copy)
        target.append(jnp.where((found == place) | may_copy, found, _NOTHING))
    return jnp.stack(target[::-1])
