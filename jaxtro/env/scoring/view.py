"""What the rules of a hand look at while it is scored."""

from dataclasses import dataclass

from jax import Array

from jaxtro.env.scoring.hands import HandRules, PokerHand
from jaxtro.env.state import Cards, ScoringState


@dataclass(frozen=True)
class Slots:
    """The jokers as they act in this hand. All arrays are [J].

    Attributes:
      own: int16, ids of the jokers themselves, 0 = none (debuffed ones are kept).
      active: bool, there and not debuffed.
      acting: int16, id of the joker whose effects this place has: its own, or the copied one; 0 = none.
      target: int32, place of that joker.
      stored: float64, numbers stored by the jokers themselves.
    """

    own: Array
    active: Array
    acting: Array
    target: Array
    stored: Array


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


@dataclass(frozen=True)
class View:
    """One hand being scored.

    Attributes:
      state: before the hand. rules: jokers that bend the rules of hands. poker_hand: what was played.
      played: the chosen cards, with the changes made so far; `members` are the scoring ones.
      held: the cards left in hand. slots: the jokers.
      cards_played: int32[], chosen cards. boss_triggered: bool[], the boss acted on this hand.
      money: int32[], dollars now.
    """

    state: ScoringState
    rules: HandRules
    poker_hand: PokerHand
    played: Area
    held: Area
    slots: Slots
    cards_played: Array
    boss_triggered: Array
    money: Array
