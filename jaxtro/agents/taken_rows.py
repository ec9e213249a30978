"""A function of rows, computed for the rows of a batch that hold something.

Of the 83 places that a decision has for cards, jokers and offers some fifteen are taken. On a CPU the network embeds
those of a batch as one list; where many rows cost little more than few (accelerators), all places are computed.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_batching import custom_vmap

from jaxtro.env.bits import members_first

Function = Callable[[Any, Any], Array]
TURN = 512  # rows embedded at once; their activations stay in a core's cache


def all_places(function: Function, weights: Any, rows: Any, taken: Array) -> Array:
    """`function(weights, rows)` where a row is taken, else zeros; every place is computed.

    Args:
      function: (weights, rows of any number) -> [number, W], each row by itself; it must not close over traced values.
      weights: pytree of arrays. rows: pytree, leading axis of P places. taken: bool[P].

    Returns:
      [P, W].
    """
    found = function(weights, rows)
    return jnp.where(taken[:, None], found, jnp.zeros((), found.dtype))


def where_taken(function: Function, weights: Any, rows: Any, taken: Array) -> Array:
    """The same for one decision of a batch: under a single `jax.vmap` the taken rows of the batch are one list.

    For batches with the same weights. Gradients reach the weights only, and only from outside of the `vmap` (JAX has no
    reverse mode for a custom rule of `vmap`); under a second `vmap` each list has a loop of its own, which costs more
    than `all_places`. Arguments as there.
    """
    one = custom_vmap(partial(all_places, function))

    @one.def_vmap
    def batch(size: int, is_batched: tuple[Any, ...], *args: Any) -> tuple[Array, bool]:
        if any(jax.tree.leaves(is_batched[0])):  # weights of each decision
            axes = jax.tree.map(lambda batched: 0 if batched else None, tuple(is_batched))
            return jax.vmap(partial(all_places, function), in_axes=axes, axis_size=size)(*args), True
        weights = args[0]
        rows, taken = jax.tree.map(
            lambda leaf, batched: leaf if batched else jnp.broadcast_to(leaf, (size, *leaf.shape)),
            tuple(args[1:]),
            tuple(is_batched[1:]),
        )
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), rows)
        found = _taken_only(function)(weights, flat, taken.reshape(-1))
        return found.reshape(*taken.shape, -1), True

    return one(weights, rows, taken)


def _taken_only(function: Function) -> Callable[[Any, Any, Array], Array]:
    """The same for a long list of rows [R], as a loop over those that are taken, with a gradient."""

    def in_turns(taken: Array, turn: Callable[[Array, Any], Any], start: Any) -> Any:
        """Calls turn(places int32[size], carry); the last ones are filled up with R, which is no row."""
        size = min(TURN, taken.shape[0])
        order = members_first(taken, size)
        count = jnp.sum(taken, dtype=jnp.int32)

        def one(now: tuple[Array, Any]) -> tuple[Array, Any]:
            first, carry = now
            return first + size, turn(lax.dynamic_slice(order, (first,), (size,)), carry)

        return lax.while_loop(lambda now: now[0] < count, one, (jnp.int32(0), start))[1]

    def some(rows: Any, places: Array) -> Any:
        return jax.tree.map(lambda leaf: leaf.at[places].get(mode="clip"), rows)

    @jax.custom_vjp
    def run(weights: Any, rows: Any, taken: Array) -> Array:
        def turn(places: Array, out: Array) -> Array:
            return out.at[places].set(function(weights, some(rows, places)), mode="drop")

        shape = jax.eval_shape(function, weights, rows)
        return in_turns(taken, turn, jnp.zeros(shape.shape, shape.dtype))

    def forward(weights: Any, rows: Any, taken: Array) -> tuple[Array, Any]:
        return run(weights, rows, taken), (weights, rows, taken)

    def backward(kept: Any, change: Array) -> tuple[Any, None, None]:
        weights, rows, taken = kept

        def turn(places: Array, total: Any) -> Any:
            its = change.at[places].get(mode="fill", fill_value=0)
            back = jax.vjp(lambda weights: function(weights, some(rows, places)), weights)[1]
            return jax.tree.map(lambda total, more: total + more.astype(total.dtype), total, back(its)[0])

        # Added up in 32 bits at least, whatever the layers compute in.
        wide = lambda leaf: jnp.zeros(leaf.shape, jnp.promote_types(leaf.dtype, jnp.float32))  # noqa: E731
        total = in_turns(taken, turn, jax.tree.map(wide, weights))
        return jax.tree.map(lambda leaf, sums: sums.astype(leaf.dtype), weights, total), None, None

    run.defvjp(forward, backward)
    return run
