"""Sets as bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.bits import below, count_before, members_first, places_of_each, size_of, words_of


@pytest.mark.parametrize("size", [1, 16, 31, 32, 33, 128, 235, 4096])
def test_members_before_each_place_are_counted(size):
    g = np.random.default_rng(size)
    for share in (0.0, 0.1, 0.5, 1.0):
        member = g.random((3, size)) < share
        got = jax.vmap(count_before)(jnp.asarray(member))
        assert got.dtype == jnp.int32
        np.testing.assert_array_equal(got, np.cumsum(member, axis=1) - member)


@pytest.mark.parametrize(("size", "fill"), [(1, 1), (33, 0), (128, 5)])
def test_members_come_first_and_no_place_fills_up(size, fill):
    for share in (0.0, 0.4, 1.0):
        member = np.random.default_rng(size).random(size) < share
        expected = np.full(size + fill, size, np.int32)
        expected[: member.sum()] = np.flatnonzero(member)
        got = members_first(jnp.asarray(member), fill)
        assert got.dtype == jnp.int32
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("size", [1, 32, 33, 128])
@pytest.mark.parametrize("count", [1, 2, 5, 13, 16, 256, 300])
def test_places_of_each_number_are_found(size, count):
    g = np.random.default_rng(size * count)
    values = g.integers(0, count, (3, size)).astype(np.int16)
    member = g.random((3, size)) < 0.6

    def counts(values, member):
        found = places_of_each(values, count)
        return size_of(found & words_of(member)), size_of(found)

    got, whole = jax.jit(jax.vmap(counts))(jnp.asarray(values), jnp.asarray(member))
    assert got.shape == (3, count)
    alike = values[:, None] == np.arange(count)[:, None]
    np.testing.assert_array_equal(got, (alike & member[:, None]).sum(-1))
    np.testing.assert_array_equal(whole, alike.sum(-1))


def test_sets_as_words():
    words = np.asarray(words_of(jnp.asarray(np.arange(40) % 3 == 0)))
    assert words.dtype == np.uint32
    assert [place for place in range(64) if words[place // 32] >> (place % 32) & 1] == list(range(0, 40, 3))


def test_the_first_places_as_a_set():
    for count in (0, 1, 5, 31):
        got = below(jnp.int32(count))
        assert got.dtype == jnp.uint32
        assert int(got) == sum(1 << place for place in range(count))
