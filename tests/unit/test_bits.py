"""Sets as bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.bits import (
    below,
    below_highest,
    count_before,
    highest,
    members_first,
    members_in,
    members_of,
    nth_in_word,
    places_of_each,
    put,
    set_of,
    size_of,
    without,
    words_of,
)


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


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 128, 300, 9000])
def test_members_are_listed_in_order_and_no_place_fills_up(size):
    for share in (0.0, 0.02, 0.4, 1.0):
        member = np.random.default_rng(size).random(size) < share
        found = members_of(jnp.asarray(member))
        assert int(found.count) == member.sum()
        expected = np.full(2 * size + 9, size, np.int32)
        expected[: member.sum()] = np.flatnonzero(member)
        for first, number in ((0, size + 5), (size // 3, 7), (size, 4)):
            got = found.places(first, number)
            assert got.dtype == jnp.int32
            np.testing.assert_array_equal(got, expected[first : first + number])


def test_elements_of_a_word_are_found():
    words = np.array([1, 2**31, 0xFFFFFFFF, 0x80000001, 0x00F0_0100], np.uint32)
    for word in words:
        elements = [place for place in range(32) if int(word) >> place & 1]
        got = nth_in_word(jnp.full(len(elements), word), jnp.arange(len(elements), dtype=jnp.int32))
        np.testing.assert_array_equal(got, elements)
        assert int(nth_in_word(jnp.asarray(word), jnp.int32(len(elements)))) == 32


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
    np.testing.assert_array_equal(members_in(jnp.asarray(words), 40), np.arange(40) % 3 == 0)


@pytest.mark.parametrize("size", [1, 32, 33, 128])
def test_a_list_of_numbers_as_a_set(size):
    numbers = np.random.default_rng(size).integers(-3, size + 3, (3, 20)).astype(np.int16)
    member = np.random.default_rng(0).random(numbers.shape) < 0.7
    got = jax.vmap(lambda numbers, member: set_of(numbers, member, size))(numbers, member)
    for row in range(3):
        expected = np.isin(np.arange(size), numbers[row][member[row]])
        np.testing.assert_array_equal(got[row], words_of(jnp.asarray(expected)))


def test_the_first_places_as_a_set():
    for count in (0, 1, 5, 31):
        got = below(jnp.int32(count))
        assert got.dtype == jnp.uint32
        assert int(got) == sum(1 << place for place in range(count))


def test_the_largest_element_of_a_set():
    for word in (1, 2, 0x80000000, 0xFFFFFFFF, 0x00010100):
        top = word.bit_length() - 1
        assert int(highest(jnp.uint32(word))) == top
        assert int(below_highest(jnp.uint32(word))) == (1 << top) - 1
        assert int(without(jnp.uint32(word), jnp.int32(top))) == word - (1 << top)
    assert int(highest(jnp.uint64(1) << 40)) == 40
    assert int(below_highest(jnp.uint32(0))) == 0


def test_one_element_is_put_where_its_place_exists():
    values = jnp.arange(4, dtype=jnp.int8)
    for place in range(-1, 6):
        got = put(values, jnp.int32(place), jnp.int32(9))
        assert got.dtype == values.dtype
        assert got.tolist() == [9 if n == place else n for n in range(4)]
