"""For each poker hand the best cards that make it: a cheap list of plays, without jokers and their bent rules.

Networks get it as a feature of each card, experts score these few sets in place of all 218.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.bits import places_of_each, size_of, to_bits
from jaxtro.tables import HANDS

_ACE, _RANKS = 14, 15
# The plays, in this order; the last is the five highest cards, which make whatever they make.
PLAYS = (
    "High Card", "Pair", "Two Pair", "Three of a Kind", "Straight", "Flush", "Full House", "Four of a Kind",
    "Straight Flush", "Five of a Kind",
)  # fmt: skip
HAND_OF_PLAY = np.array([HANDS.keys.index(name) for name in PLAYS])
NUM_PLAYS = len(PLAYS)
_LONGEST = 5


def _highest(ok: Array) -> Array:
    """The highest rank with a property, 0 = none. ok: bool[15] -> int32[]"""
    return jnp.max(jnp.where(ok, jnp.arange(_RANKS, dtype=jnp.int32), 0))


def plays_of(rank: Array, suit: Array, wild: Array, worth: Array) -> Array:
    """The best cards for each of `PLAYS`.

    Args:
      rank: int32[H], 2..14, 0 = no card, a Stone card or one that cannot be seen; at most 32. suit: int32[H], 1..4.
      wild: bool[H], counts as every suit. worth: float32[H], which of two equal ranks is taken first.

    Returns:
      bool[10, H]: the cards of each play; none where the hand cannot make it.
    """
    there = rank > 0
    places = jnp.arange(rank.shape[0], dtype=jnp.int32)
    value = rank.astype(jnp.float32) * 64.0 + jnp.clip(worth, 0.0, 60.0)
    ahead = (value[:, None] < value[None]) | (
        (value[:, None] == value[None]) & (places[:, None] > places[None])
    )
    # Sets of cards as bits from here on: of each card those that are better, of each rank and suit its cards.
    better = to_bits(ahead & there[None])
    of_each_rank = places_of_each(rank, _RANKS)[:, 0].at[0].set(0)
    better_of_rank = better & of_each_rank[rank]
    nth_of_rank = size_of(better_of_rank[:, None])
    ranks = jnp.arange(_RANKS, dtype=jnp.int32)
    count = size_of(of_each_rank[:, None])

    def of_rank(wanted: Array, cards: int) -> Array:
        return there & (rank == wanted) & (nth_of_rank < cards) & (wanted > 0)

    pair, three, four, five = (_highest(count >= n) for n in (2, 3, 4, 5))
    other_pair = _highest((count >= 2) & (ranks != pair))
    under_three = _highest((count >= 2) & (ranks != three))
    two_pair = jnp.where(other_pair > 0, of_rank(pair, 2) | of_rank(other_pair, 2), False)
    house = (three > 0) & (under_three > 0) & (of_rank(three, 3) | of_rank(under_three, 2))
    # Suits: [4, H]
    in_suit = there[None] & ((suit[None] == jnp.arange(1, 5, dtype=jnp.int32)[:, None]) | wild[None])
    suits = to_bits(in_suit)
    best_five = in_suit & (size_of((better[None] & suits[:, None])[..., None]) < _LONGEST)
    strength = jnp.where(
        size_of(suits[:, None]) >= _LONGEST, jnp.sum(jnp.where(best_five, value[None], 0), axis=1), 0.0
    )
    flush = best_five[jnp.argmax(strength)] & (jnp.max(strength) > 0)
    straight = _straight(there, rank, of_each_rank, nth_of_rank)
    # Straight flush: the straights inside each suit.
    nth_in_both = size_of((better_of_rank[None] & suits[:, None])[..., None])
    inside = jnp.stack(
        [_straight(in_suit[s], rank, of_each_rank & suits[s], nth_in_both[s]) for s in range(4)]
    )
    strength = jnp.sum(jnp.where(inside, value[None], 0), axis=1)
    straight_flush = inside[jnp.argmax(strength)]
    return jnp.stack(
        [
            there & (better == 0), of_rank(pair, 2), two_pair, of_rank(three, 3), straight, flush,
            house, of_rank(four, 4), straight_flush, of_rank(five, 5),
        ]
    )  # fmt: skip


def _straight(member: Array, rank: Array, of_each_rank: Array, nth: Array) -> Array:
    """The highest straight. -> bool[H]

    Args:
      member: bool[H]. of_each_rank: uint32[15], members of each rank. nth: int32[H], how many better members of the
        same rank there are.
    """
    have = of_each_rank > 0
    have = have.at[1].set(have[_ACE])
    tops = jnp.arange(_LONGEST, _RANKS, dtype=jnp.int32)
    runs = jnp.stack([have[n : n + len(tops)] for n in range(1, _LONGEST + 1)])
    top = jnp.max(jnp.where(jnp.all(runs, axis=0), tops, 0))
    inside = (rank <= top) & (rank > top - _LONGEST)
    inside |= (rank == _ACE) & (top == _LONGEST)
    return member & (nth == 0) & inside & (top > 0)
