"""A function over a batch in pieces that stay in a CPU's cache; accelerators get the whole batch at once."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

# Measured in docs/benchmarks.md: from about 512 decisions on, the activations of the network leave the cache.
CPU_CHUNK = 256


def chunk_size(count: int) -> int:
    """How many of a batch to compute at once on this backend."""
    return min(count, CPU_CHUNK) if jax.default_backend() == "cpu" else count


def batched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Like `jax.vmap(function)`, in pieces where that is faster. Each game's result is the same."""

    def run(*args: Any) -> Any:
        count = jax.tree.leaves(args)[0].shape[0]
        if chunk_size(count) == count:
            return jax.vmap(function)(*args)
        return jax.lax.map(lambda one: function(*one), args, batch_size=chunk_size(count))

    return run


def mean_gradient(loss: Callable[..., tuple[Array, Any]], params: Any, batch: Any) -> tuple[Any, Any]:
    """The gradient of a mean over a batch, summed up in pieces where that is faster.

    Args:
      loss: (params, batch) -> the mean over the batch, and means to report.

    Returns:
      the gradient for `params`, the means.
    """
    find = jax.grad(loss, has_aux=True)
    size = jax.tree.leaves(batch)[0].shape[0]
    pieces = size // chunk_size(size)
    if pieces == 1 or size % pieces:
        return find(params, batch)
    split = jax.tree.map(lambda values: values.reshape(pieces, -1, *values.shape[1:]), batch)
    zero = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(find, params, jax.tree.map(lambda values: values[0], split)),
    )

    def add(total: Any, piece: tuple) -> tuple[Any, None]:
        return jax.tree.map(lambda a, b: a + b / pieces, total, find(params, piece)), None

    return jax.lax.scan(add, zero, split)[0]


def each_seed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function over a leading axis of training seeds: together on accelerators, one after the other on CPUs.

    A single seed is computed without the axis, so that it costs nothing.
    """

    def run(*args: Any) -> Any:
        if jax.tree.leaves(args)[0].shape[0] == 1:
            out = function(*jax.tree.map(lambda leaf: leaf[0], args))
            return jax.tree.map(lambda leaf: leaf[None], out)
        if jax.default_backend() == "cpu":
            return jax.lax.map(lambda one: function(*one), args)
        return jax.vmap(function)(*args)

    return run
