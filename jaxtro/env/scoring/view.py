"""What the rules of a hand look at while it is scored."""

from dataclasses import dataclass

import jax
from jax import Array

from jaxtro.env.scoring.hands import HandRules, PokerHand, joker_suits, ranked
from jaxtro.env.state import Cards, ScoringState


@dataclass(frozen=True)
class ActingJoker:
    """A joker whose effect runs: itself, or the one that a copying joker stands for.

    Attributes:
      place: int32[], where it is. stored: float64[], its number. money: int32[], dollars at this moment.
    """

    place: Array
    stored: Array
    money: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Area:
    """Cards that score or are held.

    Attributes:
      cards: `Cards`. members: bool[N], those that count. live: bool[N], not debuffed either.
      face: bool[N], live face cards. suits: uint8[N], suit bits for jokers.
    """

    cards: Cards
    members: Array
    live: Array
    face: Array
    suits: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class View:
    """One hand being scored.

    Attributes:
      state: before the hand. rules: jokers that bend the rules of hands. poker_hand: what was played.
      played: the chosen cards, with the changes made so far; `members` are the scoring ones.
      held: the cards left in hand, with the copies that DNA made. held_places: uint32[], their places without copies,
        as bits: the cards in hand are the same for every play, so what is found by place is found once for all.
      copies: int32[], copies of the played card that found room behind them; copied: int8[J], the enhancement of each.
      cards_played: int32[], chosen cards. boss_triggered: bool[], the boss acted on this hand.
    """

    state: ScoringState
    rules: HandRules
    poker_hand: PokerHand
    played: Area
    held: Area
    held_places: Array
    copies: Array
    copied: Array
    cards_played: Array
    boss_triggered: Array


JACK, KING = 11, 13


def area_of(cards: Cards, members: Array, rules: HandRules) -> Area:
    """The area of some cards; members: bool[N], those that count."""
    live = members & ~cards.debuffed
    printed = ranked(cards) & (cards.rank >= JACK) & (cards.rank <= KING)
    return Area(cards, members, live, live & (printed | rules.pareidolia), joker_suits(cards, rules.smeared))
