"""Loops that turn once or never: what a batch computes only if it must, and what it computes only once."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax

Values = TypeVar("Values")


def once_where(needed: Array, function: Callable[[Values], Values], values: Values) -> Values:
    """`function(values)` where needed, else `values`; a batch in which no game needs it does not compute it at all.

    Args:
      needed: bool[]. function: what it works on has to be in `values`: XLA moves what stays the same out of a loop, and
        then computes it for every batch.
    """
    return lax.while_loop(
        lambda now: now[0], lambda now: (jnp.bool_(False), function(now[1])), (needed, values)
    )[1]


def written_out(values: Values, never: Array) -> Values:
    """The same values, written out where they are made.

    XLA's CPU backend fuses what is cheap by itself into each of its readers, and so computes it again for each; what a
    loop carries it writes out. This loop never turns, which the compiler cannot know (it drops
    `lax.optimization_barrier`, and loops that it can see through).

    Other backends get the values as they are: a loop costs more there, and they were not measured.

    Args:
      values: a pytree. never: bool[], False in fact; best of something that a batch shares.
    """
    if jax.default_backend() != "cpu":
        return values

    def turn(carry: tuple[Array, Values]) -> tuple[Array, Values]:
        going, now = carry
        return jnp.bool_(False), jax.tree.map(
            lambda value: jnp.where(going, value, jnp.zeros_like(value)), now
        )

    return lax.while_loop(lambda carry: carry[0], turn, (never, values))[1]
