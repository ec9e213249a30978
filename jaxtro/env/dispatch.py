"""Batched execution: under `vmap` a stage of the step costs what the games that need it cost.

A step is a sequence of stages. Each is a function of the whole work of one game; `only_where` runs it for
the games that are active. In a batch these are gathered in chunks, only the fields that the stage reads are
gathered, and only those that it writes are scattered back (both are read off the stage's jaxpr). A single
game takes a branch.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_batching import custom_vmap
from jax.extend.core import jaxpr_as_fun

Work = TypeVar("Work")
CHUNK = 128


def only_where(
    active: Array, stage: Callable[..., Work], work: Work, *args: Any, chunk: int = CHUNK
) -> Work:
    """`stage(work, *args)` where active, else `work`.

    Args:
      active: bool[].
      stage: (work, *args) -> work of the same structure; it must not close over traced values.
      chunk: games per turn of the loop in a batch.
    """
    return _stage_call(stage, chunk)(active, work, args)


def _stage_call(stage: Callable[..., Any], chunk: int) -> Callable[..., Any]:
    @custom_vmap
    def batch(active: Array, work: Any, args: Any) -> Any:
        """Everything with a leading axis of games."""
        return _in_chunks(stage, chunk, active, work, args)

    def every_batched(axis_size: int, in_batched: Any, values: Any) -> Any:
        return jax.tree.map(
            lambda is_batched, value: (
                value if is_batched else jnp.broadcast_to(value, (axis_size, *jnp.shape(value)))
            ),
            in_batched,
            values,
        )

    @batch.def_vmap
    def batch_of_batches(axis_size: int, in_batched: Any, *values: Any) -> tuple[Any, Any]:
        values = every_batched(axis_size, tuple(in_batched), tuple(values))
        games = axis_size * values[0].shape[1]
        flat = jax.tree.map(lambda value: value.reshape(games, *value.shape[2:]), values)
        out = batch(*flat)
        out = jax.tree.map(lambda value: value.reshape(axis_size, games // axis_size, *value.shape[1:]), out)
        return out, jax.tree.map(lambda _: True, out)

    @custom_vmap
    def call(active: Array, work: Any, args: Any) -> Any:
        return lax.cond(active, lambda work: stage(work, *args), lambda work: work, work)

    @call.def_vmap
    def one_batch(axis_size: int, in_batched: Any, *values: Any) -> tuple[Any, Any]:
        out = batch(*every_batched(axis_size, tuple(in_batched), tuple(values)))
        return out, jax.tree.map(lambda _: True, out)

    return call


def _in_chunks(stage: Callable[..., Any], chunk: int, active: Array, work: Any, args: Any) -> Any:
    leaves, tree = jax.tree.flatten((work, args))
    written_count = len(jax.tree.leaves(work))
    games = active.shape[0]
    size = min(chunk, games)

    def flat_stage(*values: Array) -> list[Array]:
        work, args = jax.tree.unflatten(tree, values)
        return jax.tree.leaves(jax.vmap(stage)(work, *args))

    shapes = [jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype) for leaf in leaves]
    closed = jax.make_jaxpr(flat_stage)(*shapes)
    inputs, outputs = closed.jaxpr.invars, closed.jaxpr.outvars
    for leaf, output in zip(leaves, outputs, strict=False):
        if output.aval.dtype != leaf.dtype or output.aval.shape[1:] != leaf.shape[1:]:
            raise TypeError(f"a stage turns {leaf.dtype}{leaf.shape[1:]} into {output.aval}")
    written = [n for n in range(written_count) if outputs[n] is not inputs[n]]
    needed = {id(var) for equation in closed.jaxpr.eqns for var in equation.invars}
    needed |= {id(outputs[n]) for n in written}
    read = [n for n, var in enumerate(inputs) if id(var) in needed]

    count = jnp.sum(active, dtype=jnp.int32)
    place = jnp.where(active, jnp.cumsum(active, dtype=jnp.int32) - 1, games + size)
    order = jnp.full(games + size, games, jnp.int32)
    order = order.at[place].set(jnp.arange(games, dtype=jnp.int32), mode="drop")
    evaluate = jaxpr_as_fun(closed)

    def turn(carry: tuple[Array, list[Array]]) -> tuple[Array, list[Array]]:
        start, changing = carry
        now = dict(zip(written, changing, strict=True))
        chosen = lax.dynamic_slice(order, (start,), (size,))
        values = [jnp.zeros(shape.shape, shape.dtype) for shape in shapes]
        for n in read:
            values[n] = now.get(n, leaves[n]).at[chosen].get(mode="clip")
        results = evaluate(*values)
        put = [now[n].at[chosen].set(results[n], mode="drop", unique_indices=False) for n in written]
        return start + size, put

    start = (jnp.int32(0), [leaves[n] for n in written])
    _, changed = lax.while_loop(lambda carry: carry[0] < count, turn, start)
    for n, value in zip(written, changed, strict=True):
        leaves[n] = value
    return jax.tree.unflatten(tree, leaves)[0]
