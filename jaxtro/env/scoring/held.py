"""The held pass (scoring.md 3, step 7)."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxtro.env import bits
from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import amounts
from jaxtro.env.scoring.book import Trait
from jaxtro.env.scoring.lookup import Slots, factor, factors
from jaxtro.env.scoring.view import Area, View


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Held:
    """Which held cards do something. Sets of cards are bits.

    Attributes:
      features: uint32[H]. steel, red: live Steel and Red Seal cards. repeats: int32[], by jokers (Mime).
      acts: the live cards that do something without a roll. rolls: those for which jokers roll.
      rolled_card: uint32[J], the features that a rolling joker asks for, 0 = none.
      jokers: places of jokers that act on held cards, as bits. mult: float64[J], that each of them gives.
    """

    features: Array
    steel: Array
    red: Array
    repeats: Array
    acts: Array
    rolls: Array
    rolled_card: Array
    jokers: Array
    mult: Array


def held_cards(slots: Slots, view: View, area: Area, features: Array, stored: Array, blocked: Array) -> Held:
    """Finds out what the held cards do. features: uint32[H]. stored: float64[J]."""
    by_hand = factors(slots.book, view, "held_per")

    def joker(place: Array, carry: tuple[Array, ...]) -> Any:
        sure, rolled, repeats, mult = carry
        row = slots.row(place)
        mine = jnp.where(row.held_rolled, row.held_card, jnp.uint32(0))
        acting = slots.joker(place, stored, view.state.money)
        by = factor(slots.book, view, by_hand, row.held_per, acting)
        return (
            sure | (row.held_card & ~mine),
            bits.put(rolled, place, mine),
            repeats + row.held_repeats,
            bits.put(mult, place, row.held_mult + guard(row.held_each * by)),
        )

    places, jokers = slots.acting.shape[0], slots.having(Trait.HELD)
    start = (jnp.uint32(0), jnp.zeros(places, jnp.uint32), jnp.int32(0), jnp.zeros(places))
    sure, rolled_card, repeats, mult = bits.for_each(jokers | slots.having(Trait.HELD_REPEATS), joker, start)
    live = area.live & ~blocked
    steel = area.cards.enhancement == amounts.STEEL
    return Held(
        features=features,
        steel=bits.to_bits(live & steel),
        red=bits.to_bits(live & (area.cards.seal == amounts.RED)),
        repeats=repeats,
        acts=bits.to_bits(live & (steel | ((features & sure) != 0))),
        rolls=bits.to_bits(live & ((features & bits.union(rolled_card)) != 0)),
        rolled_card=rolled_card,
        jokers=jokers,
        mult=mult,
    )


def times(held: Held, place: Array) -> Array:
    """Triggers of a held card, if the first one does something. -> int32[]"""
    red = jnp.where(bits.has(held.red, place), int(amounts.SEAL_REPEATS[amounts.RED]), 0)
    return 1 + red + held.repeats


def mult_after(mult: Array, held: Held, slots: Slots) -> Array:
    """Mult after the held pass."""

    def turn(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        left, done, mult = carry
        place = bits.lowest(left)
        features = held.features[place]
        mult = guard(mult * jnp.where(bits.has(held.steel, place), amounts.STEEL_XMULT, 1.0))

        def joker(slot: Array, mult: Array) -> Array:
            row = slots.row(slot)
            acts = ~row.held_rolled & ((features & row.held_card) != 0)
            mult = mult + jnp.where(acts, held.mult[slot], 0.0)
            return guard(mult * jnp.where(acts, row.held_xmult, 1.0))

        mult = bits.for_each(jnp.where(left != 0, held.jokers, 0), joker, mult)
        done = done + 1
        last = done >= times(held, place)
        return jnp.where(last, bits.without_lowest(left), left), jnp.where(last, 0, done), mult

    return lax.while_loop(lambda carry: carry[0] != 0, turn, (held.acts, jnp.int32(0), mult))[2]
