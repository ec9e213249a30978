"""Values that are computed once, although several kernels read them."""

from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax

Values = TypeVar("Values")


def written_out(values: Values, never: Array) -> Values:
    """The same values, written out where they are made.

    XLA's CPU backend fuses what is cheap by itself into each of its readers, and so computes it again for each; what a
    loop carries it writes out. This loop never turns, which the compiler cannot know (it drops
    `lax.optimization_barrier`, and loops that it can see through).

    Args:
      values: a pytree. never: bool[], False in fact; best of something that a batch shares.
    """

    def turn(carry: tuple[Array, Values]) -> tuple[Array, Values]:
        going, now = carry
        return jnp.bool_(False), jax.tree.map(
            lambda value: jnp.where(going, value, jnp.zeros_like(value)), now
        )

    return lax.while_loop(lambda carry: carry[0], turn, (never, values))[1]
