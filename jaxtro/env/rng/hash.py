"""The text hash (rng.md 1.1) and the guards that keep XLA from changing its arithmetic.

XLA fuses a product with a following sum into one rounding, and turns a division by a constant into a
product. Either would change every later draw of a stream, so each product goes through `guard` before it is
added to anything, and divisors are made per element (measured in rng.md 12).
"""

import jax
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


def hash_text(text: Array, length: Array) -> Array:
    """Hashes `text[:length]`.

    Args:
      text: uint8[N], ASCII codes; what lies behind `length` is not read.
      length: int32[], 0..N.

    Returns:
      float64[]: the hash in [0, 1); 1.0 for an empty text; NaN where the game's is NaN.
    """
    # A start that XLA cannot see as a constant, or it would merge C1 / 1.0 with the next factor.
    start = jnp.where(length >= 0, 1.0, 2.0).astype(jnp.float64)

    def body(value: Array, at: tuple[Array, Array]) -> tuple[Array, None]:
        byte, index = at
        stepped = hash_step(value, byte.astype(jnp.float64), index.astype(jnp.float64))
        return jnp.where(index <= length, stepped, value), None

    indices = jnp.arange(1, text.shape[0] + 1, dtype=jnp.int32)
    value, _ = lax.scan(body, start, (text, indices), reverse=True, unroll=4)
    return value


def hash_seed(seed: Array) -> Array:
    """The hash of a seed text alone, needed by every draw. seed: uint8[8] -> float64[]."""
    return hash_text(seed, jnp.sum(seed != 0, dtype=jnp.int32))


batched_hash = jax.jit(jax.vmap(hash_text))
