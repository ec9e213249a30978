"""Sums over long lists, and loops over a batch."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.loops import any_game, while_loop
from jaxtro.env.reductions import any_of, total

SIZES = [0, 1, 31, 32, 33, 64, 100, 160, 235, 2048, 5000]


@pytest.mark.parametrize("size", SIZES)
def test_sums_are_those_of_the_whole_list(size):
    values = np.random.default_rng(size).integers(-100, 100, (3, size)).astype(np.int16)
    for got, expected in ((total(jnp.asarray(values)), values), (total(jnp.asarray(values > 0)), values > 0)):
        chex.assert_shape(got, (3,))
        chex.assert_type(got, jnp.int32)
        np.testing.assert_array_equal(got, expected.sum(axis=-1, dtype=np.int32))


@pytest.mark.parametrize("size", SIZES)
def test_one_member_is_found_wherever_it_is(size):
    places = np.arange(size)
    some = np.concatenate([np.zeros((1, size), bool), places == places[:: max(size // 7, 1), None]])
    np.testing.assert_array_equal(any_of(jnp.asarray(some)), some.any(axis=-1))


def test_a_long_sum_is_one_kernel_on_a_cpu():
    """What the module is for."""
    if jax.default_backend() != "cpu":
        pytest.skip("XLA's other backends reduce in their own ways")
    values = jnp.zeros((4, 160), jnp.int32)

    def kernels(function):
        program = jax.jit(lambda values: function(values > 3)).lower(values).compile().as_text()
        return program[program.index("ENTRY") :].count(" fusion(")

    assert kernels(total) == kernels(any_of) == 1
    assert kernels(lambda values: jnp.sum(values, axis=-1, dtype=jnp.int32)) > 1


def _steps(number, most):
    """Steps of Collatz' game until 1, at most so many."""
    return while_loop(
        lambda now: (now[0] != 1) & (now[1] < most),
        lambda now: (jnp.where(now[0] % 2 == 0, now[0] // 2, 3 * now[0] + 1), now[1] + 1),
        (number, jnp.int32(0)),
    )


def test_loops_turn_until_the_last_game_is_through():
    numbers = jnp.arange(1, 161)
    alone = [int(_steps(number, 100)[1]) for number in numbers[:30]]
    assert alone[:9] == [0, 1, 7, 2, 5, 8, 16, 3, 19]
    values, steps = jax.jit(jax.vmap(_steps, in_axes=(0, None)))(numbers, 100)
    np.testing.assert_array_equal(steps[:30], alone)
    assert (np.asarray(values)[steps < 100] == 1).all()
    assert steps.max() == 100
    both = jax.jit(jax.vmap(jax.vmap(_steps, in_axes=(0, None)), in_axes=(None, 0)))(
        numbers, jnp.array([3, 100])
    )
    np.testing.assert_array_equal(both[1], np.stack([np.minimum(steps, 3), steps]))


def test_one_answer_for_all_games():
    batch = jax.vmap(any_game, out_axes=None)
    assert not batch(jnp.zeros(100, bool))
    assert batch(jnp.arange(100) == 99)
    assert any_game(jnp.bool_(True))
    rows = jnp.arange(6).reshape(2, 3) == 4
    assert jax.vmap(jax.vmap(any_game, out_axes=None), out_axes=None)(rows)
