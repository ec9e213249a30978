"""Compaction: under vmap, work that few games of a batch need is done for those games only.

The same idea as `dispatch.py`, for functions of few values inside a rule.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from jaxtro.env.bits import members_of
from jaxtro.env.calls import written_out
from jaxtro.env.reductions import any_of
from jaxtro.env.writes import put


def compacted(function: Callable[..., Any], chunk: int = 160) -> Callable[..., Any]:
    """Wraps a function of pytrees so that a vmapped call costs what its active games cost.

    Plain `vmap` computes every game's value and throws most away. Here the batch rule gathers the active
    games, runs `vmap(function)` on chunks of them, and scatters the results back; games that are not active
    get zeros. A batch of one turn is computed as it is, or not at all if none of its games is active. Nested vmaps are
    flattened into one batch. Results do not depend on the batch size or on jit.

    Args:
      function: pytrees of arrays -> pytree of arrays; it must not close over traced values, and must end for games
        that are not active, too.
      chunk: games per turn of the loop.

    Returns:
      A function (active: bool[], *arguments) -> result.
    """

    def call(active: Array, *args: Any) -> Any:
        leaves, tree = jax.tree.flatten(args)
        leaves = [jnp.asarray(leaf) for leaf in leaves]
        shapes = jax.eval_shape(function, *args)
        out_leaves, out_tree = jax.tree.flatten(shapes)
        out = _compacted_p.bind(
            jnp.asarray(active), *leaves, function=function, tree=tree, shapes=tuple(out_leaves), chunk=chunk,
            shared=(1,) * len(leaves), batched=False,
        )  # fmt: skip
        return jax.tree.unflatten(out_tree, out)

    return call


_compacted_p = Primitive("compacted")
_compacted_p.multiple_results = True


def _run(
    active: Array, *leaves: Array, function: Any, tree: Any, shapes: Any, chunk: int, shared: tuple[int, ...],
    batched: bool,
) -> Any:  # fmt: skip
    """`shared`: for every leaf, how many games in a row have the same row of it."""
    if not batched:
        return jax.tree.leaves(function(*jax.tree.unflatten(tree, leaves)))
    games = active.shape[0]
    if games <= chunk:
        return _all_at_once(active, leaves, function, tree, shapes, shared)
    size = chunk
    members = members_of(active)

    def turn(carry: tuple[Array, list[Array]]) -> tuple[Array, list[Array]]:
        start, out = carry
        chosen = written_out(members.places(start, size))  # as in `dispatch.py`
        some = [
            value.at[chosen // games_of_row if games_of_row > 1 else chosen].get(
                mode="clip", wrap_negative_indices=False
            )
            for value, games_of_row in zip(leaves, shared, strict=True)
        ]
        result = jax.tree.leaves(jax.vmap(function)(*jax.tree.unflatten(tree, some)))
        out = [put(whole, chosen, part) for whole, part in zip(out, result, strict=True)]
        return start + size, out

    blank = [jnp.zeros((games, *shape.shape), shape.dtype) for shape in shapes]
    return lax.while_loop(lambda carry: carry[0] < members.count, turn, (jnp.int32(0), blank))[1]


def _all_at_once(
    active: Array, leaves: tuple[Array, ...], function: Any, tree: Any, shapes: Any, shared: tuple[int, ...]
) -> list[Array]:
    """For batches of one turn: nothing to gather, but still nothing to do where no game is active."""
    games = active.shape[0]

    def turn(carry: tuple[Array, list[Array], list[Array]]) -> tuple[Array, list[Array], list[Array]]:
        _, given, _ = carry
        some = [
            jnp.broadcast_to(value[:, None], (value.shape[0], games_of_row, *value.shape[1:])).reshape(
                games, *value.shape[1:]
            )
            for value, games_of_row in zip(given, shared, strict=True)
        ]
        result = jax.tree.leaves(jax.vmap(function)(*jax.tree.unflatten(tree, some)))
        out = [
            jnp.where(active.reshape(-1, *[1] * (part.ndim - 1)), part, jnp.zeros((), part.dtype))
            for part in result
        ]
        # What stayed the same XLA would compute before the loop, for every batch.
        return jnp.bool_(False), [jnp.zeros_like(value) for value in given], out

    blank = [jnp.zeros((games, *shape.shape), shape.dtype) for shape in shapes]
    return lax.while_loop(lambda carry: carry[0], turn, (any_of(active), list(leaves), blank))[2]


@_compacted_p.def_abstract_eval
def _out_shapes(active: Any, *leaves: Any, shapes: Any, batched: bool, **params: Any) -> Any:
    del leaves, params
    lead = active.shape if batched else ()
    return [jax.core.ShapedArray((*lead, *shape.shape), shape.dtype) for shape in shapes]


@_compacted_p.def_impl
def _outside_jit(*operands: Array, **params: Any) -> Any:
    return _run(*operands, **params)


mlir.register_lowering(_compacted_p, mlir.lower_fun(_run, multiple_results=True))


def _batch(operands: Any, dims: Any, *, shared: tuple[int, ...], batched: bool, **params: Any) -> Any:
    games = next(
        value.shape[dim] for value, dim in zip(operands, dims, strict=True) if dim is not batching.not_mapped
    )
    active, *leaves = (
        value if dim is batching.not_mapped else jnp.moveaxis(value, dim, 0)
        for value, dim in zip(operands, dims, strict=True)
    )
    is_mapped = [dim is not batching.not_mapped for dim in dims]
    active = active if is_mapped[0] else jnp.broadcast_to(active, (games, *active.shape))
    inner = active.shape[1] if batched else 1
    values, now_shared = [active.reshape(-1) if batched else active], []
    # A batch of batches is one larger batch; what all its games share is kept once.
    for value, mapped, before in zip(leaves, is_mapped[1:], shared, strict=True):
        if not mapped and before == inner:
            values.append(value if batched else value[None])
            now_shared.append(before * games)
            continue
        whole = value if mapped else jnp.broadcast_to(value, (games, *value.shape))
        values.append(whole.reshape(-1, *whole.shape[2:]) if batched else whole)
        now_shared.append(before)
    out = _compacted_p.bind(*values, shared=tuple(now_shared), batched=True, **params)
    if batched:
        out = [value.reshape(games, inner, *value.shape[1:]) for value in out]
    return out, [0] * len(out)


batching.primitive_batchers[_compacted_p] = _batch
