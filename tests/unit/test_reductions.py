"""Sums over long lists."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.reductions import any_of, int_sum

SIZES = [0, 1, 31, 32, 33, 64, 100, 160, 235, 2048, 5000]


@pytest.mark.parametrize("size", SIZES)
def test_sums_are_those_of_the_whole_list(size):
    values = np.random.default_rng(size).integers(-100, 100, (3, size)).astype(np.int16)
    for got, expected in (
        (int_sum(jnp.asarray(values)), values),
        (int_sum(jnp.asarray(values > 0)), values > 0),
    ):
        chex.assert_shape(got, (3,))
        chex.assert_type(got, jnp.int32)
        np.testing.assert_array_equal(got, expected.sum(axis=-1, dtype=np.int32))


@pytest.mark.parametrize("size", SIZES)
def test_one_member_is_found_wherever_it_is(size):
    places = np.arange(size)
    some = np.concatenate([np.zeros((1, size), bool), places == places[:: max(size // 7, 1), None]])
    np.testing.assert_array_equal(any_of(jnp.asarray(some)), some.any(axis=-1))


def test_a_long_sum_is_one_kernel_on_a_cpu():
    """What the module is for (`jnp.sum` takes three with jaxlib 0.10.1)."""
    if jax.default_backend() != "cpu":
        pytest.skip("XLA's other backends reduce in their own ways")
    values = jnp.zeros((4, 160), jnp.int32)

    def kernels(function):
        program = jax.jit(lambda values: function(values > 3)).lower(values).compile().as_text()
        return program[program.index("ENTRY") :].count(" fusion(")

    assert kernels(int_sum) == kernels(any_of) == 1
