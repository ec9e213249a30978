"""Functions as one kernel, values that are written out, elements that are put."""

import functools

import chex
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from jaxtro.env.calls import in_one_kernel, written_out
from jaxtro.env.writes import add_at, put

_ON_CPU = jax.default_backend() == "cpu"
_KERNEL = 'xla_cpu_small_call = "true"'


def test_values_that_are_written_out_stay_as_they_are() -> None:
    values = {"a": jnp.arange(4), "b": (jnp.float64(2.5), jnp.zeros((2, 3), bool))}
    chex.assert_trees_all_equal(jax.jit(written_out)(values), values)
    chex.assert_trees_all_equal(written_out(values), values)
    rows = jnp.arange(12).reshape(4, 3)
    np.testing.assert_array_equal(jax.jit(jax.vmap(written_out))(rows), rows)
    chex.assert_shape(jax.jit(jax.vmap(written_out))(rows[:0]), (0, 3))


@pytest.mark.skipif(not _ON_CPU, reason="other backends inline")
def test_a_value_that_is_written_out_is_made_in_one_place_only() -> None:
    def readers(values, keep):  # type: ignore[no-untyped-def]
        made = jnp.sin(values * 3)
        made = written_out(made) if keep else made
        return jnp.sum(made), jnp.cumprod(made), jnp.max(made)

    sines = {
        keep: jax.jit(readers, static_argnums=1).lower(jnp.ones(64), keep).compile().as_text().count(" sine(")
        for keep in (True, False)
    }
    assert sines[True] == 1 < sines[False]


def _work(rows, number):  # type: ignore[no-untyped-def]
    """Some of everything that a kernel may do, a result that was an argument, and an argument that is not read."""
    total = jax.lax.fori_loop(0, 3, lambda turn, sum_: sum_ + rows["read"][turn], jnp.zeros(3))
    changed = put(rows["read"], number, total)
    return {"read": changed, "unread": rows["unread"]}, total > number


def test_a_kernel_does_what_its_function_does() -> None:
    g = np.random.default_rng(1)
    rows = {"read": g.random((6, 5, 3)), "unread": g.random((6, 2))}
    numbers = np.arange(6, dtype=np.int32) - 1
    kernel = in_one_kernel(_work)
    expected = jax.vmap(_work)(rows, numbers)
    chex.assert_trees_all_equal(jax.jit(jax.vmap(kernel))(rows, numbers), expected)
    chex.assert_trees_all_equal(jax.vmap(kernel)(rows, numbers), expected)
    one = jax.tree.map(lambda leaf: leaf[3], (rows, numbers))
    chex.assert_trees_all_equal(jax.jit(kernel)(*one), jax.tree.map(lambda leaf: leaf[3], expected))
    # Batches of batches, what all games share, and other shapes in one program.
    twice = jax.tree.map(lambda leaf: leaf.reshape(2, 3, *leaf.shape[1:]), (rows, numbers))
    got = jax.jit(jax.vmap(jax.vmap(kernel)))(*twice)
    chex.assert_trees_all_equal(jax.tree.map(lambda leaf: leaf.reshape(6, *leaf.shape[2:]), got), expected)
    shared = jax.jit(jax.vmap(kernel, in_axes=(0, None)))(rows, np.int32(2))
    chex.assert_trees_all_equal(shared, jax.vmap(_work, in_axes=(0, None))(rows, np.int32(2)))
    wide = jax.tree.map(lambda leaf: np.tile(leaf, (100, *[1] * (leaf.ndim - 1))), (rows, numbers))
    both = jax.jit(lambda few, many: (jax.vmap(kernel)(*few), jax.vmap(kernel)(*many)))
    few, many = both((rows, numbers), wide)
    chex.assert_trees_all_equal(few, expected)
    chex.assert_trees_all_equal(many, jax.vmap(_work)(*wide))


def _floats(row):  # type: ignore[no-untyped-def]
    """Each function of floats that a kernel may hold."""
    of_one = (
        jnp.exp, jnp.expm1, jnp.log, jnp.log1p, jnp.tanh, jnp.sqrt, jax.lax.rsqrt, jnp.ceil, jnp.floor, jnp.sign,
        jnp.abs, jnp.negative, jax.lax.round, jnp.round, jnp.cumsum, jnp.sum, jnp.max, jnp.argmin, jnp.flip,
    )  # fmt: skip
    of_two = (jnp.arctan2, jnp.power, jnp.divide, jnp.fmod, jnp.maximum, jnp.minimum)
    clamped = jax.lax.clamp(0.5, row, 0.7), jnp.isfinite(row), jnp.pad(row, 3), row.reshape(2, -1).T
    return [f(row) for f in of_one], [f(row, row[::-1]) for f in of_two], clamped


def _numbers(row):  # type: ignore[no-untyped-def]
    """The same of whole numbers."""
    of_one = (jax.lax.population_count, jax.lax.clz, jnp.invert)
    of_two = (jnp.left_shift, jnp.right_shift, jax.lax.shift_right_logical, jnp.bitwise_xor, jnp.remainder)
    number = jax.lax.bitcast_convert_type(row, jnp.uint32)
    return [f(row) for f in of_one], [f(row, row[::-1] + 1) for f in of_two], number, row[row % 8]


@pytest.mark.skipif(not _ON_CPU, reason="other backends inline")
@pytest.mark.parametrize("function", [_floats, _numbers])
def test_all_that_a_kernel_may_do_works(function) -> None:  # type: ignore[no-untyped-def]
    g = np.random.default_rng(5)
    rows = g.random((6, 8)) if function is _floats else g.integers(0, 7, (6, 8), dtype=np.int32)
    program = jax.jit(jax.vmap(in_one_kernel(function)))
    assert _KERNEL in program.lower(rows).as_text()
    chex.assert_trees_all_close(program(rows), jax.vmap(function)(rows), rtol=1e-12)


@pytest.mark.skipif(not _ON_CPU, reason="other backends inline")
def test_what_a_kernel_cannot_do_is_done_in_several() -> None:
    """Sorts and scatters, as a user's rules may have them, also in functions that are called."""
    values = np.random.default_rng(2).integers(0, 9, (6, 40))

    def sorted_and_scattered(row):  # type: ignore[no-untyped-def]
        return jnp.sort(row).at[row[0]].add(5)

    for function, fits in (
        (sorted_and_scattered, False),
        (lambda row: in_one_kernel(sorted_and_scattered)(row) + 1, False),
        (lambda row: row[::-1] + jnp.argmax(row), True),
    ):
        program = jax.jit(jax.vmap(in_one_kernel(function)))
        lowered = program.lower(values)
        calls = [line for line in lowered.as_text().splitlines() if 'inlineable = "false"' in line]
        assert calls
        assert all((_KERNEL in line) == fits for line in calls)
        np.testing.assert_array_equal(program(values), jax.vmap(function)(values))


@pytest.mark.skipif(not _ON_CPU, reason="other backends inline")
def test_large_batches_fit_into_kernels() -> None:
    """XLA splits what is large over threads, which it cannot do for the only result of a kernel."""

    @in_one_kernel
    def mixed(row):  # type: ignore[no-untyped-def]
        return functools.reduce(lambda word, turn: (word << 3) ^ (word >> turn), range(1, 60), row)

    rows = np.random.default_rng(3).integers(0, 2**60, (8192, 16))
    np.testing.assert_array_equal(jax.jit(jax.vmap(mixed))(rows), jax.vmap(mixed.__wrapped__)(rows))


@given(
    st.integers(1, 40),
    st.integers(1, 5),
    st.sampled_from(["int8", "float64", "bool"]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=20, deadline=None)
def test_elements_are_put(size: int, count: int, dtype: str, seed: int) -> None:
    g = np.random.default_rng(seed)
    values, new = np.zeros((3, size, 2), dtype), g.integers(1, 99, (3, count, 2)).astype(dtype)
    # From two below the first place to two behind the last.
    places = np.stack([g.permutation(size + 4)[:count] - 2 for _ in range(3)])
    expected = values.copy()
    for row in range(3):
        for place, value in zip(places[row], new[row], strict=False):
            if 0 <= place < size:
                expected[row, place] = value
    new = new[:, : places.shape[1]]
    got = jax.jit(jax.vmap(put))(values, places, new)
    assert got.dtype == values.dtype
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(jax.jit(put)(values[0], places[0], new[0]), expected[0])


def test_one_element_is_put_or_added_to() -> None:
    values = jnp.arange(4, dtype=jnp.int8)
    for place in (-5, -1, 0, 3, 4):
        inside = 0 <= place < 4
        expected = np.arange(4)
        expected[place if inside else slice(0)] = 9
        np.testing.assert_array_equal(jax.jit(put)(values, place, 9), expected)
        np.testing.assert_array_equal(put(values, place, 9), expected)
        added = jax.jit(add_at)(values, jnp.int32(place), 3)
        assert added.dtype == jnp.int8
        np.testing.assert_array_equal(added, np.arange(4) + 3 * (np.arange(4) == place))
    chex.assert_shape(
        jax.jit(jax.vmap(put))(jnp.zeros((0, 4)), jnp.zeros(0, jnp.int32), jnp.zeros(0)), (0, 4)
    )
    chex.assert_shape(put(jnp.zeros(4), jnp.zeros(0, jnp.int32), jnp.zeros(0)), (4,))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_elements_are_put_at_places_that_the_compiler_knows(size: int) -> None:
    values = np.arange(1, size + 1, dtype=np.float64)
    for places in (np.array([0]), np.array([size - 1]), np.array([-1]), np.array([size]), np.arange(size)):
        expected = values.copy()
        expected[places[(places >= 0) & (places < size)]] = 5.5
        np.testing.assert_array_equal(jax.jit(lambda v, places=places: put(v, places, 5.5))(values), expected)
        batch = jax.jit(jax.vmap(lambda v, places=places: put(v, places, 5.5)))
        for games in (1, 3):
            rows = np.tile(values, (games, 1))
            np.testing.assert_array_equal(batch(rows), np.tile(expected, (games, 1)))
    np.testing.assert_array_equal(jax.jit(put)(values, np.int64(2**32), 5.5), values)


def test_names_and_plain_numbers_are_arguments_of_a_kernel_too() -> None:
    @in_one_kernel
    def minus(a, b):  # type: ignore[no-untyped-def]
        return a - b

    numbers = jnp.arange(4, dtype=jnp.int8)
    for got in (jax.jit(lambda a: minus(b=5, a=a))(numbers), minus(numbers, b=5)):
        np.testing.assert_array_equal(got, np.arange(4) - 5)
        assert got.dtype == jnp.int64
    with jax.disable_jit():
        np.testing.assert_array_equal(jax.jit(minus)(numbers, numbers), np.zeros(4))
