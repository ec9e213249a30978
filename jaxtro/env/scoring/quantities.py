"""Named numbers of a hand that jokers multiply or compare ("discards_left", "steel_in_deck" ...).

Functions of `QUANTITIES` take the view of the hand; those of `JOKER_QUANTITIES` also take the joker that acts
(for a copying joker that is the copied one, scoring.md 4). All return a scalar: int32, "stored" float64.
"""

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import bits
from jaxtro.env.lookups import look_up
from jaxtro.env.scoring.card_features import lowest_rank
from jaxtro.env.scoring.hands import (
    CLUBS,
    DIAMONDS,
    HEARTS,
    SPADES,
    WILD,
    flush_suits,
    joker_suits,
    ranked,
)
from jaxtro.env.scoring.view import ActingJoker, View
from jaxtro.env.state import Cards
from jaxtro.tables import JOKERS

Quantity = Callable[[View], Array]
JokerQuantity = Callable[[View, ActingJoker], Array]
_STENCIL = JOKERS.keys.index("j_stencil")
_ACE = 14
# Chips of a rank id: 2-10, J, Q, K 10, A 11 (hands.json).
RANK_CHIPS = np.array([0, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 11], np.int32)


def _hand(view: View, values: Array) -> Array:
    return values[view.poker_hand.hand]


def stencil(view: View) -> Array:
    """Joker Stencil: empty places and Stencils (debuffed ones, too); nothing at 1 or below."""
    owned = jnp.sum(view.state.jokers.id > 0, dtype=jnp.int32)
    stencils = jnp.sum(view.state.jokers.id == _STENCIL, dtype=jnp.int32)
    return jnp.maximum(view.state.joker_slots - owned + stencils, 1)


def hands_played_as_often(view: View) -> Array:
    """Obelisk: other visible hands played at least as often as this one, this play counted."""
    hands, hand = view.state.poker_hands, view.poker_hand.hand
    others = jnp.arange(hands.played.shape[0]) != hand
    return jnp.sum(others & hands.visible & (hands.played >= hands.played[hand] + 1), dtype=jnp.int32)


def sell_value_of_others(view: View, joker: ActingJoker) -> Array:
    """Swashbuckler: sell values of all other jokers, debuffed ones too."""
    sell = jnp.where(view.state.jokers.id > 0, view.state.jokers.sell, 0)
    return jnp.sum(sell, dtype=jnp.int32) - sell[joker.place]


def red_cards_held(view: View) -> Array:
    """Blackboard: held cards that are neither Spade nor Club by the flush test (Stone fails it)."""

    def red(cards: Cards) -> Array:
        suits = flush_suits(cards, view.rules.smeared)
        return (cards.rank > 0) & (suits & (1 << CLUBS | 1 << SPADES) == 0)

    def copy(number: Array, count: Array) -> Array:
        card = jax.tree.map(lambda of_played: of_played[0], view.played.cards)
        return count + red(replace(card, enhancement=view.copied[number]))

    count = lax.population_count(bits.to_bits(red(view.state.hand)) & view.held_places).astype(jnp.int32)
    return bits.for_each(bits.below(view.copies), copy, count)


def suits_filled(view: View) -> Array:
    """Flower Pot: suits filled by the scoring cards, plain ones first (debuff ignored), then live Wild ones.

    A debuffed Wild card fills nothing (not settled in scoring.md 8, recommended there).
    """
    cards, members = view.played.cards, view.played.members
    wild = cards.enhancement == WILD
    passes = flush_suits(cards, view.rules.smeared)
    filled = jnp.zeros((), jnp.uint8)
    for place in range(members.shape[0]):
        free = passes[place] & ~filled
        chosen = jnp.zeros((), jnp.uint8)
        for suit in (CLUBS, SPADES, DIAMONDS, HEARTS):  # the first free one in the order H, D, S, C wins
            chosen = jnp.where((free >> suit) & 1 != 0, jnp.uint8(1 << suit), chosen)
        plain = members[place] & ~wild[place]
        filled = jnp.where(plain, filled | chosen, filled)
    wilds = jnp.sum(members & wild & ~cards.debuffed, dtype=jnp.int32)
    count = sum(((filled >> suit) & 1).astype(jnp.int32) for suit in range(4))
    return count + wilds  # four or more: all filled


def club_and_other_suit(view: View) -> Array:
    """Seeing Double: a Club and another suit among the live scoring cards; each Wild card is one of them."""
    cards, members = view.played.cards, view.played.members
    wild = cards.enhancement == WILD
    passes = joker_suits(cards, view.rules.smeared)
    plain = members & ~wild
    clubs = jnp.any(plain & ((passes >> CLUBS) & 1 != 0))
    others = jnp.any(plain & (passes & (1 << DIAMONDS | 1 << HEARTS | 1 << SPADES) != 0))
    wilds = jnp.sum(members & wild & ~cards.debuffed, dtype=jnp.int32)
    missing = (~clubs).astype(jnp.int32) + (~others).astype(jnp.int32)
    return (wilds >= missing).astype(jnp.int32)


def lowest_held_chips(view: View) -> Array:
    """Raised Fist: chips of the lowest held rank."""
    return look_up(RANK_CHIPS, lowest_rank(view.held))


def scoring_aces(view: View) -> Array:
    """Superposition: aces among the scoring cards."""
    played = view.played
    return jnp.sum(played.members & ranked(played.cards) & (played.cards.rank == _ACE), dtype=jnp.int32)


QUANTITIES: dict[str, Quantity] = {
    "cards_played": lambda view: view.cards_played,
    "discards_left": lambda view: view.state.discards_left,
    "hands_left": lambda view: view.state.hands_left,
    "hands_played_this_round": lambda view: view.state.hands_played_this_round,
    "times_played": lambda view: _hand(view, view.state.poker_hands.played) + 1,
    "times_played_before_this_round": lambda view: _hand(view, view.state.poker_hands.played_this_round),
    "hands_played_as_often": hands_played_as_often,
    "jokers": lambda view: jnp.sum(view.state.jokers.id > 0, dtype=jnp.int32),
    "stencil": stencil,
    "steel_in_deck": lambda view: view.state.steel_in_deck,
    "stone_in_deck": lambda view: view.state.stone_in_deck,
    "enhanced_in_deck": lambda view: view.state.enhanced_in_deck,
    "cards_in_draw_pile": lambda view: view.state.cards_in_draw_pile,
    "cards_missing": lambda view: jnp.maximum(view.state.starting_deck_size - view.state.deck_size, 0),
    "tarots_used": lambda view: view.state.tarots_used,
    "blinds_skipped": lambda view: view.state.blinds_skipped,
    "red_cards_held": red_cards_held,
    "suits_filled": suits_filled,
    "club_and_other_suit": club_and_other_suit,
    "lowest_held_chips": lowest_held_chips,
    "scoring_aces": scoring_aces,
    "money_before_hand": lambda view: view.state.money,
    "boss_triggered": lambda view: view.boss_triggered.astype(jnp.int32),
}

JOKER_QUANTITIES: dict[str, JokerQuantity] = {
    "stored": lambda view, joker: joker.stored,
    # Loyalty Card counts the run's hands from the one at which it was obtained.
    "hands_since_bought": lambda view, joker: view.state.hands_played - joker.stored.astype(jnp.int32),
    "listed_hand": lambda view, joker: (joker.stored.astype(jnp.int32) == view.poker_hand.hand).astype(
        jnp.int32
    ),
    "sell_value_of_others": sell_value_of_others,
    # Bull and Bootstraps see what this hand has earned so far; debts count as nothing.
    "money": lambda view, joker: jnp.maximum(joker.money, 0),
}
