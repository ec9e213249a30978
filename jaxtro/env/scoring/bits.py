"""Sets of up to 64 things as the bits of one number: small loops over few of many, without sorting."""

from collections.abc import Callable
from typing import TypeVar

import jax.numpy as jnp
from jax import Array, lax

Carry = TypeVar("Carry")


def to_bits(member: Array) -> Array:
    """The set of places where `member` (bool[..., N]) is True. -> uint32[...], uint64[...] if N > 32"""
    dtype = jnp.uint32 if member.shape[-1] <= 32 else jnp.uint64
    places = jnp.arange(member.shape[-1]).astype(dtype)
    return jnp.sum(
        jnp.where(member, jnp.ones((), dtype) << places, jnp.zeros((), dtype)), axis=-1, dtype=dtype
    )


def lowest(bits: Array) -> Array:
    """The smallest element of a set that is not empty. -> int32"""
    one = jnp.ones((), bits.dtype)
    return lax.population_count((bits & (~bits + one)) - one).astype(jnp.int32)


def without_lowest(bits: Array) -> Array:
    """The set without its smallest element."""
    return bits & (bits - jnp.ones((), bits.dtype))


def has(bits: Array, place: Array | int) -> Array:
    """Whether an element is in the set. -> bool"""
    place = jnp.asarray(int(place) if isinstance(place, int) else place)
    return ((bits >> place.astype(bits.dtype)) & jnp.ones((), bits.dtype)) != 0


def for_each(bits: Array, body: Callable[[Array, Carry], Carry], carry: Carry) -> Carry:
    """Calls `body(element, carry)` for the elements of a set, smallest first.

    In a batch the loop turns as often as the largest set of the batch asks for.
    """

    def turn(now: tuple[Array, Carry]) -> tuple[Array, Carry]:
        left, carry = now
        return without_lowest(left), body(lowest(left), carry)

    return lax.while_loop(lambda now: now[0] != 0, turn, (bits, carry))[1]


def put(array: Array, place: Array, value: Array) -> Array:
    """An array with one element replaced; in a batch this writes in place."""
    return lax.dynamic_update_slice(array, value[None].astype(array.dtype), (place,))


def union(sets: Array) -> Array:
    """All elements of several sets: uint[N] -> uint[]."""
    return lax.reduce(sets, jnp.zeros((), sets.dtype), lax.bitwise_or, (0,))
