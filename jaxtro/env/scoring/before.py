"""The before pass (scoring.md 3, step 3), joker by joker from left to right."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.scoring.book import Trait
from jaxtro.env.scoring.lookup import Slots, facts, holds
from jaxtro.env.scoring.view import View, area_of


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Before:
    """What the before pass did.

    Attributes:
      enhancement: int8[5], of the played cards afterwards. stored: float64[J].
      copies: int32[], copies of the played card; copied: int8[J], the enhancement that each of them has.
      dollars: int32[J], paid by each joker. level_rolls: uint32[], places of jokers that roll for a level.
    """

    enhancement: Array
    stored: Array
    copies: Array
    copied: Array
    dollars: Array
    level_rolls: Array


def before_pass(slots: Slots, view: View, stored: Array, blocked: Array) -> Before:
    """Runs the pass. stored: float64[J], numbers of the jokers before the hand.

    Facts about the hand do not depend on what jokers do to the cards here, so jokers that change or copy
    cards and all others are two loops.
    """
    places = slots.acting.shape[0]
    start = Before(
        enhancement=view.played.cards.enhancement,
        stored=stored,
        copies=jnp.int32(0),
        copied=jnp.zeros(places, jnp.int8),
        dollars=jnp.zeros(places, jnp.int32),
        level_rolls=jnp.uint32(0),
    )
    of_hand = facts(slots.book, slots.book.before_facts, view)
    cards = slots.having(Trait.CARDS_BEFORE)
    start = bits.for_each(
        jnp.where(blocked, 0, cards), lambda *now: _cards(slots, view, of_hand, *now), start
    )
    added = jnp.where(start.copies > 0, slots.having(Trait.CARD_ADDED), 0)
    start = replace(start, stored=bits.for_each(added, lambda *now: _added(slots, start, *now), start.stored))
    others = slots.having(Trait.BEFORE)
    return bits.for_each(
        jnp.where(blocked, 0, others), lambda *now: _joker(slots, view, of_hand, *now), start
    )


def _cards(slots: Slots, view: View, of_hand: Array, place: Array, done: Before) -> Before:
    """A joker that changes the scoring cards or copies the played card as it is by now."""
    row, itself = slots.row(place), slots.itself(place)
    copies = row.copy_card & holds(of_hand, row.before_if)
    cards = replace(view.played.cards, enhancement=done.enhancement)
    area = area_of(cards, view.poker_hand.scoring, view.rules)
    enhancement, old, new = done.enhancement, done.stored[place], done.stored[place]
    for number, function in enumerate(slots.book.changes.values(), start=1):
        changed, gained, zeroed = function(area, row.gain)
        this = (row.change == number) & itself
        enhancement = jnp.where(this, changed, enhancement)
        new = jnp.where(this, jnp.where(zeroed, 0.0, old) + gained, new)
    copy = jnp.where(copies, done.enhancement[0], done.copied[done.copies])
    return replace(
        done,
        enhancement=enhancement,
        stored=bits.put(done.stored, place, new),
        copied=bits.put(done.copied, done.copies, copy),
        copies=done.copies + copies,
    )


def _added(slots: Slots, before: Before, place: Array, stored: Array) -> Array:
    """A joker that gains for cards added to the deck (Hologram)."""
    gain = slots.row(place).added_gain * before.copies.astype(jnp.float64)
    return bits.put(stored, place, stored[place] + jnp.where(slots.itself(place), jnp.abs(gain), 0.0))


def _joker(slots: Slots, view: View, of_hand: Array, place: Array, done: Before) -> Before:
    """Any other joker: it gains or resets its number, pays, or rolls for a level."""
    book, row, itself = slots.book, slots.row(place), slots.itself(place)
    acting = slots.joker(place, done.stored, view.state.money)
    found = of_hand | facts(book, book.before_facts, view, acting)
    acts, old = holds(found, row.before_if), done.stored[place]
    reset = row.has_reset & holds(found, row.reset_if)
    new = jnp.where(reset, row.reset_to, old + row.gain)
    rolls = acts & (row.level_up > 0)
    return replace(
        done,
        stored=bits.put(done.stored, place, jnp.where(itself & acts, new, old)),
        dollars=bits.put(done.dollars, place, jnp.where(acts, row.before_dollars, 0)),
        level_rolls=done.level_rolls | (rolls.astype(jnp.uint32) << place.astype(jnp.uint32)),
    )
