"""One stream step and the 64-bit generator it seeds (rng.md 1.2 to 1.5)."""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.calls import in_one_kernel
from jaxtro.env.loops import any_game
from jaxtro.env.rng.constants import C2, C3, NAN_WORD, PI, TEN13, WARM_UP, WORDS, E
from jaxtro.env.rng.hash import guard
from jaxtro.env.writes import put

# uint64[..., 4]. One array, as a loop of a batch then runs one kernel a turn and not four.
Words = Array
_DROP, _A, _B, _C = (np.array(column, np.uint64) for column in zip(*WORDS, strict=True))
_KEPT = ~((np.uint64(1) << _DROP) - np.uint64(1))


def step_stream(state: Array) -> Array:
    """The next state of a stream: x rounded to 13 decimals. float64[...] -> float64[...], NaN stays NaN."""
    v = C3 + guard(state * C2)
    x = v - jnp.floor(v)
    # x is a multiple of 2**-51, so the decimal rounding is done exactly, in integers.
    m = (jnp.where(jnp.isnan(x), 0.0, x) * 2.0**51).astype(jnp.uint64)
    high, low = m >> 26, m & (2**26 - 1)
    k = (high * 1220703125 + ((low * 1220703125 + 2**37) >> 26)) >> 12
    k = k.astype(jnp.float64)
    # A divisor made per element: a constant one would become a product with its reciprocal.
    rounded = k / jnp.where(k > 1e300, 2.0, TEN13)
    return jnp.where(jnp.isnan(state), state, rounded)


def generator_seed(state: Array, seed_hash: Array) -> Array:
    """The number that seeds the generator for one use of a stream."""
    return (state + seed_hash) / 2


def _seed_words(d: Array) -> list[Array]:
    nan = jnp.isnan(d)
    value = jnp.where(nan, 0.5, d)
    words = []
    for drop, *_ in WORDS:
        value = guard(value * PI) + E
        word = lax.bitcast_convert_type(value, jnp.uint64)
        word = jnp.where(word < 2**drop, word + 2**drop, word)
        words.append(jnp.where(nan, jnp.uint64(NAN_WORD), word))
    return words


def seed_generator(d: Array) -> Words:
    """The four 64-bit words right after seeding, before the warm-up. float64[...] -> uint64[..., 4]"""
    return jnp.stack(_seed_words(d), axis=-1)


def step_generator(words: Words) -> Words:
    """One step of the generator."""
    kept = words & jnp.asarray(_KEPT)
    return (((words << jnp.asarray(_A)) ^ words) >> jnp.asarray(_B)) ^ (kept << jnp.asarray(_C))


def warm_generator(d: Array) -> Words:
    """A generator seeded with `d`, its first ten outputs thrown away."""
    return lax.fori_loop(0, WARM_UP, lambda _, words: step_generator(words), seed_generator(d))


def next_float(words: Words) -> tuple[Array, Words]:
    """The next float64 in [0, 1), and the generator after it."""
    words = step_generator(words)
    return _to_float(words[..., 0] ^ words[..., 1] ^ words[..., 2] ^ words[..., 3]), words


def _to_float(bits: Array) -> Array:
    """The float64 in [0, 1) of the generator's output. uint64[...] -> float64[...]"""
    bits = (bits & jnp.uint64(2**52 - 1)) | jnp.uint64(0x3FF0000000000000)
    return lax.bitcast_convert_type(bits, jnp.float64) - 1.0


def _leaps(drop: int, a: int, bits: int) -> list[int]:
    """How far a word's register goes in each of the fewest steps that take it `bits` further.

    A word is the last 64 bits of a shift register in which bit n + k is bit n + a xor bit n, with k = 64 - `drop`. The
    generator's step takes it c = k - b bits further; the same formula takes it up to k - a bits. The bits that a word
    drops when it is seeded only come right in a step of at most 2 k - 64 - a bits, so the first is such a one.
    """
    first, most = 64 - 2 * drop - a, 64 - drop - a
    leaps = [min(bits, first)]
    while (left := bits - sum(leaps)) > 0:
        leaps.append(min(left, most))
    return leaps


@in_one_kernel
def first_float(d: Array) -> Array:
    """The one float that most draws take from their generator. float64[...] -> float64[...]

    Each word is an array of its own here, and the steps are written out, as few as can be: the CPU backend makes one
    kernel of it that works on vectors, where words in one array become a program for one number at a time.
    """
    mixed = jnp.uint64(0)
    for word, (drop, a, b, c) in zip(_seed_words(d), WORDS, strict=True):
        for leap in _leaps(drop, a, c * (WARM_UP + 1)):
            kept = word & jnp.uint64(2**64 - 2**drop)
            word = (((word << a) ^ word) >> (b + c - leap)) ^ (kept << leap)
        mixed ^= word
    return _to_float(mixed)


def to_index(u: Array, count: Array) -> Array:
    """The element of a list that a float picks: floor(u * count), counting from 0. -> int32."""
    return jnp.floor(u * count).astype(jnp.int32)


def shuffle(order: Array, count: Array, d: Array) -> Array:
    """Shuffles `order[:count]` with the generator seeded by `d`; the rest stays.

    Args:
      order: integer[N] (small ones are faster), the list, already sorted by creation number where it holds cards.
      count: int32[], number of elements.
      d: float64[], seed of the generator.

    Returns:
      integer[N], bottom to top for a deck.
    """

    def body(carry: tuple[Array, Array, Words]) -> tuple[Array, Array, Words]:
        i, order, words = carry  # i: the place that gets its final element
        u, words = next_float(words)
        j = to_index(u, (i + 1).astype(jnp.float64))
        # Slices of one element: half the time of selections over the whole list (docs/performance.md).
        at_i, at_j = lax.dynamic_slice(order, (i,), (1,)), lax.dynamic_slice(order, (j,), (1,))
        order = put(put(order, i, at_j[0]), j, at_i[0])
        return jnp.maximum(i - 1, 0), order, words

    # In a batch the loop turns as often as the longest list of the batch asks for; in lists that are through the first
    # element changes places with itself.
    start = (jnp.maximum(jnp.asarray(count, jnp.int32) - 1, 0), order, warm_generator(d))
    return lax.while_loop(lambda carry: any_game(carry[0] > 0), body, start)[1]
