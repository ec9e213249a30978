"""Named features of a card that jokers ask for ("suit_D", "face", "first_scoring" ...).

A joker's row names one or several, and acts on a card that has any of them. Each function takes the area of
the card and the view of the hand, and returns bool[N].
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.scoring.hands import CLUBS, DIAMONDS, HEARTS, SPADES, ranked
from jaxtro.env.scoring.view import Area, View
from jaxtro.tables import ENHANCEMENTS

Feature = Callable[[Area, View], Array]
_GOLD, _GLASS = (ENHANCEMENTS.keys.index(key) for key in ("m_gold", "m_glass"))
RANKS = "23456789TJQKA"
_NO_RANK = 15 * 64


def _rank(rank: int) -> Feature:
    return lambda area, view: ranked(area.cards) & (area.cards.rank == rank)


def _suit(suit: int) -> Feature:
    return lambda area, view: (area.suits >> suit) & 1 != 0


def _first(members: Array) -> Array:
    number = bits.to_bits(members)
    places = jnp.arange(members.shape[0], dtype=number.dtype)
    return ((number & (~number + 1)) >> places) == 1


def _target_card(area: Area, view: View) -> Array:
    suit = (area.suits >> view.state.idol_suit.astype(jnp.uint8)) & 1 != 0
    return ranked(area.cards) & (area.cards.rank == view.state.idol_rank) & suit


def _target_suit(area: Area, view: View) -> Array:
    return (area.suits >> view.state.target_suit.astype(jnp.uint8)) & 1 != 0


def _height(area: Area) -> Array:
    """Orders the cards that count and have a rank: by rank, then from right to left. -> int32[N]"""
    places = area.members.shape[0]
    key = area.cards.rank.astype(jnp.int32) * 64 + (63 - jnp.arange(places, dtype=jnp.int32))
    return jnp.where(area.members & ranked(area.cards), key, _NO_RANK)


def lowest_rank(area: Area) -> Array:
    """The lowest rank, 0 if no card has one. -> int32[]"""
    rank = jnp.min(_height(area)) // 64
    return jnp.where(rank == _NO_RANK // 64, 0, rank)


def _lowest_card(area: Area, view: View) -> Array:
    height = _height(area)
    return (height == jnp.min(height)) & (height < _NO_RANK)


FEATURES: dict[str, Feature] = {
    **{f"rank_{text}": _rank(number) for number, text in enumerate(RANKS, start=2)},
    "suit_C": _suit(CLUBS),
    "suit_D": _suit(DIAMONDS),
    "suit_H": _suit(HEARTS),
    "suit_S": _suit(SPADES),
    "face": lambda area, view: area.face,
    # Photograph: the first face card, debuffed ones passed over.
    "first_face": lambda area, view: _first(area.members & area.face),
    # Hanging Chad: the first scoring card; nothing if that one is debuffed.
    "first_scoring": lambda area, view: _first(area.members),
    "gold": lambda area, view: area.cards.enhancement == _GOLD,
    "glass": lambda area, view: area.cards.enhancement == _GLASS,
    "target_suit": _target_suit,
    "target_card": _target_card,
    # Raised Fist: the lowest held card, whether debuffed or not (a debuffed one then gives nothing).
    "lowest_rank": _lowest_card,
    # Dusk: every card of the last hand of the round.
    "last_hand": lambda area, view: jnp.broadcast_to(view.state.hands_left == 0, area.members.shape),
    "any": lambda area, view: jnp.ones_like(area.members),
}


# Features that a card has whichever cards score or are held with it.
ALONE = frozenset(
    [f"rank_{text}" for text in RANKS] + [f"suit_{suit}" for suit in "CDHS"]
    + ["face", "gold", "glass", "target_suit", "target_card", "last_hand", "any"]
)  # fmt: skip


def _rank_bits(area: Area) -> Array:
    low = jnp.maximum(area.cards.rank, 2) - 2
    return jnp.where(ranked(area.cards), jnp.uint32(1) << low.astype(jnp.uint32), jnp.uint32(0))


# Features that follow each other in `FEATURES` and cost less together than one by one, with a function that
# returns their bits: (area) -> uint32[N].
TOGETHER: dict[tuple[str, ...], Callable[[Area], Array]] = {
    tuple(f"rank_{text}" for text in RANKS): _rank_bits,
    ("suit_C", "suit_D", "suit_H", "suit_S"): lambda area: area.suits.astype(jnp.uint32),
}
