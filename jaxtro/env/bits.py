"""Sets as the bits of numbers: small loops over few of many without sorting, and counts without running sums."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.lookups import element
from jaxtro.env.loops import while_loop
from jaxtro.env.reductions import int_sum

Carry = TypeVar("Carry")
_WORD = 32
_FEW_TO_COMPARE = 8
_FEW_WORDS = 256  # up to so many, sums and searches compare all with all, which is one kernel


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
    ahead = _before(counts)
    lower = (jnp.uint32(1) << jnp.arange(_WORD, dtype=jnp.uint32)) - jnp.uint32(1)
    inside = lax.population_count(words[:, None] & lower[None]).astype(jnp.int32)
    return (ahead[:, None] + inside).reshape(-1)[:size]


def members_first(member: Array, fill: int) -> Array:
    """The places of the members in order, then N, which is no place, to the end. bool[N] -> int32[N + fill]

    One scatter of all places: for long lists that are walked to their end, see `members_of` for others.
    """
    size = member.shape[0]
    at = jnp.where(member, count_before(member), size + fill)
    places = jnp.full(size + fill, size, jnp.int32)
    return places.at[at].set(jnp.arange(size, dtype=jnp.int32), mode="drop")


def nth_in_word(word: Array, nth: Array) -> Array:
    """The nth smallest element (counted from 0) of a set of at most 32. uint32[...], int32[...] -> int32[...]

    32 where the set has no such element.
    """
    # So many places have at most n members up to them. More work than halving the word, but a fifth of the program.
    up_to = np.array([(2 << place) - 1 for place in range(_WORD)], np.uint32)
    members = lax.population_count(word[..., None] & up_to).astype(jnp.int32)
    return jnp.sum(members <= nth[..., None], axis=-1, dtype=jnp.int32)


@dataclass(frozen=True)
class Members:
    """The members of a set, to be listed in order, some at a time.

    Attributes:
      size: of places. words: uint32[W], the set. ahead: int32[W], members in the words before. count: int32[].
    """

    size: int
    words: Array
    ahead: Array
    count: Array

    def places(self, first: Array | int, number: int) -> Array:
        """The places of `number` members in order, from number `first` on; `size`, which is no place, behind them.

        A search for each of the members asked for: a scatter of all places would have kernels of its own, and most
        sets of a step have few members or none.

        Returns:
          int32[number].
        """
        nth = first + jnp.arange(number, dtype=jnp.int32)
        if self.size == 0:
            return jnp.zeros(number, jnp.int32)
        if self.words.shape[0] == 1:
            return jnp.where(nth < self.count, nth_in_word(self.words[0], nth), self.size)
        if self.words.shape[0] <= _FEW_WORDS:
            word = int_sum(self.ahead[None] <= nth[:, None]) - 1
        else:
            word = jnp.searchsorted(self.ahead, nth, side="right").astype(jnp.int32) - 1
        inside = nth_in_word(_looked_up(self.words, word), nth - _looked_up(self.ahead, word))
        return jnp.where(nth < self.count, word * _WORD + inside, self.size)


def _looked_up(values: Array, at: Array) -> Array:
    """values[at]; of few values by comparing, which XLA fuses with what follows, as it does not with a gather."""
    if values.shape[0] > _FEW_TO_COMPARE:
        return element(values, at)
    here = at[:, None] == jnp.arange(values.shape[0], dtype=at.dtype)
    return jnp.sum(jnp.where(here, values, 0), axis=-1, dtype=values.dtype)


def members_of(member: Array) -> Members:
    """The set of places where `member` (bool[N]) is True, to be listed."""
    words = words_of(member)
    counts = lax.population_count(words).astype(jnp.int32)
    ahead = _before(counts)
    count = ahead[-1] + counts[-1] if member.shape[0] else jnp.int32(0)
    return Members(member.shape[0], words, ahead, count)


def _before(counts: Array) -> Array:
    """The sum of all counts before each. int32[W] -> int32[W]"""
    if counts.shape[0] > _FEW_WORDS:
        return jnp.cumsum(counts) - counts
    return int_sum(counts[None] * np.tri(counts.shape[0], k=-1, dtype=np.int32))


def words_of(member: Array) -> Array:
    """The set of places where `member` is True, in words. bool[..., N] -> uint32[..., N / 32], rounded up"""
    size = member.shape[-1]
    padded = jnp.pad(member, [(0, 0)] * (member.ndim - 1) + [(0, -size % _WORD)])
    return to_bits(padded.reshape(*member.shape[:-1], -1, _WORD))


def set_of(places: Array, member: Array, size: int) -> Array:
    """The set of the numbers of a list. int[N], bool[N] (which count) -> uint32[size / 32], rounded up

    Numbers outside 0 to `size` - 1 are left out. XLA's CPU backend would scatter them one by one.
    """
    number = places.astype(jnp.uint32)
    words = jnp.arange(-(-size // _WORD), dtype=jnp.uint32)
    bit = jnp.where(member & (number < size), jnp.uint32(1) << (number % _WORD), jnp.uint32(0))
    in_word = jnp.where(words[:, None] == (number // _WORD)[None], bit[None], jnp.uint32(0))
    return lax.reduce(in_word, jnp.uint32(0), lax.bitwise_or, (1,))


def members_in(words: Array, size: int) -> Array:
    """Which places are in a set: what `words_of` was made from. uint32[..., W] -> bool[..., size]"""
    bits = (words[..., None] >> jnp.arange(_WORD, dtype=jnp.uint32)) & 1
    return (bits != 0).reshape(*words.shape[:-1], -1)[..., :size]


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
    return int_sum(lax.population_count(words).astype(jnp.int32))


def below(count: Array) -> Array:
    """The set of the first `count` (0 to 31) places. int[...] -> uint32[...]"""
    return (jnp.uint32(1) << count.astype(jnp.uint32)) - jnp.uint32(1)


def lowest(bits: Array) -> Array:
    """The smallest element of a set that is not empty. -> int32"""
    one = jnp.ones((), bits.dtype)
    return lax.population_count((bits & (~bits + one)) - one).astype(jnp.int32)


def without_lowest(bits: Array) -> Array:
    """The set without its smallest element."""
    return bits & (bits - jnp.ones((), bits.dtype))


def below_highest(bits: Array) -> Array:
    """All numbers below the largest element of a set; none if it is empty. uint32[...] -> uint32[...]"""
    # A shift by 32, for the empty set, leaves nothing.
    return lax.shift_right_logical(jnp.full_like(bits, 0x7FFFFFFF), lax.clz(bits))


def highest(bits: Array) -> Array:
    """The largest element of a set that is not empty. uint[...] -> int32[...]"""
    return bits.dtype.itemsize * 8 - 1 - lax.clz(bits).astype(jnp.int32)


def without(bits: Array, place: Array) -> Array:
    """The set without an element. uint[] -> uint[]"""
    return bits & ~(jnp.ones((), bits.dtype) << place.astype(bits.dtype))


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

    return while_loop(lambda now: now[0] != 0, turn, (bits, carry))[1]


def put(array: Array, place: Array, value: Array) -> Array:
    """A short array [N, ...] with one element replaced; nothing changes where the place does not exist.

    A selection: XLA fuses it with the selection that a loop over a batch makes anyway, and cannot fuse a scatter.
    `writes.put` is for arrays of any length.
    """
    here = (jnp.arange(array.shape[0]) == place).reshape(-1, *[1] * (array.ndim - 1))
    return jnp.where(here, value.astype(array.dtype), array)


def union(sets: Array) -> Array:
    """All elements of several sets: uint[N] -> uint[]."""
    return lax.reduce(sets, jnp.zeros((), sets.dtype), lax.bitwise_or, (0,))
