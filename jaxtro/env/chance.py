"""Chances of the form "P in N"."""

import jax.numpy as jnp
from jax import Array


def hits(u: Array, probability: Array, odds: Array) -> Array:
    """Whether a float of a stream is a success: u < probability / odds, divided exactly.

    probability: float64[], the numerator. odds: float64[], traced, or XLA would multiply by its reciprocal.
    """
    divisor = jnp.where(probability > 0, odds, 1.0)
    return u < probability / divisor
