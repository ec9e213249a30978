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

from jaxtro.env.bits import count_before
from jaxtro.env.rng.constants import C1, PI
from jaxtro.seed_text import MAX_SEED_LENGTH

_KEYS_AT_ONCE = 32  # of `hash_keys`: fewer walk fewer places that most of them do not have


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
    of_places = PI * (count_before(present) + 1).astype(jnp.float64)

    def body(value: Array, at: tuple[Array, Array, Array]) -> tuple[Array, None]:
        byte, there, of_place = at
        return jnp.where(there, hash_step(value, byte, of_place), value), None

    return lax.scan(body, _start(size), (text.astype(jnp.float64), present, of_places), reverse=True)[0]


def hash_text(text: Array, length: Array) -> Array:
    """Hashes `text[:length]`. text: uint8[N], length: int32[] -> float64[], as `hash_gapped`."""
    return hash_gapped(text, jnp.arange(text.shape[0], dtype=jnp.int32) < length)


@dataclass(frozen=True)
class KeyTexts:
    """Texts that many seeds are hashed behind, made ready by `key_texts`.

    Attributes:
      length: int[K], of each text. groups: of neighbours that are hashed together, K' texts each: their bytes as
        numbers from the right, float64[W, K'] with 0 for none and -1 for the digit, and pi times the places of
        these bytes.
    """

    length: np.ndarray
    groups: tuple[tuple[np.ndarray, np.ndarray], ...]


def key_texts(keys: Sequence[str]) -> KeyTexts:
    """Makes keys such as "rarity{a}sho" ready for `hash_keys`; {a} stands for a digit. Best sorted by length."""
    texts = [key.replace("{a}", "\0").encode()[::-1] for key in keys]
    groups = []
    for group in np.array_split(np.arange(len(keys)), -(-len(keys) // _KEYS_AT_ONCE)):
        length = np.array([len(texts[key]) for key in group])
        codes = np.zeros((length.max(), len(group)))
        for column, key in enumerate(group):
            codes[: length[column], column] = [byte or -1 for byte in texts[key]]
        places = np.maximum(length - np.arange(length.max())[:, None], 0)
        groups.append((codes, PI * places))
    return KeyTexts(np.array([len(text) for text in texts]), tuple(groups))


def hash_keys(texts: KeyTexts, digit: Array, seed: Array) -> Array:
    """The hash of many keys, each followed by the seed: the starts of their streams, in a few wide computations.

    The hash walks a text from its end, so keys of one length share what the seed makes of it. Texts of a group are
    walked together, as many places as the longest has.

    Args:
      texts: of `key_texts`. digit: int32[], 0..9, what {a} stands for. seed: uint8[8].

    Returns:
      float64[K].
    """
    size = jnp.sum(seed != 0, dtype=jnp.int32)
    first, last = int(texts.length.min()), int(texts.length.max())
    # Ready products: where the compiler can tell that a place is not negative, `abs` guards its product no more.
    behind = PI * (np.arange(MAX_SEED_LENGTH)[::-1, None] + 1 + np.arange(first, last + 1))

    def of_seed(value: Array, at: tuple[Array, Array]) -> tuple[Array, None]:
        byte, of_place = at
        stepped = hash_step(value, byte.astype(jnp.float64), of_place)
        return jnp.where(byte != 0, stepped, value), None

    start = jnp.broadcast_to(_start(size), (last + 1 - first,))
    of_length = lax.scan(of_seed, start, (seed[::-1], jnp.asarray(behind)))[0]
    byte_of_digit = (ord("0") + digit).astype(jnp.float64)

    def of_text(value: Array, at: tuple[Array, Array]) -> tuple[Array, None]:
        code, of_place = at
        stepped = hash_step(value, jnp.where(code < 0, byte_of_digit, code), of_place)
        return jnp.where(code != 0, stepped, value), None

    # Loops, as the CPU backend computes a fusion of all of this one number at a time, a fifth as fast.
    values = jnp.split(
        of_length[texts.length - first], np.cumsum([codes.shape[1] for codes, _ in texts.groups[:-1]])
    )
    hashed = [
        lax.scan(of_text, value, (jnp.asarray(codes), jnp.asarray(of_places)))[0]
        for value, (codes, of_places) in zip(values, texts.groups, strict=True)
    ]
    return jnp.concatenate(hashed)


def hash_seed(seed: Array) -> Array:
    """The hash of a seed text alone, needed by every draw. seed: uint8[8] -> float64[]."""
    return hash_text(seed, jnp.sum(seed != 0, dtype=jnp.int32))
