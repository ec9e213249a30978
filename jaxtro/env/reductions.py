"""Sums and questions over more than 32 places.

XLA's CPU backend makes three kernels of a reduction over more than 32 elements: what is reduced is written out, then
reduced in windows of 32, then once more. Here it is reduced in two steps from the start, which are one kernel; a change
of type in between keeps XLA from joining them before. Only for whole numbers and truth values: sums of floats would be
rounded in another order.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax

_MOST = 32  # elements that XLA reduces in one kernel


def _parts(values: Array) -> Array | None:
    """The last axis in parts of at most `_MOST` places, None if it is short or what it needs is better left to XLA."""
    size = values.shape[-1]
    parts = -(-size // _MOST)
    if not 1 < parts <= _MOST or jax.default_backend() != "cpu":
        return None
    width = -(-size // parts)
    padded = jnp.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, parts * width - size)])
    return padded.reshape(*values.shape[:-1], parts, width)


def int_sum(values: Array) -> Array:
    """The sum of whole numbers, or how many are True, over the last axis. int or bool[..., N] -> int32[...]"""
    parts = _parts(values)
    if parts is None:
        return jnp.sum(values, axis=-1, dtype=jnp.int32)
    sums = jnp.sum(parts.astype(jnp.uint32), axis=-1, dtype=jnp.uint32)  # modulo 2**32, as signed ones
    return jnp.sum(lax.bitcast_convert_type(sums, jnp.int32), axis=-1, dtype=jnp.int32)


def any_of(member: Array) -> Array:
    """Whether any is True along the last axis. bool[..., N] -> bool[...]"""
    parts = _parts(member)
    if parts is None:
        return jnp.any(member, axis=-1)
    return jnp.max(jnp.any(parts, axis=-1).astype(jnp.uint8), axis=-1) != 0
