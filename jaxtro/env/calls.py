"""Functions that are compiled once, however often a program calls them.

XLA inlines every function, and then its CPU backend fuses what is cheap into each of its readers: a random draw of 400
operations stood in 147 kernels of a step. A function wrapped here stays a computation of its own. Its arguments and
results are written out, it is traced and optimised once for each set of shapes, and its kernels are shared by all calls.

Other backends inline it as usual (not measured there).
"""

import functools
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jaxlib.mlir import ir

Function = TypeVar("Function", bound=Callable[..., Any])
Values = TypeVar("Values")


class _Computation:
    """A function of leaves, and what `vmap` makes of it; one object for each, as jit keeps traces by identity."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.jitted = jax.jit(function)

    @functools.cached_property
    def batched(self) -> "_Computation":
        return _Computation(jax.vmap(self._function))


_call_p = Primitive("call_once")
_call_p.multiple_results = True


@_call_p.def_impl
def _outside_jit(*operands: Array, computation: _Computation) -> list[Array]:
    return computation.jitted(*operands)


@_call_p.def_abstract_eval
def _shapes(*operands: Any, computation: _Computation) -> list[Any]:
    shapes = [jax.ShapeDtypeStruct(operand.shape, operand.dtype) for operand in operands]
    return [jax.core.ShapedArray(out.shape, out.dtype) for out in jax.eval_shape(computation.jitted, *shapes)]


def _batch(operands: Any, dims: Any, *, computation: _Computation) -> Any:
    games = next(
        value.shape[dim] for value, dim in zip(operands, dims, strict=True) if dim is not batching.not_mapped
    )
    # What all games share is written out for each of them: else it would be another computation.
    values = [
        jnp.broadcast_to(value, (games, *jnp.shape(value)))
        if dim is batching.not_mapped
        else jnp.moveaxis(value, dim, 0)
        for value, dim in zip(operands, dims, strict=True)
    ]
    out = _call_p.bind(*values, computation=computation.batched)
    return out, [0] * len(out)


mlir.register_lowering(
    _call_p, mlir.lower_fun(lambda *operands, computation: computation.jitted(*operands), multiple_results=True)
)


def _lower_called(ctx: Any, *operands: Any, computation: _Computation) -> Any:
    results = mlir.lower_fun(computation.jitted, multiple_results=True)(ctx, *operands)
    call = mlir.flatten_ir_values(results)[0].owner
    call.attributes["mhlo.frontend_attributes"] = ir.DictAttr.get({"inlineable": ir.StringAttr.get("false")})
    return results


batching.primitive_batchers[_call_p] = _batch
mlir.register_lowering(_call_p, _lower_called, platform="cpu")


def compiled_once(function: Function) -> Function:
    """A function of pytrees of arrays that a program contains once for each set of shapes.

    Worth it for what is called from several places, and for what several readers need. Everything that is given is
    written out before: give it only what it reads, and nothing that XLA should see as a constant.

    Args:
      function: pytrees of arrays -> pytree of arrays; it must not close over traced values.
    """
    computations: dict[Hashable, tuple[_Computation, _Results]] = {}

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        leaves, tree = jax.tree.flatten(args)
        leaves = [jnp.asarray(leaf) for leaf in leaves]
        key = (tree, *((leaf.shape, leaf.dtype) for leaf in leaves))
        if key not in computations:
            results = _Results()

            def flat(*values: Array) -> list[Array]:
                return results.note(function(*jax.tree.unflatten(tree, values)), values)

            computations[key] = _Computation(flat), results
        computation, results = computations[key]
        return results.restored(_call_p.bind(*leaves, computation=computation), leaves)

    return call  # type: ignore[return-value]


class _Results:
    """What a function gave back when it was traced: its structure, and which of its leaves it was given."""

    def __init__(self) -> None:
        self._tree: Any = None
        self._given: list[int | None] = []

    def note(self, out: Any, values: tuple[Array, ...]) -> list[Array]:
        """-> the leaves that are new"""
        leaves, self._tree = jax.tree.flatten(out)
        places = {id(value): place for place, value in enumerate(values)}
        self._given = [places.get(id(leaf)) for leaf in leaves]
        return [jnp.asarray(leaf) for leaf, place in zip(leaves, self._given, strict=True) if place is None]

    def restored(self, new: list[Array], values: list[Array]) -> Any:
        """What the function gave back, in a call with other values: what it only passed on is not written again."""
        left = iter(new)
        return jax.tree.unflatten(
            self._tree, [next(left) if place is None else values[place] for place in self._given]
        )


_SAME = _Computation(lambda *values: list(values))


def written_out(values: Values) -> Values:
    """The same values, written out where they are made, and not computed again by each of their readers.

    Args:
      values: a pytree of arrays.
    """
    leaves, tree = jax.tree.flatten(values)
    return jax.tree.unflatten(tree, _call_p.bind(*map(jnp.asarray, leaves), computation=_SAME))
