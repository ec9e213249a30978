"""Compaction: under vmap, work that few games of a batch need is done for those games only."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_batching import custom_vmap


def compacted(function: Callable[..., Array], chunk: int = 128) -> Callable[..., Array]:
    """Wraps a function of arrays so that a vmapped call costs what its active games cost.

    Plain `vmap` computes every game's value and throws most away. Here the batch rule gathers the active
    games, runs `vmap(function)` on chunks of them, and scatters the results back; games that are not active
    get 0. Results do not depend on the batch size or on jit.

    Args:
      function: arrays -> one array.
      chunk: games per turn of the loop.

    Returns:
      A function (active: bool[], *arrays) -> array.
    """

    @custom_vmap
    def call(active: Array, *args: Array) -> Array:
        del active
        return function(*args)

    @call.def_vmap
    def rule(axis_size: int, in_batched: Any, active: Array, *args: Array) -> tuple[Array, bool]:
        batched = [
            value if is_batched else jnp.broadcast_to(value, (axis_size, *jnp.shape(value)))
            for value, is_batched in zip((active, *args), in_batched, strict=True)
        ]
        active, args = batched[0], tuple(batched[1:])
        size = min(chunk, axis_size)
        count = jnp.sum(active, dtype=jnp.int32)
        place = jnp.where(active, jnp.cumsum(active, dtype=jnp.int32) - 1, axis_size + size)
        games = jnp.arange(axis_size, dtype=jnp.int32)
        order = jnp.full(axis_size + size, axis_size, jnp.int32).at[place].set(games, mode="drop")
        shape = jax.eval_shape(jax.vmap(function), *args)

        def turn(carry: tuple[Array, Array]) -> tuple[Array, Array]:
            start, out = carry
            chosen = lax.dynamic_slice(order, (start,), (size,))
            result = jax.vmap(function)(*(value.at[chosen].get(mode="clip") for value in args))
            return start + size, out.at[chosen].set(result, mode="drop")

        start = (jnp.int32(0), jnp.zeros(shape.shape, shape.dtype))
        _, out = lax.while_loop(lambda carry: carry[0] < count, turn, start)
        return out, True

    return call
