"""For each poker hand the best cards that make it: a cheap list of plays, without jokers and their bent rules.

Networks get it as a feature of each card, experts score these few sets in place of all 218.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array

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
    """The highest rank with a property, 0 = none. ok: bool[15]"""
    return jnp.max(jnp.where(ok, jnp.arange(_RANKS), 0))


def plays_of(rank: Array, suit: Array, wild: Array, worth: Array) -> Array:
    """The best cards for each of `PLAYS`.

    Args:
      rank: int32[H], 2..14, 0 = no card, a Stone card or one that cannot be seen. suit: int32[H], 1..4.
      wild: bool[H], counts as every suit. worth: float32[H], which of two equal ranks is taken first.

    Returns:
      bool[10, H]: the cards of each play; none where the hand cannot make it.
    """
    there = rank > 0
    places = jnp.arange(rank.shape[0])
    value = rank.astype(jnp.float32) * 64.0 + jnp.clip(worth, 0.0, 60.0)
    better = (value[:, None] < value[None]) | (
        (value[:, None] == value[None]) & (places[:, None] > places[None])
    )
    better &= there[None]
    same_rank = rank[:, None] == rank[None]
    nth_of_rank = jnp.sum(better & same_rank, axis=1)
    ranks = jnp.arange(_RANKS)
    count = jnp.sum((rank[None] == ranks[:, None]) & there[None], axis=1)

    def of_rank(wanted: Array, cards: int) -> Array:
        return there & (rank == wanted) & (nth_of_rank < cards) & (wanted > 0)

    pair, three, four, five = (_highest((count >= n) & (ranks > 0)) for n in (2, 3, 4, 5))
    other_pair = _highest((count >= 2) & (ranks != pair) & (ranks > 0))
    under_three = _highest((count >= 2) & (ranks != three) & (ranks > 0))
    two_pair = jnp.where(other_pair > 0, of_rank(pair, 2) | of_rank(other_pair, 2), False)
    house = (three > 0) & (under_three > 0) & (of_rank(three, 3) | of_rank(under_three, 2))
    # Suits: [4, H]
    in_suit = there[None] & ((suit[None] == jnp.arange(1, 5)[:, None]) | wild[None])
    nth_of_suit = jnp.sum(better[None] & in_suit[:, None, :], axis=2)
    best_five = in_suit & (nth_of_suit < _LONGEST)
    strength = jnp.where(
        jnp.sum(in_suit, axis=1) >= _LONGEST, jnp.sum(jnp.where(best_five, value[None], 0), axis=1), 0.0
    )
    flush = best_five[jnp.argmax(strength)] & (jnp.max(strength) > 0)
    straight = _straight(there, rank, nth_of_rank)
    # Straight flush: the straights inside each suit.
    nth_in_both = jnp.sum((better & same_rank)[None] & in_suit[:, None, :], axis=2)
    inside = jnp.stack([_straight(in_suit[s], rank, nth_in_both[s]) for s in range(4)])
    strength = jnp.sum(jnp.where(inside, value[None], 0), axis=1)
    straight_flush = inside[jnp.argmax(strength)]
    return jnp.stack(
        [
            there & (jnp.sum(better, axis=1) == 0), of_rank(pair, 2), two_pair, of_rank(three, 3), straight, flush,
            house, of_rank(four, 4), straight_flush, of_rank(five, 5),
        ]
    )  # fmt: skip


def _straight(member: Array, rank: Array, nth: Array) -> Array:
    """The highest straight. nth: int32[H], how many better cards of the same rank there are. -> bool[H]"""
    ranks = jnp.arange(_RANKS)
    have = jnp.any((rank[None] == ranks[:, None]) & member[None], axis=1)
    have = have.at[1].set(have[_ACE])
    tops = jnp.arange(_LONGEST, _RANKS)
    runs = jnp.stack([have[n : n + len(tops)] for n in range(1, _LONGEST + 1)])
    top = jnp.max(jnp.where(jnp.all(runs, axis=0), tops, 0))
    inside = (rank <= top) & (rank > top - _LONGEST)
    inside |= (rank == _ACE) & (top == _LONGEST)
    return member & (nth == 0) & inside & (top > 0)
