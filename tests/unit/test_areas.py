"""Lists of cards."""

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from jaxtro.env.areas import deck_mask_of, keep_where, kept_order, see_hand, set_row
from jaxtro.env.state import DECK_CAPACITY, HAND_CAPACITY, Cards, Deck
from jaxtro.tables import EDITIONS, ENHANCEMENTS, SEALS


def _random_deck(g: np.random.Generator) -> Deck:
    def some(low: int, high: int, dtype: type = np.int8) -> np.ndarray:
        return g.integers(low, high, DECK_CAPACITY).astype(dtype)

    cards = Cards(
        rank=some(2, 15), suit=some(0, 4), enhancement=some(0, len(ENHANCEMENTS)), edition=some(0, len(EDITIONS)),
        seal=some(0, len(SEALS)), bonus=some(-9, 10**6, np.int32), debuffed=g.random(DECK_CAPACITY) < 0.5,
    )  # fmt: skip
    flags = g.random((3, DECK_CAPACITY)) < 0.5
    return jax.tree.map(jnp.asarray, Deck(cards, some(0, 4), *flags, some(0, 99, np.int16)))


def test_the_hand_is_seen_as_the_deck_has_its_cards():
    g = np.random.default_rng(1)
    for held in (0, 1, 8, HAND_CAPACITY):
        deck = _random_deck(g)
        hand = np.full(HAND_CAPACITY, -1, np.int8)
        hand[:held] = g.permutation(DECK_CAPACITY)[:held]
        cards, down = see_hand(deck, jnp.asarray(hand))
        for name in Cards.__dataclass_fields__:
            got, of_deck = np.asarray(getattr(cards, name)), np.asarray(getattr(deck.cards, name))
            assert got.dtype == of_deck.dtype
            np.testing.assert_array_equal(got[:held], of_deck[hand[:held]], err_msg=name)
            assert not got[held:].any()
        np.testing.assert_array_equal(down, np.where(hand >= 0, np.asarray(deck.face_down)[hand], False))


def test_the_largest_number_of_every_field_is_kept():
    deck = _random_deck(np.random.default_rng(2))
    last = dict(
        rank=14, suit=3, enhancement=len(ENHANCEMENTS) - 1, edition=len(EDITIONS) - 1, seal=len(SEALS) - 1
    )
    for name, most in last.items():
        blank = jax.tree.map(jnp.zeros_like, deck.cards)
        full = jnp.full(DECK_CAPACITY, most, jnp.int8)
        cards, down = see_hand(
            replace(deck, cards=replace(blank, **{name: full}), face_down=jnp.zeros(DECK_CAPACITY, bool)),
            jnp.arange(HAND_CAPACITY, dtype=jnp.int8),
        )
        assert not np.any(down)
        for other in Cards.__dataclass_fields__:
            assert (np.asarray(getattr(cards, other)) == (most if other == name else 0)).all(), (name, other)


def test_places_of_the_deck_from_places_of_the_hand():
    g = np.random.default_rng(3)
    hand = np.full((4, HAND_CAPACITY), -1, np.int8)
    hand[:, :20] = [g.permutation(DECK_CAPACITY)[:20] for _ in range(4)]
    member = g.random(hand.shape) < 0.5
    got = jax.vmap(lambda hand, member: deck_mask_of(hand, member, DECK_CAPACITY))(hand, member)
    expected = np.zeros((4, DECK_CAPACITY), bool)
    for row in range(4):
        expected[row, hand[row][member[row] & (hand[row] >= 0)]] = True
    np.testing.assert_array_equal(got, expected)


def test_a_row_is_replaced_only_where_it_is():
    tree = {"one": jnp.arange(4), "two": jnp.zeros((4, 2), bool)}
    row = {"one": jnp.int8(9), "two": jnp.array([True, False])}
    put = set_row(tree, jnp.int32(2), row)
    assert put["one"].tolist() == [0, 1, 9, 3]
    assert put["one"].dtype == tree["one"].dtype
    assert np.argwhere(np.asarray(put["two"])).tolist() == [[2, 0]]
    for place, when in ((4, True), (-1, True), (2, False)):
        left = set_row(tree, jnp.int32(place), row, jnp.bool_(when))
        assert all(np.array_equal(left[name], tree[name]) for name in tree)


def test_rows_that_stay_close_up():
    g = np.random.default_rng(4)
    for size in (1, 6, 16, 32, 128):  # up to 32 rows in a loop
        keep = g.random((6, size)) < np.array([0, 0.2, 0.7, 0.9, 1, 0.5])[:, None]
        tree = {"one": g.integers(1, 99, (6, size)).astype(np.int8), "two": g.random((6, size, 2))}
        empty = {"one": np.full(size, -1), "two": np.zeros((size, 2))}
        got = jax.jit(jax.vmap(functools.partial(keep_where, empty=empty)))(tree, keep)
        for name, values in tree.items():
            expected = np.broadcast_to(empty[name], values.shape).astype(values.dtype).copy()
            for row in range(6):
                expected[row, : keep[row].sum()] = values[row][keep[row]]
            assert got[name].dtype == values.dtype
            np.testing.assert_array_equal(got[name], expected)
        order, count = jax.vmap(kept_order)(keep)
        np.testing.assert_array_equal(count, keep.sum(1))
        for row in range(6):
            assert order[row].tolist() == [*np.flatnonzero(keep[row]), *[size] * (size - keep[row].sum())]
