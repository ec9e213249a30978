"""Overwriting numbers and putting items into a run, as the game's debug tools do (trace_v1 `set` and `add`).

These are no actions of the player: no rule is checked and, but for a To Do List's hand, nothing is drawn.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env.areas import add_card, append, deck_size, set_row, under
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.owned import cards_added, get_consumable, get_joker, is_consumable, is_joker
from jaxtro.env.phases.creation import new_stored
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.state import Phase, State
from jaxtro.env.work import update
from jaxtro.tables.kinds import FIRST_VOUCHER
from jaxtro.tables.pools import FRONT_RANK, FRONT_SUIT


class Number(IntEnum):
    """Numbers that `set_number` overwrites."""

    MONEY = 0
    CHIPS = 1
    ANTE = 2
    ROUND = 3
    HANDS = 4
    DISCARDS = 5


def set_number(state: State, number: Array, value: Array) -> State:
    """Overwrites a number of the run; nothing else happens. number: `Number`, value: float64[]"""
    whole = value.astype(jnp.int32)
    run, now = state.run, state.round

    def either(which: Number, new: Array, old: Array) -> Array:
        return jnp.where(number == which, new, old)

    return replace(
        state,
        run=update(
            run,
            money=either(Number.MONEY, whole, run.money),
            ante=either(Number.ANTE, whole, run.ante),
            round=either(Number.ROUND, whole, run.round),
        ),
        round=update(
            now,
            chips=either(Number.CHIPS, value, now.chips),
            hands_left=either(Number.HANDS, whole, now.hands_left),
            discards_left=either(Number.DISCARDS, whole, now.discards_left),
        ),
    )


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Added:
    """Something to put into a run; scalars.

    Attributes:
      item: int32, of `tables.ITEMS` (joker, consumable, voucher), 0 for the others.
      pack: int32, of `tables.PACKS`. front: int32, playing card, -1 for the others.
      enhancement, edition, seal: int32. eternal, perishable, rental: bool.
    """

    item: Array
    pack: Array
    front: Array
    enhancement: Array
    edition: Array
    seal: Array
    eternal: Array
    perishable: Array
    rental: Array


def add_item(state: State, added: Added, book: JokerBook, events: JokerEvents) -> State:
    """Puts an item where it belongs: joker and consumable to the player, voucher and pack into the shop, a
    playing card into the hand during a round, else under the draw pile."""
    joker = is_joker(added.item)
    stored, streams = new_stored(book, state, state.streams, added.item, joker)
    state = replace(state, streams=streams)
    state = get_joker(
        state, added.item, stored, added.edition, added.eternal, added.perishable, added.rental, when=joker
    )
    state = get_consumable(state, added.item, added.edition > 0, is_consumable(added.item))
    shop = state.shop
    voucher = added.item >= FIRST_VOUCHER
    # The first place is kept for the voucher of the ante.
    free = 1 + jnp.argmin(shop.vouchers[1:] > 0)
    place = jnp.argmin(shop.packs > 0)
    state = replace(
        state,
        shop=replace(
            shop,
            vouchers=set_row(shop.vouchers, free, added.item, voucher),
            packs=set_row(shop.packs, place, added.pack, added.pack > 0),
        ),
    )
    card, in_round = added.front >= 0, state.phase == Phase.SELECTING_HAND
    front = jnp.maximum(added.front, 0)
    deck = add_card(
        state.deck, jnp.asarray(FRONT_RANK)[front], jnp.asarray(FRONT_SUIT)[front], added.enhancement,
        added.edition, added.seal, state.run.next_number,
    )  # fmt: skip
    new = deck_size(state.deck)
    deck = jax.tree.map(lambda yes, no: jnp.where(card, yes, no), deck, state.deck)
    piles = state.piles
    hand, n_hand = append(piles.hand, piles.n_hand, new.astype(jnp.int8)[None], (card & in_round)[None])
    below = (card & ~in_round).astype(jnp.int32)
    draw, n_draw = under(piles.draw, piles.n_draw, new.astype(jnp.int8)[None], below)
    state = replace(
        state,
        deck=deck,
        piles=replace(piles, hand=hand, n_hand=n_hand, draw=draw, n_draw=n_draw),
        run=update(state.run, next_number=state.run.next_number + card),
    )
    return cards_added(state, events, card.astype(jnp.int32))
