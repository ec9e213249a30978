"""Batched execution: under `vmap` a stage of the step costs what the games that need it cost.

A step is a sequence of stages. Each is a function of the whole work of one game; `only_where` runs it for
the games that are active. In a batch these are gathered in chunks, only the fields that the stage reads are
gathered, and only those that it writes are put back (both are read off the stage's jaxpr). On CPUs gathering and
the stage are one kernel where they can be (`calls`), and putting back is another (a batch of one and other backends
scatter). A single game takes a branch.

A stage is a primitive of its own, not a `custom_vmap`: that would trace each stage once as a single game
before it traces the batch (measured for the whole step: 70 s of tracing instead of 20 s).
"""

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive, jaxpr_as_fun
from jax.interpreters import batching, mlir
from jax.interpreters.partial_eval import dce_jaxpr

from jaxtro.env.bits import members_of
from jaxtro.env.calls import in_one_kernel, of_each_game, written_out

Work = TypeVar("Work")
# Games of a turn: share of the batch, least, most; of stages that few games need, and of those that many need. On CPUs
# as many in every batch.
_CPU_TURNS = ((0.0, 16, 16), (0.0, 32, 32))
_ACCELERATOR_TURNS = ((1 / 16, 128, 1024), (1 / 4, 512, 4096))
# Bytes of a field that `Packing` keeps in a row of its own. On CPUs rows are cheap and joining them is not.
_CPU_LONG, _ACCELERATOR_LONG = 128, 512


def games_per_turn(games: int, often: bool) -> int:
    """How many games of a batch take part in one turn of a stage's loop.

    More games cost fewer kernels, fewer games less work for places that stay empty, and what is computed on the way
    stays in the nearest cache. On CPUs measured with 2048 games (docs/performance.md). Accelerators want wide kernels;
    their numbers are not measured yet.

    Args:
      games: in the batch. often: many of them need the stage at once.
    """
    turns = _CPU_TURNS if jax.default_backend() == "cpu" else _ACCELERATOR_TURNS
    share, least, most = turns[often]
    return min(max(int(games * share), least), most, games)


def only_where(
    active: Array,
    stage: Callable[..., Work],
    work: Work,
    *args: Any,
    chunk: int | None = None,
    often: bool = False,
) -> Work:
    """`stage(work, *args)` where active, else `work`.

    Args:
      active: bool[].
      stage: (work, *args) -> work of the same structure; it must not close over traced values.
      chunk: games per turn of the loop in a batch; None = `games_per_turn`. often: see there.
    """
    leaves, tree = jax.tree.flatten((work, args))
    leaves = [jnp.asarray(leaf) for leaf in leaves]
    count = len(jax.tree.leaves(work))
    out = _stage_p.bind(
        jnp.asarray(active),
        *leaves,
        stage=stage,
        tree=tree,
        written=count,
        chunk=chunk,
        often=often,
        batched=False,
    )
    return jax.tree.unflatten(jax.tree.structure(work), out)


_stage_p = Primitive("stage")
_stage_p.multiple_results = True


def _one_game(active: Array, *leaves: Array, stage: Any, tree: Any, written: int) -> list[Array]:
    work, args = jax.tree.unflatten(tree, leaves)
    out = lax.cond(active, lambda work: in_one_kernel(stage)(work, *args), lambda work: work, work)
    return jax.tree.leaves(out)


def _run(
    active: Array,
    *leaves: Array,
    stage: Any,
    tree: Any,
    written: int,
    chunk: int | None,
    often: bool,
    batched: bool,
    scatters: bool,
) -> Any:
    if not batched:
        return _one_game(active, *leaves, stage=stage, tree=tree, written=written)
    games = active.shape[0]
    size = games_per_turn(games, often) if chunk is None else min(chunk, games)
    # With one game XLA knows its place and would not read what is replaced, but it aborts on a kernel that does not
    # read an argument that it changes (`in_one_kernel`): a batch of one scatters.
    return _in_chunks(stage, tree, written, size, scatters or games < 2, active, list(leaves))


@_stage_p.def_abstract_eval
def _shapes(active: Any, *leaves: Any, written: int, **params: Any) -> Any:
    del active, params
    return leaves[:written]


@_stage_p.def_impl
def _outside_jit(*operands: Array, **params: Any) -> Any:
    if jax.config.values["jax_disable_jit"]:  # as `jit` does nothing then, binding once more would never end
        return _run(*operands, **params, scatters=True)
    return jax.jit(lambda *values: _stage_p.bind(*values, **params))(*operands)


# XLA's CPU backend scatters in a kernel for each row; a loop puts all of them in one.
for _scatters, _platform in ((True, None), (False, "cpu")):
    _lower = mlir.lower_fun(functools.partial(_run, scatters=_scatters), multiple_results=True)
    mlir.register_lowering(_stage_p, _lower, platform=_platform)


def _batch(operands: Any, dims: Any, *, batched: bool, **params: Any) -> Any:
    values = of_each_game(operands, dims)
    games = values[0].shape[0]
    if not batched:
        out = _stage_p.bind(*values, batched=True, **params)
        return out, [0] * len(out)
    # A batch of batches is one larger batch.
    inner = values[0].shape[1]
    flat = [value.reshape(games * inner, *value.shape[2:]) for value in values]
    out = _stage_p.bind(*flat, batched=True, **params)
    return [value.reshape(games, inner, *value.shape[1:]) for value in out], [0] * len(out)


batching.primitive_batchers[_stage_p] = _batch


def _in_chunks(
    stage: Callable[..., Any],
    tree: Any,
    written_count: int,
    size: int,
    scatters: bool,
    active: Array,
    leaves: list[Array],
) -> list[Array]:
    def flat_stage(*values: Array) -> list[Array]:
        work, args = jax.tree.unflatten(tree, values)
        return jax.tree.leaves(jax.vmap(stage)(work, *args))

    shapes = [jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype) for leaf in leaves]
    closed = jax.make_jaxpr(flat_stage)(*shapes)
    jaxpr, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
    closed = closed.replace(jaxpr=jaxpr)
    inputs, outputs = jaxpr.invars, jaxpr.outvars
    for leaf, output in zip(leaves, outputs, strict=False):
        made: Any = output.aval
        if made.dtype != leaf.dtype or made.shape[1:] != leaf.shape[1:]:
            raise TypeError(f"a stage turns {leaf.dtype}{leaf.shape[1:]} into {made}")
    written = [n for n in range(written_count) if outputs[n] is not inputs[n] and leaves[n].size]
    needed = {id(var) for equation in closed.jaxpr.eqns for var in equation.invars}
    needed |= {id(outputs[n]) for n in written}
    read = [n for n, var in enumerate(inputs) if id(var) in needed]

    members = members_of(active)
    evaluate = jaxpr_as_fun(closed)

    def some(chosen: Array, given: list[Array]) -> list[Array]:
        values = [jnp.zeros(shape.shape, shape.dtype) for shape in shapes]
        for n, value in zip(read, given, strict=True):
            values[n] = value.at[chosen].get(mode="clip", wrap_negative_indices=False)
        out = evaluate(*values)
        return [out[n] for n in written]

    in_kernel = in_one_kernel(some)

    def turn(carry: tuple[Array, list[Array]]) -> tuple[Array, list[Array]]:
        start, changing = carry
        # Written out: else each field that is moved would find the games again for itself.
        chosen = written_out(members.places(start, size))
        now = dict(zip(written, changing, strict=True))
        rows = in_kernel(chosen, [now.get(n, leaves[n]) for n in read])
        if scatters or not written:
            put = [
                value.at[chosen].set(row, mode="drop", wrap_negative_indices=False)
                for value, row in zip(changing, rows, strict=True)
            ]
        else:
            put = _put_games(changing, chosen, jnp.minimum(members.count - start, size), rows)
        return start + size, put

    start = (jnp.int32(0), [leaves[n] for n in written])
    _, changed = lax.while_loop(lambda carry: carry[0] < members.count, turn, start)
    for n, value in zip(written, changed, strict=True):
        leaves[n] = value
    return leaves[:written_count]


@functools.partial(in_one_kernel, changes=(0,))
def _put_games(whole: list[Array], chosen: Array, count: Array, rows: list[Array]) -> list[Array]:
    """Puts the first games of a turn in their places. whole: [B, ...] each. chosen: int32[C]. rows: [C, ...] each."""

    def put(nth: Array, whole: list[Array]) -> list[Array]:
        place = lax.dynamic_index_in_dim(chosen, nth, keepdims=False, allow_negative_indices=False)
        return [
            lax.dynamic_update_index_in_dim(
                value,
                lax.dynamic_index_in_dim(row, nth, allow_negative_indices=False),
                place,
                0,
                allow_negative_indices=False,
            )
            for value, row in zip(whole, rows, strict=True)
        ]

    return lax.fori_loop(jnp.int32(0), count, put, whole)


class Packing:
    """A pytree as some long rows, so that moving a game is a few copies and not hundreds.

    The fields of each part (`part_of` names it by the path of a leaf) are joined by dtype, but for the longest. Made
    from the shapes of one game; `unpack` and `repack` also work on batches (leading axes are kept).
    """

    def __init__(self, tree: Any, part_of: Callable[[tuple[Any, ...]], Any]) -> None:
        paths, self._tree = jax.tree.flatten_with_path(tree)
        self._places: list[tuple[int, int, int, tuple[int, ...]]] = []  # row, first, size, shape
        self._rows: list[tuple[Any, ...]] = []  # part, dtype, the field if it is alone
        self._is_bool = [leaf.dtype == jnp.bool_ for _, leaf in paths]
        self._number = {
            tuple(getattr(key, "name", None) for key in path): number
            for number, (path, _) in enumerate(paths)
        }
        sizes: list[int] = []
        long = _CPU_LONG if jax.default_backend() == "cpu" else _ACCELERATOR_LONG
        for number, (path, leaf) in enumerate(paths):
            # bool travels as int8
            dtype = jnp.dtype(jnp.int8) if leaf.dtype == jnp.bool_ else jnp.dtype(leaf.dtype)
            size = math.prod(leaf.shape)
            # Joining a long field with others would copy it in every stage.
            row = (part_of(path), dtype, number if size * dtype.itemsize >= long else None)
            if row not in self._rows:
                self._rows.append(row)
                sizes.append(0)
            place = self._rows.index(row)
            self._places.append((place, sizes[place], size, tuple(leaf.shape)))
            sizes[place] += size
        self._unpacked = jax.jit(self._unpack)

    def pack(self, tree: Any) -> tuple[Array, ...]:
        """The rows of a tree. -> [..., N] each"""
        return self.repack(None, None, tree)

    def repack(self, rows: tuple[Array, ...] | None, old: Any, new: Any) -> tuple[Array, ...]:
        """The rows of `new`; a row is the old one where none of its fields was replaced, and what stays in
        another is a slice of the old one.

        rows, old: what `new` was made from, `old` unpacked from `rows`.
        """
        leaves = jax.tree.leaves(new)
        before: list[Any] = [None] * len(leaves) if old is None else jax.tree.leaves(old)
        # Of each row: first place, end, the new values or None for what stays.
        parts: list[list[tuple[int, int, Array | None]]] = [[] for _ in self._rows]
        for leaf, was, (row, first, size, shape) in zip(leaves, before, self._places, strict=True):
            kept = leaf is was
            if kept and parts[row] and parts[row][-1][2] is None:
                # Neighbours that stay are one slice of the old row.
                parts[row][-1] = (parts[row][-1][0], first + size, None)
                continue
            flat = None if kept else leaf.reshape((*leaf.shape[: leaf.ndim - len(shape)], size))
            parts[row].append((first, first + size, flat))
        packed = []
        for number, (_, dtype, _) in enumerate(self._rows):
            if all(value is None for *_, value in parts[number]):
                packed.append(rows[number])  # type: ignore[index]
                continue
            fields = [
                lax.slice_in_dim(rows[number], first, end, axis=-1) if value is None else value.astype(dtype)  # type: ignore[index]
                for first, end, value in parts[number]
            ]
            packed.append(jnp.concatenate(fields, axis=-1) if len(fields) > 1 else fields[0])
        return tuple(packed)

    def unpack(self, rows: tuple[Array, ...]) -> Any:
        """The tree of some rows."""
        # One equation for each stage to trace; what it does not read is left out afterwards.
        return self._unpacked(rows)

    def _unpack(self, rows: tuple[Array, ...]) -> Any:
        return jax.tree.unflatten(
            self._tree, [self._leaf(rows, number) for number in range(len(self._places))]
        )

    def look(self, rows: tuple[Array, ...]) -> Any:
        """The tree of some rows to read a few fields of (`.todo.deal`): only those are unpacked."""
        return _Look(lambda number: self._leaf(rows, number), self._number, ())

    def _leaf(self, rows: tuple[Array, ...], leaf: int) -> Array:
        number, first, size, shape = self._places[leaf]
        row = rows[number]
        part = lax.slice_in_dim(row, first, first + size, axis=row.ndim - 1)
        part = part.reshape(*row.shape[:-1], *shape)
        return part != 0 if self._is_bool[leaf] else part


class _Look:
    """Stands for a struct of arrays whose fields are unpacked when they are read."""

    def __init__(self, leaf: Callable[[int], Array], number: dict[tuple[Any, ...], int], path: tuple) -> None:
        self._leaf, self._number, self._path = leaf, number, path

    def __getattr__(self, name: str) -> Any:
        path = (*self._path, name)
        found = self._number.get(path)
        return _Look(self._leaf, self._number, path) if found is None else self._leaf(found)
