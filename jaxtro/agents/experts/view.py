"""What the experts look at: a state without what the player cannot know.

Rules read a `State` more easily than an observation, so the experts do, too. This is the one place that takes the
hidden parts out of it: faces of face-down cards, the order of face-down jokers, the draw order, the random streams.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env.areas import deck_mask_of, kept_order, take_hand
from jaxtro.env.phases.playing import scoring_state
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import HAND_CAPACITY, Cards, Jokers, ScoringState, State

SEEN = 16  # visible hand cards that are looked at


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Seen:
    """The player's view of a round.

    Attributes:
      scoring: what scores depend on; its hand are the visible cards, moved to the front, `SEEN` places.
      place: int32[16], where each of these lies in the hand, 32 = none.
      forced: bool[16], must be played. down: bool[32], places of the hand with a face-down card.
      unseen: bool[D], cards of the deck that lie in the draw pile or face down: the player cannot tell which where.
    """

    scoring: ScoringState
    place: Array
    forced: Array
    down: Array
    unseen: Array


def look(state: State) -> Seen:
    """The player's view; see `Seen`."""
    hand, deck, size = state.piles.hand, state.deck, state.deck.cards.rank.shape[0]
    there = hand >= 0
    down = there & deck.face_down[jnp.maximum(hand, 0).astype(jnp.int32)]
    order, _ = kept_order(there & ~down)
    place = order[:SEEN]
    shown = take_hand(deck, hand)
    cards = Cards(*(row(getattr(shown, name), place) for name in Cards.__dataclass_fields__))
    scoring = scoring_state(state, BOOK)
    scoring = replace(
        scoring,
        hand=cards,
        debuffed_if_changed=row(scoring.debuffed_if_changed, place),
        jokers=known_jokers(scoring.jokers, jnp.any(state.jokers.face_down & (state.jokers.id > 0))),
        streams=jax.tree.map(jnp.zeros_like, scoring.streams),
    )
    discarded = deck_mask_of(state.piles.discard, state.piles.discard >= 0, size)
    seen = deck_mask_of(hand, there & ~down, size)
    forced = row(there & (hand == state.round.forced), place)
    return Seen(scoring, place, forced, down, (deck.cards.rank > 0) & ~seen & ~discarded)


def row(values: Array, places: Array) -> Array:
    """Values at some places, 0 or False where the place does not exist."""
    return values.at[places].get(mode="fill", fill_value=0)


def to_hand(chosen: Array, place: Array) -> Array:
    """Places of the whole hand for chosen visible cards. bool[16] -> bool[32]"""
    return jnp.zeros(HAND_CAPACITY, bool).at[place].set(chosen, mode="drop")


def known_jokers(jokers: Jokers, hidden: Array) -> Jokers:
    """The jokers; while they lie face down the player knows which there are, but not where: sorted by id then."""
    there = jokers.id > 0
    keys = (~there, jokers.id, jokers.edition, jokers.stored, jokers.sell)
    before, same = jnp.zeros((there.shape[0],) * 2, bool), jnp.ones((there.shape[0],) * 2, bool)
    for key in keys:
        before |= same & (key[:, None] < key[None])
        same &= key[:, None] == key[None]
    places = jnp.arange(there.shape[0])
    before |= same & (places[:, None] < places[None])
    rank = jnp.sum(before, axis=0)
    order = jnp.where(hidden, jnp.zeros_like(places).at[rank].set(places), places)
    return jax.tree.map(lambda values: values[order], jokers)
