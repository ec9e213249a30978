"""Short texts for cards and jokers, as the calculator and tests write them.

A card is rank and suit, then what is special about it, in any order:
  KH  10S  TS      king of hearts, ten of spades (suits C D H S, ten is T or 10)
  ~steel           enhancement: bonus mult wild glass steel stone gold lucky
  @foil            edition: foil holo polychrome negative
  #red             seal: gold red blue purple
  +15              chips gained for good (Hiker)
  !                debuffed
A joker is its name or key, then:
  @poly            edition        !  debuffed        $7  sell value
  =12              its stored number: mult, chips or X Mult so far, uses left; of To Do List the poker hand
Cards are separated by spaces or commas, jokers by commas:
  "KH~steel#red 10S"    "Blueprint, Green Joker=12@foil"
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import numpy as np

import jaxtro
from jaxtro.env import rng
from jaxtro.env.scoring.book import BOOK, JokerBook
from jaxtro.env.scoring.card_features import RANKS
from jaxtro.env.state import (
    CONSUMABLE_CAPACITY,
    HAND_CAPACITY,
    JOKER_CAPACITY,
    Cards,
    Jokers,
    PokerHands,
    ScoringState,
    fresh_poker_hands,
    no_cards,
    no_jokers,
)
from jaxtro.tables import BLINDS, CONSUMABLES, EDITIONS, ENHANCEMENTS, HANDS, ITEMS, SEALS
from jaxtro.tables.pools import SUITS

_CARD = re.compile(r"(10|[2-9TJQKA])([CDHS])((?:[~@#][a-z_]+|\+\d+|!)*)", re.IGNORECASE)
_CARD_MARK = re.compile(r"([~@#])([a-z_]+)|\+(\d+)|(!)", re.IGNORECASE)
_JOKER = re.compile(r"((?:[^@!$=]|! )+)((?:@[a-z_ ]+|!|\$\d+|=[^@!$=]+)*)", re.IGNORECASE)
_JOKER_MARK = re.compile(r"@([a-z_ ]+)|(!)|\$(\d+)|=([^@!$=]+)", re.IGNORECASE)
_SHORT_EDITIONS = {"poly": "polychrome"}

_MOST = 10**9  # dollars, chips, levels, counts: they are kept as int32

# Numbers of `ScoringState` that may be given, with what a fresh run has.
NUMBERS: dict[str, int] = {
    "money": 4, "hands_left": 3, "discards_left": 3, "hands_played_this_round": 0, "hands_played": 0,
    "deck_size": 52, "starting_deck_size": 52, "cards_in_draw_pile": 44, "steel_in_deck": 0,
    "stone_in_deck": 0, "enhanced_in_deck": 0, "tarots_used": 0, "blinds_skipped": 0,
    "consumable_slots": 2, "joker_slots": 5,
}  # fmt: skip


def find_edition(text: str) -> int:
    """The id of an edition; "poly" is short for polychrome."""
    return EDITIONS.find(_SHORT_EDITIONS.get(text.strip().lower(), text))


def parse_cards(text: str, places: int = HAND_CAPACITY) -> Cards:
    """Reads cards, for example "KH~steel#red 10S@foil".

    Raises:
      ValueError: for a text that is no card, an unknown mark, or more cards than places.
    """
    words = text.replace(",", " ").split()
    if len(words) > places:
        raise ValueError(f"{len(words)} cards; at most {places} fit into a hand")
    cards = no_cards(places)
    for place, word in enumerate(words):
        found = _CARD.fullmatch(word)
        if not found:
            raise ValueError(
                f"{word!r} is no card. Write rank and suit, then marks: KH, 10S~steel, AC@foil#red+5!"
            )
        rank, suit, marks = found.groups()
        cards.rank[place] = 2 + RANKS.index(rank.upper().replace("10", "T"))
        cards.suit[place] = SUITS.index(suit.upper())
        for sign, name, chips, debuffed in _CARD_MARK.findall(marks):
            if sign == "~":
                cards.enhancement[place] = ENHANCEMENTS.find(name)
            elif sign == "@":
                cards.edition[place] = find_edition(name)
            elif sign == "#":
                cards.seal[place] = SEALS.find(name)
            elif chips:
                cards.bonus[place] = _int32(word, int(chips))
            elif debuffed:
                cards.debuffed[place] = True
    return cards


def card_text(cards: Cards, place: int) -> str:
    """The card at a place in the notation of `parse_cards`; "-" for none."""
    rank = int(cards.rank[place])
    if not rank:
        return "-"
    text = RANKS[rank - 2] + SUITS[int(cards.suit[place])]
    for sign, kind, number in (
        ("~", ENHANCEMENTS, cards.enhancement), ("@", EDITIONS, cards.edition), ("#", SEALS, cards.seal),
    ):  # fmt: skip
        if number[place]:
            text += sign + kind.keys[int(number[place])].removeprefix("m_").removeprefix("e_").lower()
    if cards.bonus[place]:
        text += f"+{int(cards.bonus[place])}"
    return text + ("!" if cards.debuffed[place] else "")


def parse_jokers(text: str, places: int = JOKER_CAPACITY, book: JokerBook = BOOK) -> Jokers:
    """Reads jokers, for example "Blueprint, Green Joker=12@foil".

    Raises:
      ValueError: for unknown jokers (with the nearest names), marks and numbers.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) > places:
        raise ValueError(f"{len(words)} jokers; at most {places} fit")
    jokers = no_jokers(places)
    for place, word in enumerate(words):
        found = _JOKER.fullmatch(word)
        if not found:
            raise ValueError(
                f"{word!r} is no joker. Write its name, then marks: Baron@poly, Green Joker=12$4!"
            )
        joker = book.kind.find(found[1].strip())
        jokers.id[place] = joker
        jokers.stored[place] = book.start(joker)
        jokers.sell[place] = book.sell_value(joker)
        for edition, debuffed, sell, stored in _JOKER_MARK.findall(found[2]):
            if edition:
                jokers.edition[place] = find_edition(edition)
            elif debuffed:
                jokers.debuffed[place] = True
            elif sell:
                jokers.sell[place] = _int32(word, int(sell))
            else:
                jokers.stored[place] = _stored(book, joker, stored.strip())
    return jokers


def _stored(book: JokerBook, joker: int, text: str) -> float:
    name, key = book.state_name(joker), book.keys[joker]
    if name is None:
        raise ValueError(f"{key} keeps no number; leave out '={text}'")
    if name == "hand":
        return float(HANDS.find(text))
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{key}={text}: {name} must be a number") from None
    if not 0 <= value < math.inf:
        raise ValueError(f"{key}={text}: {name} must be 0 or more, and finite")
    return value


def _int32(name: str, number: int) -> int:
    if abs(number) > _MOST:
        raise ValueError(f"{name}: {number} is too large; at most {_MOST}")
    return number


def _levels(
    levels: Mapping[str, int], played: Mapping[str, int], this_round: Mapping[str, int]
) -> PokerHands:
    hands = fresh_poker_hands()
    for given, field, least in (
        (levels, hands.level, 1), (played, hands.played, 0), (this_round, hands.played_this_round, 0),
    ):  # fmt: skip
        for name, number in given.items():
            if number < least:
                raise ValueError(f"{name}: {number} is too low; levels are 1 or more, counts 0 or more")
            field[HANDS.find(name)] = _int32(name, number)
    return PokerHands(hands.level, hands.played, hands.played_this_round, hands.visible | (hands.played > 0))


def _poker_hand(name: str | None) -> np.int32:
    return np.int32(HANDS.find(name) if name else -1)


def make_scoring_state(
    hand: str | Cards,
    jokers: str | Jokers = "",
    *,
    levels: Mapping[str, int] | None = None,
    played: Mapping[str, int] | None = None,
    played_this_round: Mapping[str, int] | None = None,
    boss: str | None = None,
    consumables: Iterable[str] = (),
    ancient_suit: str = "S",
    idol: str = "AS",
    most_played: str | None = None,
    eye_used: Iterable[str] = (),
    mouth_hand: str | None = None,
    plasma: bool = False,
    observatory: bool = False,
    seed: str = "TUTORIAL",
    book: JokerBook = BOOK,
    **numbers: int,
) -> ScoringState:
    """A state to score, from texts; everything not given is as in a fresh run.

    Args:
      hand: cards of the hand, left to right. jokers: left to right.
      levels, played, played_this_round: poker hand -> number.
      boss: key or name of a boss whose effect is on. consumables: keys or names.
      ancient_suit: suit of Ancient Joker. idol: card of The Idol. most_played: poker hand of The Ox.
      seed: seed of the random streams, all unused. numbers: see `NUMBERS`.

    Raises:
      ValueError: for anything unknown or out of range, saying what is allowed.
    """
    for name, number in numbers.items():
        if name not in NUMBERS:
            raise ValueError(f"unknown number {name!r}; known: {', '.join(NUMBERS)}")
        if number < 0 and name != "money":
            raise ValueError(f"{name}: {number} is below 0")
        _int32(name, number)
    owned = [ITEMS.keys.index(CONSUMABLES.keys[CONSUMABLES.find(name)]) for name in consumables]
    if len(owned) > CONSUMABLE_CAPACITY:
        raise ValueError(f"{len(owned)} consumables; at most {CONSUMABLE_CAPACITY} fit")
    if ancient_suit.upper() not in SUITS or len(ancient_suit) != 1:
        raise ValueError(f"ancient_suit: {ancient_suit!r} is none of C, D, H, S")
    idol_card = parse_cards(idol, 1)
    values: dict[str, Any] = {name: np.int32(numbers.get(name, empty)) for name, empty in NUMBERS.items()}
    eye = np.zeros(len(HANDS), bool)
    eye[[HANDS.find(name) for name in eye_used]] = True
    streams = _start_streams(jaxtro.encode_seed(seed), book.streams)
    return ScoringState(
        hand=parse_cards(hand) if isinstance(hand, str) else hand,
        jokers=parse_jokers(jokers, book=book) if isinstance(jokers, str) else jokers,
        poker_hands=_levels(levels or {}, played or {}, played_this_round or {}),
        consumables=np.array(owned + [0] * (CONSUMABLE_CAPACITY - len(owned)), np.int16),  # type: ignore[arg-type]
        boss=np.int32(BLINDS.find(boss) if boss else 0),  # type: ignore[arg-type]
        target_suit=np.int32(SUITS.index(ancient_suit.upper())),  # type: ignore[arg-type]
        idol_rank=np.int32(idol_card.rank[0]),  # type: ignore[arg-type]
        idol_suit=np.int32(idol_card.suit[0]),  # type: ignore[arg-type]
        most_played=_poker_hand(most_played),  # type: ignore[arg-type]
        eye_used=eye,  # type: ignore[arg-type]
        mouth_hand=_poker_hand(mouth_hand),  # type: ignore[arg-type]
        plasma=np.bool_(plasma),  # type: ignore[arg-type]
        observatory=np.bool_(observatory),  # type: ignore[arg-type]
        debuffed_if_changed=np.zeros(HAND_CAPACITY, bool),  # type: ignore[arg-type]
        chips_cap=np.float64(np.inf),  # type: ignore[arg-type]
        streams=streams,
        **values,
    )


_start_streams = jax.jit(lambda seed, names: rng.start_streams(seed, 1, names), static_argnums=1)
