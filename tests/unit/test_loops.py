"""Loops over a batch, and loops that turn once or never."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.loops import any_game, once_where, while_loop


def test_only_what_is_needed_is_computed() -> None:
    turns = []

    def double(values):  # type: ignore[no-untyped-def]
        jax.debug.callback(lambda: turns.append(1))
        return {"number": values["number"] * 2}

    numbers = {"number": jnp.arange(4)}
    run = jax.jit(jax.vmap(lambda needed, number: once_where(needed, double, {"number": number})))
    needed = jnp.array([True, False, True, False])
    np.testing.assert_array_equal(run(needed, numbers["number"])["number"], [0, 1, 4, 3])
    jax.effects_barrier()
    assert turns
    turns.clear()
    np.testing.assert_array_equal(run(~needed & needed, numbers["number"])["number"], numbers["number"])
    jax.effects_barrier()
    assert not turns


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


def test_a_loop_within_a_loop_and_one_that_all_games_share():
    def triangle(number):  # the sum of 1 to n, of all n up to a number
        def add(now):
            n, sum_of_all = now
            _, its = while_loop(
                lambda now: now[0] > 0, lambda now: (now[0] - 1, now[1] + now[0]), (n, jnp.int32(0))
            )
            return n - 1, sum_of_all + its

        return while_loop(lambda now: now[0] > 0, add, (number, jnp.int32(0)))[1]

    numbers = jnp.arange(40, dtype=jnp.int32).reshape(4, 10)
    got = jax.jit(jax.vmap(jax.vmap(triangle)))(numbers)
    np.testing.assert_array_equal(got, numbers * (numbers + 1) * (numbers + 2) // 6)

    def powers(number):  # the number of turns is the same for all games
        return while_loop(
            lambda now: now[0] < 3, lambda now: (now[0] + 1, now[1] * number), (jnp.int32(0), number)
        )[1]

    np.testing.assert_array_equal(jax.jit(jax.vmap(powers))(numbers[0]), numbers[0] ** 4)


def test_a_body_that_changes_a_value_s_type_is_told():
    for start, after in ((jnp.zeros(3), jnp.float64(1)), (jnp.int8(1), jnp.int32(300))):
        with pytest.raises(TypeError, match="the body of a loop turns"):
            while_loop(
                lambda now: now[0] < 1, lambda now, after=after: (now[0] + 1, after), (jnp.int32(0), start)
            )
