"""The text hash (rng.md 1.1) and the guards that keep XLA from changing its arithmetic.

XLA fuses a product with a following sum into one rounding, and turns a division by a constant into a
product. Either would change every later draw of a stream, so each product goes through `guard` before it is
added to anything, and divisors are made per element (measured in rng.md 12).
"""

import jax.numpy as jnp
from jax import Array, lax

from jaxtro.env.rng.constants import C1, PI


def guard(product: Array) -> Array:
    """Rounds a non-negative product by itself: no fused multiply-add can reach through `abs`."""
    return jnp.abs(product)


def hash_step(value: Array, byte: Array, index: Array) -> Array:
    """One byte of the hash; float64, `index` counts from 1 at the start of the text."""
    t = guard(guard(C1 / value) * byte)
    v = guard(t * PI) + guard(PI * index)
    return v - jnp.floor(v)


def hash_gapped(text: Array, present: Array, wide: bool = False) -> Array:
    """Hashes the bytes of `text` where `present` is True, as if the others were not there.

    Gaps let a text be put together by concatenating parts of fixed width, without moving a byte.

    Args:
      text: uint8[N], ASCII codes. present: bool[N].
      wide: for hashing thousands of texts at once: the loop is written out, so that the bytes stay in
        registers (measured: twice as fast, and ten times as long to compile).

    Returns:
      float64[]: the hash in [0, 1); 1.0 for an empty text; NaN where the game's is NaN.
    """
    size = jnp.sum(present, dtype=jnp.int32)
    # A start that XLA cannot see as a constant, or it would merge C1 / 1.0 with the next factor.
    start = jnp.where(size >= 0, 1.0, 2.0).astype(jnp.float64)

    def body(carry: tuple[Array, Array], at: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        value, index = carry
        byte, there = at
        stepped = hash_step(value, byte.astype(jnp.float64), index.astype(jnp.float64))
        return (jnp.where(there, stepped, value), index - there), None

    carry = (start, size)
    if wide:
        for place in reversed(range(text.shape[0])):
            carry, _ = body(carry, (text[place], present[place]))
    else:
        carry, _ = lax.scan(body, carry, (text, present), reverse=True, unroll=4)
    return carry[0]


def hash_text(text: Array, length: Array) -> Array:
    """Hashes `text[:length]`. text: uint8[N], length: int32[] -> float64[], as `hash_gapped`."""
    return hash_gapped(text, jnp.arange(text.shape[0], dtype=jnp.int32) < length)


def hash_seed(seed: Array) -> Array:
    """The hash of a seed text alone, needed by every draw. seed: uint8[8] -> float64[]."""
    return hash_text(seed, jnp.sum(seed != 0, dtype=jnp.int32))
