"""The text hash (rng.md 1.1) and the guards that keep XLA from changing its arithmetic.

XLA fuses a product with a following sum into one rounding, and turns a division by a constant into a
product. Either would change every later draw of a stream, so each product goes through `guard` before it is
added to anything, and divisors are made per element (measured in rng.md 12).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.rng.constants import C1, PI
from jaxtro.seed_text import MAX_SEED_LENGTH

NUMBER_PLACES = 4  # of a number in a key: three digits and a minus


def guard(product: Array) -> Array:
    """Rounds a non-negative product by itself: no fused multiply-add can reach through `abs`."""
    return jnp.abs(product)


def hash_step(value: Array, byte: Array, pi_index: Array) -> Array:
    """One byte of the hash; float64. pi_index: pi times the place of the byte, counted from 1 at the text's start."""
    t = guard(guard(C1 / value) * byte)
    v = guard(t * PI) + guard(pi_index)
    return v - jnp.floor(v)


def _start(size: Array) -> Array:
    """1.0, in a way that XLA cannot see as a constant, or it would merge C1 / 1.0 with the next factor."""
    return jnp.where(size >= 0, 1.0, 2.0).astype(jnp.float64)


def hash_gapped(text: Array, present: Array) -> Array:
    """Hashes the bytes of `text` where `present` is True, as if the others were not there.

    Gaps let a text be put together by concatenating parts of fixed width, without moving a byte.

    Args:
      text: uint8[N], ASCII codes. present: bool[N].

    Returns:
      float64[]: the hash in [0, 1); 1.0 for an empty text; NaN where the game's is NaN.
    """
    size = jnp.sum(present, dtype=jnp.int32)
    start = _start(size)

    def body(carry: tuple[Array, Array], at: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        value, index = carry
        byte, there = at
        stepped = hash_step(value, byte.astype(jnp.float64), PI * index.astype(jnp.float64))
        return (jnp.where(there, stepped, value), index - there), None

    return lax.scan(body, (start, size), (text, present), reverse=True, unroll=4)[0][0]


def hash_text(text: Array, length: Array) -> Array:
    """Hashes `text[:length]`. text: uint8[N], length: int32[] -> float64[], as `hash_gapped`."""
    return hash_gapped(text, jnp.arange(text.shape[0], dtype=jnp.int32) < length)


@dataclass(frozen=True)
class KeyTexts:
    """Texts that many seeds are hashed behind, made ready by `key_texts`. W places, K keys.

    Attributes:
      codes: uint8[4, W, K]: for a number of 1 to 4 places the bytes from the right; 0 = none, 1 to 4 = the place of the
        number from the right. length: int32[K], without the number. numbered: bool[K].
    """

    codes: np.ndarray
    length: np.ndarray
    numbered: np.ndarray


def key_texts(keys: Sequence[str]) -> KeyTexts:
    """Makes keys such as "rarity{a}sho" ready for `hash_keys`; {a} stands for a number."""
    parts = [key.partition("{a}") for key in keys]
    length = [len(head) + len(tail) for head, _, tail in parts]
    numbered = [bool(mark) for _, mark, _ in parts]
    width = max(size + NUMBER_PLACES * mark for size, mark in zip(length, numbered, strict=True))
    codes = np.zeros((NUMBER_PLACES, width, len(keys)), np.uint8)
    for places in range(1, NUMBER_PLACES + 1):
        for key, (head, mark, tail) in enumerate(parts):
            middle = bytes(range(places, 0, -1)) if mark else b""
            text = (head.encode() + middle + tail.encode())[::-1]
            codes[places - 1, : len(text), key] = np.frombuffer(text, np.uint8)
    return KeyTexts(codes, np.array(length, np.int32), np.array(numbered))


def hash_keys(texts: KeyTexts, number: Array, seed: Array) -> Array:
    """The hash of many keys, each followed by the seed: the starts of their streams, in one wide computation.

    The hash walks a text from its end, so keys of one length share what the seed makes of it. The loop over the keys'
    bytes is written out, so that they stay in registers.

    Args:
      texts: of `key_texts`. number: int32[], -999..999, what {a} stands for. seed: uint8[8].

    Returns:
      float64[K].
    """
    size = jnp.sum(seed != 0, dtype=jnp.int32)
    magnitude = jnp.abs(number)
    digits = 1 + sum((magnitude >= 10**power).astype(jnp.int32) for power in range(1, NUMBER_PLACES - 1))
    places = digits + (number < 0)
    byte = [
        jnp.where(place < digits, ord("0") + magnitude // 10**place % 10, ord("-")).astype(jnp.uint8)
        for place in range(NUMBER_PLACES)
    ]
    width = texts.codes.shape[1]
    # Ready products: where the compiler can tell that a place is not negative, `abs` guards its product no more.
    pi_times = PI * np.arange(width + MAX_SEED_LENGTH + 1)
    behind = jnp.broadcast_to(_start(size), (width + 1,))
    for place in reversed(range(MAX_SEED_LENGTH)):
        of_place = jnp.asarray(pi_times[place + 1 :][: width + 1])
        stepped = hash_step(behind, seed[place].astype(jnp.float64), of_place)
        behind = jnp.where(seed[place] != 0, stepped, behind)
    lengths = texts.length + np.arange(1, NUMBER_PLACES + 1)[:, None] * texts.numbered

    def of_number(ready: np.ndarray) -> Array:
        """The row for the places that the number has."""
        row = jnp.asarray(ready[-1])
        for count in reversed(range(NUMBER_PLACES - 1)):
            row = jnp.where(places == count + 1, jnp.asarray(ready[count]), row)
        return row

    value = behind[of_number(lengths)]
    for right in range(width):
        code = of_number(texts.codes[:, right])
        text = code
        for place, digit in enumerate(byte):
            text = jnp.where(code == place + 1, digit, text)
        of_place = of_number(pi_times[np.maximum(lengths - right, 0)])
        stepped = hash_step(value, text.astype(jnp.float64), of_place)
        value = jnp.where(code != 0, stepped, value)
    return value


def hash_seed(seed: Array) -> Array:
    """The hash of a seed text alone, needed by every draw. seed: uint8[8] -> float64[]."""
    return hash_text(seed, jnp.sum(seed != 0, dtype=jnp.int32))
