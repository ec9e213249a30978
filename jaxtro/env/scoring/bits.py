"""Sets of up to 64 things as the bits of one number: small loops over few of many, without sorting."""

import jax.numpy as jnp
from jax import Array, lax


def to_bits(member: Array) -> Array:
    """The set of places where `member` (bool[..., N]) is True. -> uint32[...], uint64[...] if N > 32"""
    dtype = jnp.uint32 if member.shape[-1] <= 32 else jnp.uint64
    places = jnp.arange(member.shape[-1]).astype(dtype)
    return jnp.sum(jnp.where(member, jnp.ones((), dtype) << places, jnp.zeros((), dtype)), axis=-1, dtype=dtype)


def lowest(bits: Array) -> Array:
    """The smallest element of a set that is not empty. -> int32"""
    one = jnp.ones((), bits.dtype)
    return lax.population_count((bits & (~bits + one)) - one).astype(jnp.int32)


def without_lowest(bits: Array) -> Array:
    """The set without its smallest element."""
    return bits & (bits - jnp.ones((), bits.dtype))


def has(bits: Array, place: Array | int) -> Array:
    """Whether an element is in the set. -> bool"""
    return ((bits >> jnp.asarray(place).astype(bits.dtype)) & jnp.ones((), bits.dtype)) != 0
