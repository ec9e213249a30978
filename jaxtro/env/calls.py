"""Functions that XLA's CPU backend makes one kernel of.

That backend inlines every function, fuses what is cheap into each of its readers, and makes a kernel of each fusion: a
loop of steps was 3,600 kernels, and compiling took 27 ms for each. A function wrapped by `in_one_kernel` stays a
computation of its own and becomes one kernel with all its loops: a third of the kernels, and nothing to be started for
each of its operations (docs/performance.md).

XLA knows this as a small call, its own way to run little loops (`xla_cpu_small_call`). Other backends inline the
function as usual, and take `written_out` for an optimization barrier (not measured there).
"""

import functools
import inspect
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jaxlib.mlir import ir

Function = TypeVar("Function", bound=Callable[..., Any])
Values = TypeVar("Values")

# What a kernel may do, without "stablehlo.". Scatters and sorts cannot be part of one (`writes.put` can).
_IN_KERNELS = {
    "abs", "add", "and", "atan2", "bitcast_convert", "broadcast_in_dim", "ceil", "clamp", "compare", "concatenate",
    "constant", "convert", "count_leading_zeros", "divide", "dynamic_slice", "dynamic_update_slice", "exponential",
    "exponential_minus_one", "floor", "gather", "iota", "is_finite", "log", "log_plus_one", "maximum", "minimum",
    "multiply", "negate", "not", "or", "pad", "popcnt", "power", "reduce", "reduce_window", "remainder", "reshape",
    "return", "reverse", "round_nearest_afz", "round_nearest_even", "rsqrt", "select", "shift_left",
    "shift_right_arithmetic", "shift_right_logical", "sign", "slice", "sqrt", "subtract", "tanh", "transpose", "while",
    "xor",
}  # fmt: skip


class _Computation:
    """A function of leaves, and what `vmap` makes of it; one object for each, as jit keeps traces by identity.

    Attributes:
      jitted: the function. called: the same with more results, as a call has to have.
      one_kernel: it becomes a kernel if it can.
    """

    def __init__(
        self, function: Callable[..., list[Array]], one_kernel: bool, changed: tuple[bool, ...] = ()
    ) -> None:
        self._function, self._changed = function, changed
        self.one_kernel = one_kernel
        self.jitted = jax.jit(function)

        # Never a single result: XLA may split that over threads, which it cannot do inside a kernel. And XLA fails on
        # arguments that a kernel does not read, so they are results, too; that costs nothing but where one is changed
        # in place.
        def called(*values: Array) -> list[Array]:
            kept = (
                [value for value, inside in zip(values, changed, strict=True) if not inside]
                if one_kernel
                else []
            )
            return [*self.jitted(*values), *kept, jnp.int32(0)]

        self.called = jax.jit(called)

    @functools.cached_property
    def batched(self) -> "_Computation":
        return _Computation(jax.vmap(self._function), self.one_kernel, self._changed)


_call_p = Primitive("call_once")
_call_p.multiple_results = True


@_call_p.def_impl
def _outside_jit(*operands: Array, computation: _Computation) -> list[Array]:
    return computation.jitted(*operands)


@_call_p.def_abstract_eval
def _shapes(*operands: Any, computation: _Computation) -> list[Any]:
    shapes = [jax.ShapeDtypeStruct(operand.shape, operand.dtype) for operand in operands]
    return [jax.core.ShapedArray(out.shape, out.dtype) for out in jax.eval_shape(computation.jitted, *shapes)]


def of_each_game(operands: Any, dims: Any) -> list[Array]:
    """The operands of a batch rule with the games in front; what all games share is there for each of them."""
    games = next(
        value.shape[dim] for value, dim in zip(operands, dims, strict=True) if dim is not batching.not_mapped
    )
    return [
        jnp.broadcast_to(value, (games, *jnp.shape(value)))
        if dim is batching.not_mapped
        else jnp.moveaxis(value, dim, 0)
        for value, dim in zip(operands, dims, strict=True)
    ]


def _batch(operands: Any, dims: Any, *, computation: _Computation) -> Any:
    # What games share is no argument of another kind: that would be another computation.
    out = _call_p.bind(*of_each_game(operands, dims), computation=computation.batched)
    return out, [0] * len(out)


def _lower_inlined(*operands: Array, computation: _Computation) -> list[Array]:
    return (
        computation.jitted(*operands) if computation.one_kernel else lax.optimization_barrier(list(operands))
    )


def _lower_called(ctx: Any, *operands: Any, computation: _Computation) -> Any:
    wider = ctx.replace(avals_out=None)
    results = mlir.lower_fun(computation.called, multiple_results=True)(wider, *operands)
    call: Any = mlir.flatten_ir_values(results)[0].owner
    if getattr(call, "name", None) != "func.call":  # without jit (`jax.disable_jit`) there is no call
        return results[: len(ctx.avals_out)]
    attributes: dict[str, ir.Attribute] = {"inlineable": ir.StringAttr.get("false")}
    if computation.one_kernel and _fits_kernel(call, ctx.module_context.symbol_table):
        attributes["xla_cpu_small_call"] = ir.StringAttr.get("true")
    call.attributes["mhlo.frontend_attributes"] = ir.DictAttr.get(attributes)
    return results[: len(ctx.avals_out)]


def _fits_kernel(call: ir.Operation, symbols: ir.SymbolTable) -> bool:
    """Whether all that a call does can be part of a kernel."""
    seen, fits = set(), True

    def visit(operation: Any) -> ir.WalkResult:
        nonlocal fits
        name = operation.name
        if name == "func.call":
            callee = ir.FlatSymbolRefAttr(operation.attributes["callee"]).value
            if callee not in seen:
                seen.add(callee)
                symbols[callee].operation.walk(visit)
        elif name not in ("func.func", "func.return"):
            fits &= name.removeprefix("stablehlo.") in _IN_KERNELS
        return ir.WalkResult.ADVANCE

    visit(call)
    return fits


batching.primitive_batchers[_call_p] = _batch
mlir.register_lowering(_call_p, mlir.lower_fun(_lower_inlined, multiple_results=True))
mlir.register_lowering(_call_p, _lower_called, platform="cpu")


def in_one_kernel(function: Function, changes: tuple[int, ...] = ()) -> Function:
    """A function of pytrees of arrays as one kernel of XLA's CPU backend.

    For whole steps of work on few games (a kernel runs on one core), and for what several readers need: everything that
    is given and that comes back is written out.

    Args:
      function: pytrees of arrays -> pytree of arrays; it must not close over traced values. If it does what a kernel
        cannot (sorting, scattering), it is a call of several kernels.
      changes: numbers of arguments that are changed in place. The function has to read all their leaves, whatever the
        shapes are and even if all other arguments are constants: XLA aborts the process if it does not.
    """
    computations: dict[Hashable, tuple[_Computation, _Results]] = {}
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        args = signature.bind(*args, **named).args if named else args
        leaves, tree = jax.tree.flatten(args)
        # With their dtype: no weak types, which shapes do not tell.
        leaves = [jnp.asarray(leaf, jnp.result_type(leaf)) for leaf in leaves]
        key = (tree, *((leaf.shape, leaf.dtype) for leaf in leaves))
        if key not in computations:
            results = _Results()

            def flat(*values: Array) -> list[Array]:
                return results.note(function(*jax.tree.unflatten(tree, values)), values)

            changed = [number in changes for number, arg in enumerate(args) for _ in jax.tree.leaves(arg)]
            computations[key] = _Computation(flat, True, tuple(changed)), results
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


_SAME = _Computation(lambda *values: list(values), one_kernel=False)


def written_out(values: Values) -> Values:
    """The same values, written out where they are made, and not computed again by each of their readers.

    Args:
      values: a pytree of arrays.
    """
    leaves, tree = jax.tree.flatten(values)
    return jax.tree.unflatten(tree, _call_p.bind(*map(jnp.asarray, leaves), computation=_SAME))
