"""Compaction: under vmap, work that few games of a batch need is done for those games only."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_batching import custom_vmap


def compacted(function: Callable[..., Any], chunk: int = 128) -> Callable[..., Any]:
    """Wraps a function of pytrees so that a vmapped call costs what its active games cost.

    Plain `vmap` computes every game's value and throws most away. Here the batch rule gathers the active
    games, runs `vmap(function)` on chunks of them, and scatters the results back; games that are not active
    get zeros. Nested vmaps are flattened into one batch. Results do not depend on the batch size or on jit.

    Args:
      function: pytrees of arrays -> pytree of arrays.
      chunk: games per turn of the loop.

    Returns:
      A function (active: bool[], *arguments) -> result.
    """

    @custom_vmap
    def batch(active: Array, *args: Any) -> Any:
        """All arguments with a leading axis of games."""
        games = active.shape[0]
        size = min(chunk, games)
        count = jnp.sum(active, dtype=jnp.int32)
        place = jnp.where(active, jnp.cumsum(active, dtype=jnp.int32) - 1, games + size)
        order = jnp.full(games + size, games, jnp.int32)
        order = order.at[place].set(jnp.arange(games, dtype=jnp.int32), mode="drop")
        shapes = jax.eval_shape(jax.vmap(function), *args)

        def turn(carry: tuple[Array, Any]) -> tuple[Array, Any]:
            start, out = carry
            chosen = lax.dynamic_slice(order, (start,), (size,))
            some = jax.tree.map(lambda value: value.at[chosen].get(mode="clip"), args)
            result = jax.vmap(function)(*some)
            put = lambda whole, part: whole.at[chosen].set(part, mode="drop")  # noqa: E731
            return start + size, jax.tree.map(put, out, result)

        blank = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
        return lax.while_loop(lambda carry: carry[0] < count, turn, (jnp.int32(0), blank))[1]

    def every_batched(axis_size: int, in_batched: Any, args: Any) -> Any:
        """All arguments with the new axis in front."""
        return jax.tree.map(
            lambda is_batched, value: (
                value if is_batched else jnp.broadcast_to(value, (axis_size, *jnp.shape(value)))
            ),
            tuple(in_batched),
            tuple(args),
        )

    @batch.def_vmap
    def batch_of_batches(axis_size: int, in_batched: Any, *args: Any) -> tuple[Any, Any]:
        args = every_batched(axis_size, in_batched, args)
        games = axis_size * args[0].shape[1]
        flat = jax.tree.map(lambda value: value.reshape(games, *value.shape[2:]), args)
        out = batch(*flat)
        out = jax.tree.map(lambda value: value.reshape(axis_size, games // axis_size, *value.shape[1:]), out)
        return out, jax.tree.map(lambda _: True, out)

    @custom_vmap
    def call(active: Array, *args: Any) -> Any:
        del active
        return function(*args)

    @call.def_vmap
    def one_batch(axis_size: int, in_batched: Any, *args: Any) -> tuple[Any, Any]:
        out = batch(*every_batched(axis_size, in_batched, args))
        return out, jax.tree.map(lambda _: True, out)

    return call
