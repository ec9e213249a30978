"""Writing elements of arrays at traced places."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jax.typing import ArrayLike

from jaxtro.env import bits
from jaxtro.env.calls import in_one_kernel, of_each_game

_SMALL = 64  # numbers, up to which an element is put by comparing


def put(values: Array, places: ArrayLike, new: ArrayLike) -> Array:
    """`values` with the elements at some places replaced; places outside 0 to N - 1 are left out.

    XLA's CPU backend scatters in a kernel of its own. There this is a loop inside of a kernel, which may be part of a
    larger one (`calls.in_one_kernel`); other backends scatter.

    Args:
      values: [N, ...]. places: int[] or int[K], different ones where they exist.
      new: [...] or [K, ...], turned into the type of `values`.
    """
    places = jnp.asarray(places)
    if places.dtype != jnp.int32:
        places = jnp.where((places >= 0) & (places < values.shape[0]), places, -1).astype(jnp.int32)
    new = jnp.broadcast_to(jnp.asarray(new).astype(values.dtype), (*places.shape, *values.shape[1:]))
    if places.ndim == 0 and values.size <= _SMALL:
        return bits.put(values, places, new)
    if places.ndim == 0:
        places, new = places[None], new[None]
    if values.shape[0] == 1 and places.shape[0]:
        # With a place that XLA knows, the values would not be read, which a kernel has to do with what it changes.
        hit = places == 0
        return jnp.where(jnp.any(hit), new[jnp.argmax(hit)], values)
    return _put_p.bind(values, places, new)


def add_at(values: Array, place: Array, amount: ArrayLike) -> Array:
    """`values` with an amount added at one place. values: [N]. place: int[], nothing happens outside 0 to N - 1."""
    here = jnp.arange(values.shape[0]) == place
    return values + jnp.where(here, jnp.asarray(amount).astype(values.dtype), jnp.zeros((), values.dtype))


_put_p = Primitive("put")


@_put_p.def_abstract_eval
def _shape(values: Any, places: Any, new: Any) -> Any:
    del places, new
    return values


def _scattered(values: Array, places: Array, new: Array) -> Array:
    def one(values: Array, places: Array, new: Array) -> Array:
        return values.at[places].set(new, mode="drop", wrap_negative_indices=False)

    for _ in range(places.ndim - 1):
        one = jax.vmap(one)
    return one(values, places, new)


@_put_p.def_impl
def _outside_jit(values: Array, places: Array, new: Array) -> Array:
    return jax.jit(_scattered)(values, places, new)


def _in_loop(values: Array, places: Array, new: Array) -> Array:
    lead = places.ndim - 1
    size, row = values.shape[lead], values.shape[places.ndim :]
    flat = values.reshape(-1, size, *row)
    out = _one_by_one(flat, places.reshape(flat.shape[0], -1), new.reshape(flat.shape[0], -1, *row))
    return out.reshape(values.shape)


@functools.partial(in_one_kernel, changes=(0,))
def _one_by_one(values: Array, places: Array, new: Array) -> Array:
    """values: [B, N, ...]. places: int32[B, K]. new: [B, K, ...]."""
    lists, size = values.shape[:2]
    count, row = jnp.int32(places.shape[1]), values.shape[2:]
    zeros = (jnp.int32(0),) * len(row)
    ones = (1, 1, *row)
    part = functools.partial(lax.dynamic_slice, allow_negative_indices=False)

    def write(number: Array, values: Array) -> Array:
        which, nth = lax.div(number, count), lax.rem(number, count)
        place = part(places, (which, nth), (1, 1))[0, 0]
        exists = (place >= 0) & (place < size)
        at = (which, jnp.clip(place, 0, size - 1), *zeros)
        value = jnp.where(exists, part(new, (which, nth, *zeros), ones), part(values, at, ones))
        return lax.dynamic_update_slice(values, value, at, allow_negative_indices=False)

    return lax.fori_loop(jnp.int32(0), jnp.int32(lists) * count, write, values)


def _lower_loop(values: Array, places: Array, new: Array) -> Array:
    if 0 in values.shape or 0 in new.shape:
        return values
    return _in_loop(values, places, new)


def _batch(operands: Any, dims: Any) -> Any:
    return _put_p.bind(*of_each_game(operands, dims)), 0


batching.primitive_batchers[_put_p] = _batch
mlir.register_lowering(_put_p, mlir.lower_fun(_scattered, multiple_results=False))
mlir.register_lowering(_put_p, mlir.lower_fun(_lower_loop, multiple_results=False), platform="cpu")
