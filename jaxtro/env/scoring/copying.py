"""Blueprint and Brainstorm (scoring.md 4)."""

import jax.numpy as jnp
from jax import Array

_RIGHT, _LEFTMOST = 1, 2  # values of the column `copier`
_NOTHING, _LOOK_LEFT = -1, -2


def resolve(copier: Array, active: Array, copyable: Array) -> Array:
    """The joker whose effects each place has.

    Args:
      copier: int8[J], 0 for a joker that copies none, 1 Blueprint, 2 Brainstorm.
      active: bool[J], there and not debuffed.
      copyable: bool[J], Blueprint can copy this joker.

    Returns:
      int32[J]: the place of that joker (its own for an ordinary joker); -1 for empty and debuffed places
      and for copies of nothing: no joker there, a debuffed one on the way, a loop.
    """
    places = active.shape[0]
    # From the right: a Blueprint has what its right neighbour has; a Brainstorm waits for the leftmost.
    found = [jnp.int32(_NOTHING)] * (places + 1)
    for place in reversed(range(places)):
        own = jnp.where(
            copier[place] == _RIGHT,
            found[place + 1],
            jnp.where(copier[place] == _LEFTMOST, _LOOK_LEFT, place),
        )
        found[place] = jnp.where(active[place], own, _NOTHING).astype(jnp.int32)
    # A leftmost joker that itself ends at a Brainstorm is a loop.
    leader = jnp.maximum(found[0], _NOTHING)
    target = jnp.stack([jnp.where(end == _LOOK_LEFT, leader, end) for end in found[:places]])
    may = (target == jnp.arange(places)) | copyable[jnp.maximum(target, 0)]
    return jnp.where(may, target, _NOTHING)
