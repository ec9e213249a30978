"""Sets as the bits of numbers: small loops over few of many without sorting, and counts without running sums."""

from collections.abc import Callable
from typing import TypeVar

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

Carry = TypeVar("Carry")
_WORD = 32


def to_bits(member: Array) -> Array:
    """The set of places where `member` (bool[..., N]) is True. -> uint32[...], uint64[...] if N > 32"""
    dtype = jnp.uint32 if member.shape[-1] <= 32 else jnp.uint64
    places = jnp.arange(member.shape[-1]).astype(dtype)
    return jnp.sum(
        jnp.where(member, jnp.ones((), dtype) << places, jnp.zeros((), dtype)), axis=-1, dtype=dtype
    )


def count_before(member: Array) -> Array:
    """How many members stand before each place. bool[N] -> int32[N]

    XLA's CPU backend computes a running sum as N windows of N elements; this counts the bits of N / 32 words.
    """
    size = member.shape[0]
    words = words_of(member)
    counts = lax.population_count(words).astype(jnp.int32)
    ahead = jnp.cumsum(counts) - counts if words.shape[0] > 1 else jnp.zeros_like(counts)
    lower = (jnp.uint32(1) << jnp.arange(_WORD, dtype=jnp.uint32)) - jnp.uint32(1)
    inside = lax.population_count(words[:, None] & lower[None]).astype(jnp.int32)
    return (ahead[:, None] + inside).reshape(-1)[:size]


def members_first(member: Array, fill: int) -> Array:
    """The places of the members in order, then N, which is no place, to the end. bool[N] -> int32[N + fill]"""
    size = member.shape[0]
    at = jnp.where(member, count_before(member), size + fill)
    places = jnp.full(size + fill, size, jnp.int32)
    return places.at[at].set(jnp.arange(size, dtype=jnp.int32), mode="drop")


def words_of(member: Array) -> Array:
    """The set of places where `member` is True, in words. bool[..., N] -> uint32[..., N / 32], rounded up"""
    size = member.shape[-1]
    padded = jnp.pad(member, [(0, 0)] * (member.ndim - 1) + [(0, -size % _WORD)])
    return to_bits(padded.reshape(*member.shape[:-1], -1, _WORD))


def places_of_each(values: Array, count: int) -> Array:
    """For each number below `count`, the set of places that have it. int[N] -> uint32[count, N / 32]

    The values must be from 0 to `count` - 1. The sets are put together from their binary digits, so that N values are
    read a few times and not `count` times.
    """
    digits = max(1, (count - 1).bit_length())
    values = values.astype(jnp.uint8) if count <= 256 else values.astype(jnp.uint32)
    planes = words_of(((values[None] >> jnp.arange(digits, dtype=values.dtype)[:, None]) & 1) != 0)
    found = jnp.broadcast_to(words_of(jnp.ones(values.shape, bool)), (count, planes.shape[1]))
    for digit in range(digits):
        has_digit = np.array([(number >> digit) & 1 for number in range(count)], bool)[:, None]
        found &= jnp.where(has_digit, planes[digit][None], ~planes[digit][None])
    return found


def size_of(words: Array) -> Array:
    """How many places a set has. uint32[..., W] -> int32[...]"""
    return jnp.sum(lax.population_count(words).astype(jnp.int32), axis=-1, dtype=jnp.int32)


def only_place(member: Array) -> Array:
    """The place of the only member, 0 if there is none. bool[N] -> int32[]

    `argmax` would compare and carry along pairs of numbers, one by one.
    """
    return jnp.sum(jnp.where(member, jnp.arange(member.shape[0], dtype=jnp.int32), 0), dtype=jnp.int32)


def below(count: Array) -> Array:
    """The set of the first `count` (0 to 31) places. -> uint32[]"""
    return (jnp.uint32(1) << count.astype(jnp.uint32)) - jnp.uint32(1)


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
