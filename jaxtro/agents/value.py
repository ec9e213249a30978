"""A value as a distribution over bins on a symlog scale (two-hot).

Returns beyond `value_range` (6 stands for about 400; a whole won run brings some 40) count as the last bin.
"""

import jax
import jax.numpy as jnp
from jax import Array


def symlog(value: Array) -> Array:
    """sign(x) log(1 + |x|)."""
    return jnp.sign(value) * jnp.log1p(jnp.abs(value))


def symexp(value: Array) -> Array:
    """The inverse of `symlog`."""
    return jnp.sign(value) * jnp.expm1(jnp.abs(value))


def centres(bins: int, value_range: float) -> Array:
    """float32[bins]: symlog values of the bins, the middle one is 0."""
    return jnp.linspace(-value_range, value_range, bins, dtype=jnp.float32)


def mean_value(logits: Array, value_range: float) -> Array:
    """The value that a distribution stands for. logits: float32[..., bins] -> float32[...]"""
    middle = centres(logits.shape[-1], value_range)
    return symexp(jnp.sum(jax.nn.softmax(logits) * middle, axis=-1))


def two_hot(value: Array, bins: int, value_range: float) -> Array:
    """A value as weights of its two nearest bins. -> float32[..., bins]"""
    scaled = (
        (jnp.clip(symlog(value), -value_range, value_range) + value_range) / (2 * value_range) * (bins - 1)
    )
    low = jnp.clip(jnp.floor(scaled).astype(jnp.int32), 0, bins - 2)
    share = (scaled - low)[..., None]
    places = jnp.arange(bins)
    return jnp.where(places == low[..., None], 1 - share, 0) + jnp.where(
        places == low[..., None] + 1, share, 0
    )


def value_loss(logits: Array, target: Array, value_range: float) -> Array:
    """Cross entropy with the two-hot target. logits: float32[..., bins], target: float32[...] -> float32[...]"""
    wanted = two_hot(target, logits.shape[-1], value_range)
    return -jnp.sum(wanted * jax.nn.log_softmax(logits), axis=-1)
