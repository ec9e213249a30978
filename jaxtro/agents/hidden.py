"""Another run that looks the same to its player, for checks that nothing hidden is used; see also `determinise`."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from jaxtro.env.state import HAND_CAPACITY, State


def hidden_changed(state: State) -> State:
    """The state with everything that is hidden replaced: draw order, streams, faces of hidden cards."""
    piles, deck = state.piles, state.deck
    places = jnp.arange(piles.draw.shape[0])
    draw = piles.draw[jnp.where(places < piles.n_draw, piles.n_draw - 1 - places, places)]
    streams = replace(
        state.streams, states=1.0 - state.streams.states, seed_hash=1.0 - state.streams.seed_hash
    )
    # The first face-down card of the hand trades its face with the draw pile's next card.
    at = jnp.maximum(piles.hand, 0).astype(jnp.int32)
    down = (piles.hand >= 0) & deck.face_down[at]
    first = jnp.argmax(down)
    hidden = jnp.any(down) & (piles.n_draw > 0)
    card = jnp.where(hidden, at[first], 0)
    top = jnp.where(hidden, jnp.maximum(draw[0], 0), 0).astype(jnp.int32)
    hand = piles.hand.at[jnp.where(hidden, first, HAND_CAPACITY)].set(top.astype(jnp.int8), mode="drop")
    draw = draw.at[jnp.where(hidden, 0, draw.shape[0])].set(card.astype(jnp.int8), mode="drop")
    face_down = deck.face_down.at[card].set(jnp.where(hidden, False, deck.face_down[card]))
    face_down = face_down.at[top].set(jnp.where(hidden, True, face_down[top]))
    # Amber Acorn's jokers lie in another order.
    jokers = state.jokers
    count, at_joker = jnp.sum(jokers.id > 0), jnp.arange(jokers.id.shape[0])
    turned = jnp.all(jokers.face_down | (jokers.id == 0)) & ~jnp.any(jokers.pinned)
    order = jnp.where(turned & (at_joker < count), count - 1 - at_joker, at_joker)
    return replace(
        state,
        jokers=jax.tree.map(lambda values: values[order], jokers),
        streams=streams,
        piles=replace(piles, draw=draw, hand=hand),
        deck=replace(deck, face_down=face_down),
    )
