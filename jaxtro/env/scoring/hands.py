"""Which poker hand some cards are (scoring.md 2)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.lookups import look_up
from jaxtro.env.state import Cards
from jaxtro.tables import ENHANCEMENTS, HANDS

WILD, STONE = (ENHANCEMENTS.keys.index(key) for key in ("m_wild", "m_stone"))
CLUBS, DIAMONDS, HEARTS, SPADES = range(4)
_FLUSH_ORDER = (SPADES, HEARTS, CLUBS, DIAMONDS)  # the first suit with enough cards makes the flush
# Suit step of the highest card, D < C < H < S (hands.json, high_card_tiebreak).
_SUIT_STEP = np.array([1, 0, 2, 3], np.int32)
_ALL_SUITS = 0b1111


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HandRules:
    """Which of the jokers that bend the rules of hands are at work; bool[] each."""

    four_fingers: Array
    shortcut: Array
    smeared: Array
    splash: Array
    pareidolia: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PokerHand:
    """What was played.

    Attributes:
      hand: int32[], id of `tables.HANDS`.
      contains: bool[12], the hands inside it, as jokers see them.
      scoring: bool[5], the played cards that score.
    """

    hand: Array
    contains: Array
    scoring: Array


def ranked(cards: Cards) -> Array:
    """The cards that have a rank: there, and not Stone. -> bool[N]"""
    return (cards.rank > 0) & (cards.enhancement != STONE)


def _printed(cards: Cards, smeared: Array) -> Array:
    suit = jnp.uint8(1) << cards.suit.astype(jnp.uint8)
    red = (cards.suit == DIAMONDS) | (cards.suit == HEARTS)
    pair = jnp.where(red, jnp.uint8(1 << DIAMONDS | 1 << HEARTS), jnp.uint8(1 << CLUBS | 1 << SPADES))
    return jnp.where(smeared, pair, suit)


def flush_suits(cards: Cards, smeared: Array) -> Array:
    """The suits that each card passes for flushes and Blackboard, as bits. -> uint8[N]"""
    wild = (cards.enhancement == WILD) & ~cards.debuffed
    suits = jnp.where(wild, jnp.uint8(_ALL_SUITS), _printed(cards, smeared))
    return jnp.where(ranked(cards), suits, jnp.uint8(0))


def joker_suits(cards: Cards, smeared: Array) -> Array:
    """The suits that each card passes for jokers, as bits: none when debuffed. -> uint8[N]"""
    return jnp.where(cards.debuffed, jnp.uint8(0), flush_suits(cards, smeared))


def _straights() -> np.ndarray:
    """For each set of ranks (bit 0 = two ... bit 12 = ace) the ranks of its straight; 0 = none.

    uint16[4, 8192], row = four fingers + 2 * shortcut.
    """
    sets = np.arange(1 << 13)
    table = np.zeros((4, len(sets)), np.uint16)
    for row in range(4):
        needed, may_skip = (4 if row & 1 else 5), bool(row & 2)
        length, members = np.zeros_like(sets), np.zeros_like(sets)
        skipped, found, done = (np.zeros(len(sets), bool) for _ in range(3))
        for place in range(14):  # the ace counts below the two and above the king
            bit = (place - 1) % 13
            present = (sets >> bit & 1).astype(bool)
            skip = ~present & ~skipped & may_skip & (place != 13)
            broken = ~present & ~skip & ~done
            done |= broken & found
            broken &= ~found
            taken = present & ~done
            length = np.where(taken, length + 1, np.where(broken, 0, length))
            members = np.where(taken, members | 1 << bit, np.where(broken, 0, members))
            skipped = np.where(present | broken, False, skipped | skip)
            found |= taken & (length >= needed)
        table[row] = np.where(found, members, 0)
    return table


_STRAIGHTS = _straights()
_ROW = {name: number for number, name in enumerate(HANDS.keys)}


def detect(cards: Cards, rules: HandRules) -> PokerHand:
    """Finds the poker hand of up to five cards; empty places have rank 0.

    Args:
      cards: `Cards` with N places, debuffed cards take part.
      rules: the jokers that bend the rules.
    """
    there, has_rank = cards.rank > 0, ranked(cards)
    same = (cards.rank[:, None] == cards.rank[None, :]) & has_rank[:, None] & has_rank[None, :]
    group = jnp.sum(same, axis=1, dtype=jnp.int8)
    five, four, three = (jnp.any(group == size) for size in (5, 4, 3))
    pairs = jnp.sum(group == 2, dtype=jnp.int8) // 2

    needed = jnp.where(rules.four_fingers, 4, 5).astype(jnp.int8)
    suits = flush_suits(cards, rules.smeared)
    flush, flush_set = jnp.bool_(False), jnp.zeros_like(there)
    for suit in reversed(_FLUSH_ORDER):
        passing = (suits >> suit) & 1 != 0
        enough = jnp.sum(passing, dtype=jnp.int8) >= needed
        flush, flush_set = flush | enough, jnp.where(enough, passing, flush_set)

    rank_bit = jnp.clip(cards.rank.astype(jnp.int32) - 2, 0, 12)
    ranks = jnp.zeros((), jnp.int32)
    for place in range(cards.rank.shape[0]):
        ranks = ranks | jnp.where(has_rank[place], 1 << rank_bit[place], 0)
    row = rules.four_fingers.astype(jnp.int32) + 2 * rules.shortcut.astype(jnp.int32)
    run = jnp.asarray(_STRAIGHTS)[row, ranks].astype(jnp.int32)
    straight = run != 0
    straight_set = has_rank & ((run >> rank_bit) & 1 != 0)

    # The leftmost of equally high cards. A Stone card is never the highest; it scores anyway.
    height = jnp.where(
        has_rank, cards.rank.astype(jnp.int32) * 4 + look_up(_SUIT_STEP, cards.suit.astype(jnp.int32)), -1
    )
    highest = jnp.arange(cards.rank.shape[0]) == jnp.argmax(height)

    in_two, in_three = group == 2, group == 3
    full = three & (pairs >= 1)
    house_set = in_two | in_three
    rows = {
        "Flush Five": (five & flush, group == 5),
        "Flush House": (full & flush, house_set),
        "Five of a Kind": (five, group == 5),
        "Straight Flush": (flush & straight, flush_set | straight_set),
        "Four of a Kind": (four, group == 4),
        "Full House": (full, house_set),
        "Flush": (flush, flush_set),
        "Straight": (straight, straight_set),
        "Three of a Kind": (three, in_three),
        "Two Pair": ((pairs >= 2) | full, house_set),
        "Pair": (pairs >= 1, in_two),
        "High Card": (jnp.bool_(True), highest),
    }
    hand, scoring = jnp.int32(_ROW["High Card"]), highest
    for name in reversed(HANDS.keys):
        applies, members = rows[name]
        hand = jnp.where(applies, _ROW[name], hand)
        scoring = jnp.where(applies, members, scoring)
    contained = {name: applies for name, (applies, _) in rows.items()}
    for bigger, smaller in (
        ("Five of a Kind", "Four of a Kind"),
        ("Four of a Kind", "Three of a Kind"),
        ("Three of a Kind", "Pair"),
    ):
        contained[smaller] = contained[smaller] | contained[bigger]
    scoring = (scoring | rules.splash | (cards.enhancement == STONE)) & there
    return PokerHand(
        hand=hand.astype(jnp.int32),
        contains=jnp.stack([contained[name] for name in HANDS.keys]),
        scoring=scoring,
    )
