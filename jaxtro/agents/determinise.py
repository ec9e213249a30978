"""A run that is as likely as the real one for all that its player knows: everything hidden is drawn anew.

Search in such a run never sees the draw order, coming shops or a hidden card of the real one.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.env import random_seed
from jaxtro.env.state import Phase, State
from jaxtro.tables import BLINDS, VOUCHERS
from jaxtro.tables.kinds import FIRST_VOUCHER

# By number of the voucher (0 = none): the one that must be redeemed before.
_BASE = np.array(
    [0] + [VOUCHERS.keys.index(row["requires"][0]) if row["requires"] else 0 for row in VOUCHERS.rows]
)
_SMALL, _BIG = BLINDS.keys.index("bl_small"), BLINDS.keys.index("bl_big")


def _unseen_voucher(key: Array, state: State) -> Array:
    """Another voucher of the ante where no shop has shown it yet. -> int16[], item id"""
    run = state.run
    # A boss that fell has drawn the next ante's voucher, which the shop behind it shows.
    after_boss = (
        (state.phase == Phase.ROUND_EVAL) & (state.round.blind != _SMALL) & (state.round.blind != _BIG)
    )
    locked = state.rules.closed_items[FIRST_VOUCHER : FIRST_VOUCHER + len(VOUCHERS)]
    base = jnp.asarray(_BASE[1:])
    may = ~run.redeemed[1:] & ~locked & ((base == 0) | run.redeemed[base])
    drawn = jnp.argmax(jnp.where(may, jax.random.uniform(key, may.shape), -1.0)) + FIRST_VOUCHER
    hidden = (after_boss | ~run.shop_visited) & jnp.any(may) & (run.next_voucher > 0)
    return jnp.where(hidden, drawn.astype(run.next_voucher.dtype), run.next_voucher)


def determinise(key: Array, state: State) -> State:
    """The state with its hidden parts drawn anew.

    Unseen cards (draw pile and face-down cards of the hand) change places, face-down jokers too, a voucher that no shop
    has shown yet becomes another one, and all random streams get other numbers and another seed.

    Args:
      key: a JAX random key, of the agent's own.
    """
    of_cards, of_jokers, of_streams, of_hash, of_seed, of_voucher = jax.random.split(key, 6)
    piles, deck = state.piles, state.deck
    size = piles.draw.shape[0]
    at = jnp.maximum(piles.hand, 0).astype(jnp.int32)
    down = (piles.hand >= 0) & deck.face_down[at]
    in_draw = jnp.arange(size) < piles.n_draw
    # Unseen cards in a random order, first those that go to the hand's face-down places.
    unseen = (
        jnp.zeros(size, bool)
        .at[jnp.where(in_draw, piles.draw.astype(jnp.int32), size)]
        .set(True, mode="drop")
    )
    unseen = unseen.at[jnp.where(down, at, size)].set(True, mode="drop")
    order = jnp.argsort(jnp.where(unseen, jax.random.uniform(of_cards, (size,)), 2.0)).astype(jnp.int8)
    hidden = jnp.sum(down, dtype=jnp.int32)
    hand = jnp.where(down, order[jnp.maximum(jnp.cumsum(down) - 1, 0)], piles.hand)
    draw = jnp.where(in_draw, jnp.roll(order, -hidden), piles.draw)
    now_down = jnp.zeros(size, bool).at[jnp.where(down, hand.astype(jnp.int32), size)].set(True, mode="drop")
    face_down = jnp.where(unseen, now_down, deck.face_down)
    # A forced card that lies face down keeps its place, not its face.
    forced = state.round.forced.astype(jnp.int32)
    place = jnp.argmax((piles.hand == forced) & (forced >= 0))
    forced = jnp.where(forced >= 0, hand[place], state.round.forced).astype(state.round.forced.dtype)

    jokers = state.jokers
    turned = jokers.face_down & (jokers.id > 0) & ~jokers.pinned
    places = jnp.arange(turned.shape[0])
    mixed = jnp.argsort(jnp.where(turned, jax.random.uniform(of_jokers, turned.shape), 2.0))
    source = jnp.where(turned, mixed[jnp.maximum(jnp.cumsum(turned) - 1, 0)], places)

    streams = state.streams
    numbers = jax.random.uniform(of_streams, streams.states.shape, streams.states.dtype)
    streams = replace(
        streams,
        states=jnp.where(streams.states >= 0, numbers, streams.states),
        seed_hash=jax.random.uniform(of_hash, (), streams.seed_hash.dtype),
        seed=random_seed(of_seed),
    )
    return replace(
        state,
        piles=replace(piles, hand=hand, draw=draw),
        deck=replace(deck, face_down=face_down),
        round=replace(state.round, forced=forced),
        jokers=jax.tree.map(lambda values: values[source], jokers),
        run=replace(state.run, next_voucher=_unseen_voucher(of_voucher, state)),
        streams=streams,
    )
