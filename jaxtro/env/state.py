"""The parts of a run that lie on the table, as pytrees of fixed shape."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng
from jaxtro.tables import HANDS

HAND_CAPACITY, JOKER_CAPACITY, CONSUMABLE_CAPACITY = 32, 16, 16


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Cards:
    """Playing cards of one area, left to right; places after the last card are empty.

    Attributes:
      rank: int8[N], 2..10, 11 jack, 12 queen, 13 king, 14 ace; 0 = no card. A Stone card keeps its rank here.
      suit: int8[N], 0 clubs, 1 diamonds, 2 hearts, 3 spades.
      enhancement, edition, seal: int8[N], ids of the tables, 0 = none.
      bonus: int32[N], chips gained for good (Hiker).
      debuffed: bool[N].
    """

    rank: Array
    suit: Array
    enhancement: Array
    edition: Array
    seal: Array
    bonus: Array
    debuffed: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Jokers:
    """The player's jokers, left to right; places after the last one are empty.

    Attributes:
      id: int16[J], id of `tables.JOKERS`, 0 = none.
      edition: int8[J].
      debuffed: bool[J].
      sell: int32[J], sell value in dollars.
      stored: float64[J], the number that the joker keeps; what it means is `scoring.state` of its row in
        `tables.JOKERS` (mult, chips, xmult, uses ...), for To Do List the id of the listed poker hand.
    """

    id: Array
    edition: Array
    debuffed: Array
    sell: Array
    stored: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PokerHands:
    """Levels and counters of the 12 poker hands, in the order of `tables.HANDS`.

    Attributes:
      level: int32[12]. played, played_this_round: int32[12]. visible: bool[12], listed in the run info.
    """

    level: Array
    played: Array
    played_this_round: Array
    visible: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ScoringState:
    """All that the score of a hand depends on. Scalars are int32 where nothing else is said.

    Attributes:
      hand: `Cards` with `HAND_CAPACITY` places. jokers: `Jokers`. poker_hands: `PokerHands`.
      consumables: int16[C], item ids, 0 = none.
      boss: id of the blind in `tables.BLINDS`, 0 when none is fought or its effect is switched off.
      money: dollars held before the hand.
      hands_left: hands left after this one is played. discards_left.
      hands_played_this_round, hands_played: without this hand.
      deck_size: cards of the full deck. starting_deck_size: at the start of the run.
      cards_in_draw_pile.
      steel_in_deck, stone_in_deck, enhanced_in_deck: cards of the full deck before the hand.
      tarots_used, blinds_skipped: in this run.
      target_suit: Ancient Joker's. idol_rank, idol_suit: The Idol's card.
      most_played: poker hand that The Ox looks for. -1 = none
      eye_used: bool[12], poker hands that The Eye has seen. mouth_hand: that The Mouth allows, -1 = any.
      consumable_slots, joker_slots: limits, with those that negative cards add.
      plasma, observatory: bool, Plasma Deck and the voucher Observatory.
      streams: the random streams; those of `SCORING_STREAMS` must have been started.
    """

    hand: Cards
    jokers: Jokers
    poker_hands: PokerHands
    consumables: Array
    boss: Array
    money: Array
    hands_left: Array
    discards_left: Array
    hands_played_this_round: Array
    hands_played: Array
    deck_size: Array
    starting_deck_size: Array
    cards_in_draw_pile: Array
    steel_in_deck: Array
    stone_in_deck: Array
    enhanced_in_deck: Array
    tarots_used: Array
    blinds_skipped: Array
    target_suit: Array
    idol_rank: Array
    idol_suit: Array
    most_played: Array
    eye_used: Array
    mouth_hand: Array
    consumable_slots: Array
    joker_slots: Array
    plasma: Array
    observatory: Array
    streams: rng.Streams


def no_cards(places: int) -> Cards:
    """An empty area, as numpy arrays."""
    small = {name: np.zeros(places, np.int8) for name in ("rank", "suit", "enhancement", "edition", "seal")}
    return Cards(**small, bonus=np.zeros(places, np.int32), debuffed=np.zeros(places, bool))  # type: ignore[arg-type]


def no_jokers(places: int) -> Jokers:
    """No jokers, as numpy arrays."""
    return Jokers(
        id=np.zeros(places, np.int16),  # type: ignore[arg-type]
        edition=np.zeros(places, np.int8),  # type: ignore[arg-type]
        debuffed=np.zeros(places, bool),  # type: ignore[arg-type]
        sell=np.zeros(places, np.int32),  # type: ignore[arg-type]
        stored=np.zeros(places, np.float64),  # type: ignore[arg-type]
    )


def fresh_poker_hands() -> PokerHands:
    """Every poker hand at level 1 and never played; the secret ones not visible."""
    zeros = np.zeros(len(HANDS), np.int32)
    visible = np.array([not row["secret"] for row in HANDS.rows])
    return PokerHands(level=zeros + 1, played=zeros, played_this_round=zeros.copy(), visible=visible)  # type: ignore[arg-type]


def take(cards: Cards, places: Array) -> Cards:
    """The cards at some places."""
    return jax.tree.map(lambda field: jnp.asarray(field)[places], cards)
