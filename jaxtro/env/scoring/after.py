"""After scoring (scoring.md 3, step 11): destroyed cards, created cards, jokers that wear off."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring.book import Trait
from jaxtro.env.scoring.lookup import Slots, facts, holds
from jaxtro.env.scoring.rolls import NUM_PLAYED, Rolls
from jaxtro.env.scoring.view import View
from jaxtro.env.state import ScoringState


def free_slots(state: ScoringState) -> Array:
    """Consumable slots that are free before the hand. -> int32[]"""
    return state.consumable_slots - jnp.sum(state.consumables > 0, dtype=jnp.int32)


def aftermath(
    slots: Slots,
    view: View,
    of_hand: Array,
    card_features: Array,
    stored: Array,
    rolls: Rolls,
    blocked: Array,
) -> tuple[Array, Array]:
    """Destroyed played cards, and what is created: by rolls, in the joker pass, by Sixth Sense."""
    book, state = slots.book, view.state
    free = free_slots(state)

    def create(made: tuple[Array, Array], wanted: Array) -> tuple[Array, Array]:
        count, created = made
        fits = (wanted > 0) & (count < free)
        return count + fits, jnp.where(fits, bits.put(created, count, wanted.astype(jnp.int8)), created)

    def main_create(place: Array, made: tuple[Array, Array]) -> tuple[Array, Array]:
        row = slots.row(place)
        found = of_hand | facts(book, book.main_facts, view, slots.joker(place, stored, state.money))
        return create(made, jnp.where(holds(found, row.main_if), row.main_create, 0))

    made = (jnp.sum(rolls.created > 0, dtype=jnp.int32), rolls.created)
    made = bits.for_each(jnp.where(blocked, 0, slots.having(Trait.CREATES)), main_create, made)

    def destroy(place: Array, carry: tuple[Array, tuple[Array, Array]]) -> Any:
        doomed, made = carry
        row = slots.row(place)
        mine = ((card_features & row.destroy_card) != 0) & view.played.members
        mine = mine & slots.itself(place) & holds(of_hand, row.destroy_if)
        # The first joker that destroys a card has its effect, further ones do not see the card.
        first = jnp.any(mine & ~doomed)
        return doomed | mine, create(made, jnp.where(first, row.destroy_create, 0))

    breaks = (rolls.broken >> jnp.arange(NUM_PLAYED, dtype=jnp.uint8)) & 1 != 0
    destroyers = jnp.where(blocked, 0, slots.having(Trait.DESTROYS))
    doomed, (_, created) = bits.for_each(destroyers, destroy, (jnp.zeros(NUM_PLAYED, bool), made))
    return doomed | breaks, created


def worn(slots: Slots, card_features: Array, destroyed: Array, stored: Array) -> tuple[Array, Array]:
    """Stored numbers after destroyed cards (Canio, Glass Joker) and after use (Ice Cream, Seltzer).

    Use counts for refused hands, too (not settled, scoring.md 8 item 2 recommends it).
    """

    def joker(place: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        stored, removed = carry
        row, itself = slots.row(place), slots.itself(place)
        gone = jnp.sum(destroyed & ((card_features & row.destroyed_card) != 0), dtype=jnp.int32)
        new = stored[place] + guard(row.destroyed_gain * gone.astype(jnp.float64))
        new = new - row.lose
        stored = bits.put(stored, place, jnp.where(itself, new, stored[place]))
        return stored, bits.put(removed, place, itself & (row.lose > 0) & (new <= 0))

    start = (stored, jnp.zeros(stored.shape, bool))
    return bits.for_each(slots.having(Trait.AFTER), joker, start)


def refused_dollars(slots: Slots, of_hand: Array) -> Array:
    """Dollars for a hand that the boss refuses (Matador)."""

    def joker(place: Array, dollars: Array) -> Array:
        row = slots.row(place)
        return dollars + jnp.where(holds(of_hand, row.main_if), row.main_dollars, 0)

    return bits.for_each(slots.having(Trait.MAIN), joker, jnp.int32(0))
