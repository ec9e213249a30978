"""The cheap list of plays, and the distribution of values."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxtro.agents.plays import HAND_OF_PLAY, PLAYS, plays_of
from jaxtro.agents.value import centres, mean_value, symexp, symlog, two_hot
from jaxtro.tables import HANDS

RANKS, SUITS = "23456789TJQKA", "CDHS"
PLAYS_OF = jax.jit(plays_of)


def found(text):
    """name of a play -> cards."""
    words = text.split()
    rank = jnp.array([RANKS.index(word[1]) + 2 for word in words], jnp.int32)
    suit = jnp.array([SUITS.index(word[0]) + 1 for word in words], jnp.int32)
    none = jnp.zeros(len(words), bool)
    rows = np.asarray(PLAYS_OF(rank, suit, none, jnp.zeros(len(words))))
    return {
        name: {word for word, chosen in zip(words, row, strict=True) if chosen}
        for name, row in zip(PLAYS, rows, strict=True)
    }


@pytest.mark.parametrize(
    ("hand", "play", "cards"),
    [
        ("SA SK SQ SJ ST HA HK D2", "Straight Flush", "SA SK SQ SJ ST"),
        ("SA SK SQ SJ ST HA HK D2", "Two Pair", "SA HA SK HK"),
        ("H2 H3 H4 H5 SA H9 CA DA", "Straight", "H2 H3 H4 H5 SA"),
        ("H2 H3 H4 H5 SA H9 CA DA", "Flush", "H2 H3 H4 H5 H9"),
        ("H2 H3 H4 H5 SA H9 CA DA", "Three of a Kind", "SA CA DA"),
        ("S7 H7 D7 C7 S2 H2 D9 CK", "Four of a Kind", "S7 H7 D7 C7"),
        ("S7 H7 D7 C7 S2 H2 D9 CK", "Full House", "S7 H7 D7 S2 H2"),
        ("S7 H8 D2 C4 SK HQ D9 CJ", "Pair", ""),
        ("S7 H8 D2 C4 SK HQ D9 CJ", "High Card", "SK"),
        ("S7 H8 D2 C4 SK HQ D9 CJ", "Straight", ""),
    ],
)
def test_best_cards(hand, play, cards):
    assert found(hand)[play] == set(cards.split())


@given(st.lists(st.integers(0, 51), min_size=8, max_size=8, unique=True))
@settings(max_examples=40, deadline=None)
def test_each_play_makes_at_least_its_hand(places):
    text = " ".join(SUITS[n // 13] + RANKS[n % 13] for n in places)
    counts = {RANKS[n % 13]: 0 for n in places}
    for n in places:
        counts[RANKS[n % 13]] += 1
    plays = found(text)
    assert bool(plays["Pair"]) == (max(counts.values()) >= 2)
    assert bool(plays["Four of a Kind"]) == (max(counts.values()) == 4)
    suits = [sum(n // 13 == suit for n in places) for suit in range(4)]
    assert bool(plays["Flush"]) == (max(suits) >= 5)
    assert all(len(cards) <= 5 for cards in plays.values())


def test_plays_name_poker_hands():
    assert [HANDS.keys[hand] for hand in HAND_OF_PLAY] == list(PLAYS)


@given(st.floats(-1e5, 1e5, width=32))
@settings(max_examples=50, deadline=None)
def test_values_survive_the_two_hot_form(value):
    weights = two_hot(jnp.float32(value), 101, 14.0)
    chex.assert_shape(weights, (101,))
    np.testing.assert_allclose(np.sum(weights), 1.0, rtol=1e-5)
    back = symexp(jnp.sum(weights * centres(101, 14.0)))
    np.testing.assert_allclose(back, value, rtol=2e-3, atol=1e-3)


def test_mean_value_of_huge_returns_is_finite():
    for value in (0.0, 1e30, -1e30, np.inf):
        weights = two_hot(jnp.float32(value), 51, 6.0)
        chex.assert_tree_all_finite(mean_value(jnp.log(weights + 1e-6), 6.0))
    np.testing.assert_allclose(symexp(symlog(jnp.float32(123.0))), 123.0, rtol=1e-5)
