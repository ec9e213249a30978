"""The joker pass (scoring.md 3, steps 8 and 9): editions, main effects, Baseball Card, Observatory."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.lookups import look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import amounts
from jaxtro.env.scoring.book import Trait
from jaxtro.env.scoring.lookup import Row, Slots, factor, factors, facts, holds
from jaxtro.env.scoring.view import View
from jaxtro.env.state import Jokers, ScoringState


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MainAmounts:
    """What each joker place gave in the joker pass, in this order: chips, mult, dollars, X Mult. [J]"""

    chips: Array
    mult: Array
    dollars: Array
    xmult: Array


def joker_pass(
    slots: Slots, view: View, of_hand: Array, jokers: Jokers, stored: Array, random: Array, blocked: Array,
    chips: Array, mult: Array, dollars: Array,
) -> tuple[Array, Array, Array, MainAmounts]:  # fmt: skip
    """Step 8: editions, main effects and joker-on-joker effects, from left to right.

    of_hand: uint32[], `facts` about the hand.
    """
    book, state = slots.book, view.state
    by_hand = factors(book, view, "main_per")
    other = slots.having(Trait.OTHER)
    editions = jnp.where(slots.active, jokers.edition, 0).astype(jnp.int32)
    takes_part = bits.to_bits((editions > 0) | ((slots.own > 0) & (other != 0))) | slots.having(Trait.MAIN)

    def joker(place: Array, carry: tuple[Array, Array, Array, MainAmounts]) -> Any:
        chips, mult, dollars, main = carry
        row, edition = slots.row(place), editions[place]
        acting = slots.joker(place, stored, state.money + dollars)
        found = of_hand | facts(book, book.main_facts, view, acting)
        acts = row.main & holds(found, row.main_if)
        by = factor(book, view, by_hand, row.main_per, acting)
        its_chips = jnp.where(acts, row.main_chips + _times(row.each_chips, by), 0.0)
        its_mult = jnp.where(acts, row.main_mult + _times(row.each_mult, by) + random[place], 0.0)
        its_xmult = jnp.where(acts, row.main_xmult + _times(row.each_xmult, by), 1.0)
        its_dollars = jnp.where(acts, row.main_dollars, 0)
        chips = chips + (look_up(amounts.EDITION_CHIPS, edition).astype(jnp.float64) + its_chips)
        mult = mult + look_up(amounts.EDITION_MULT, edition)
        mult = guard((mult + its_mult) * its_xmult)
        mult = _others(mult, Row(book, slots.own[place]).rarity, slots, other)
        mult = guard(mult * look_up(amounts.EDITION_XMULT, edition))
        given = MainAmounts(
            chips=bits.put(main.chips, place, its_chips),
            mult=bits.put(main.mult, place, its_mult),
            dollars=bits.put(main.dollars, place, its_dollars),
            xmult=bits.put(main.xmult, place, its_xmult),
        )
        return chips, mult, dollars + its_dollars, given

    size = slots.acting.shape[0]
    nothing = MainAmounts(jnp.zeros(size), jnp.zeros(size), jnp.zeros(size, jnp.int32), jnp.ones(size))
    return bits.for_each(jnp.where(blocked, 0, takes_part), joker, (chips, mult, dollars, nothing))


def _times(each: Array, by: Array) -> Array:
    """each * by; nothing is nothing even of an infinite number."""
    return jnp.where(each == 0, 0.0, guard(each * by))


def _others(mult: Array, rarity: Array, slots: Slots, jokers: Array) -> Array:
    """Jokers that act on another one, after it has acted (Baseball Card); rarity: int8[], of that one."""

    def joker(slot: Array, mult: Array) -> Array:
        row = slots.row(slot)
        return guard(mult * jnp.where(row.other_rarity == rarity, row.other_xmult, 1.0))

    return bits.for_each(jokers, joker, mult)


def observatory_planets(state: ScoringState, hand: Array) -> Array:
    """Held Planet cards of the poker hand, with Observatory. -> int32[]"""
    planets = jnp.sum(state.consumables == look_up(amounts.PLANETS, hand), dtype=jnp.int32)
    return jnp.where(state.observatory, planets, 0)


def observatory(mult: Array, planets: Array) -> Array:
    """Step 9: one multiplication for each planet, one after the other."""
    return while_loop(
        lambda carry: carry[0] > 0,
        lambda carry: (carry[0] - 1, guard(carry[1] * amounts.OBSERVATORY_XMULT)),
        (planets, mult),
    )[1]
