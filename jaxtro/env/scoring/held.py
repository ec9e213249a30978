"""The held pass (scoring.md 3, step 7)."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.compaction import compacted
from jaxtro.env.lookups import element
from jaxtro.env.loops import while_loop
from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import amounts
from jaxtro.env.scoring.book import Trait
from jaxtro.env.scoring.lookup import Slots, alone, factor, factors, features
from jaxtro.env.scoring.view import View, area_of
from jaxtro.env.state import Cards


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeldFeatures:
    """The features of held cards that jokers ask for, found once for all plays of a hand but for what a play changes.

    Attributes:
      cards: uint32[H], of the cards as they lie in the hand, whichever of them are played.
      copied: uint32[J], of the copies that DNA adds; copies: int32[], how many; first_copy: int32[], where they begin.
      sets: F times uint32[], the held cards with a feature that may depend on the other held cards (one that is not in
        `card_features.ALONE`, or that a book brings). masks: F times uint32[], its bit.
    """

    cards: Array
    copied: Array
    copies: Array
    first_copy: Array
    sets: list[Array]
    masks: list[Array]

    def at(self, place: Array | int) -> Array:
        """Those of one held card. -> uint32[]"""
        number = place - self.first_copy
        copied = element(self.copied, jnp.clip(number, 0, self.copied.shape[0] - 1))
        found = jnp.where((number >= 0) & (number < self.copies), copied, element(self.cards, place))
        for held, mask in zip(self.sets, self.masks, strict=True):
            found |= jnp.where(bits.has(held, place), mask, jnp.uint32(0))
        return found

    def having(self, wanted: Array, live: Array) -> Array:
        """The cards of a set (`live`, as bits) that have one of the wanted features. -> uint32[]"""
        new = bits.below(self.copies)
        found = bits.to_bits((self.cards & wanted) != 0)
        copies = _behind(bits.to_bits((self.copied & wanted) != 0) & new, self.first_copy, found)
        found = (found & ~_behind(new, self.first_copy, found)) | copies
        for held, mask in zip(self.sets, self.masks, strict=True):
            found |= jnp.where((mask & wanted) != 0, held, jnp.uint32(0))
        return found & live


def _behind(numbers: Array, first: Array, like: Array) -> Array:
    """The places of a set of numbers that are counted from a place, as a set like another (of 32 or 64 places)."""
    most = like.dtype.itemsize * 8
    moved = numbers.astype(like.dtype) << jnp.minimum(first, most - 1).astype(like.dtype)
    return jnp.where(first < most, moved, jnp.zeros_like(moved))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Held:
    """Which held cards do something. Sets of cards are bits: uint32[], uint64[] in hands of more than 32 places.

    Attributes:
      features: `HeldFeatures`. steel, red: live Steel and Red Seal cards. repeats: int32[], by jokers (Mime).
      acts: the live cards that do something without a roll. rolls: those for which jokers roll.
      rolled_card: uint32[J], the features that a rolling joker asks for, 0 = none.
      jokers: places of jokers that act on held cards, as bits. mult: float64[J], that each of them gives.
    """

    features: HeldFeatures
    steel: Array
    red: Array
    repeats: Array
    acts: Array
    rolls: Array
    rolled_card: Array
    jokers: Array
    mult: Array


def _kinds(cards: Cards) -> tuple[Array, Array, Array]:
    """Which cards are not debuffed, which are Steel and which have a Red Seal. -> uint32[] each"""
    there = (cards.rank > 0) & ~cards.debuffed
    return (
        bits.to_bits(there),
        bits.to_bits(cards.enhancement == amounts.STEEL),
        bits.to_bits(cards.seal == amounts.RED),
    )


def held_cards(slots: Slots, view: View, stored: Array, blocked: Array) -> Held:
    """Finds out what the held cards do.

    view: after the before pass. stored: float64[J].
    """
    book = slots.book
    by_hand = factors(book, view, "held_per")

    def joker(place: Array, carry: tuple[Array, ...]) -> Any:
        sure, rolled, repeats, mult = carry
        row = slots.row(place)
        mine = jnp.where(row.held_rolled, row.held_card, jnp.uint32(0))
        acting = slots.joker(place, stored, view.state.money)
        by = factor(book, view, by_hand, row.held_per, acting)
        return (
            sure | (row.held_card & ~mine),
            bits.put(rolled, place, mine),
            repeats + row.held_repeats,
            bits.put(mult, place, row.held_mult + guard(row.held_each * by)),
        )

    places, jokers = slots.acting.shape[0], slots.having(Trait.HELD)
    start = (jnp.uint32(0), jnp.zeros(places, jnp.uint32), jnp.int32(0), jnp.zeros(places))
    sure, rolled_card, repeats, mult = bits.for_each(jokers | slots.having(Trait.HELD_REPEATS), joker, start)

    # The cards in hand are the same for every play; only what a play copies (DNA) and what is held differs.
    hand, wanted = view.state.hand, book.features_in("held_card")
    of_cards, of_sets = wanted & alone(book), wanted & ~alone(book)
    size = jnp.sum(hand.rank > 0, dtype=jnp.int32)

    def copied(view: View) -> tuple[Array, tuple[Array, Array, Array]]:
        copies = jax.tree.map(lambda one: jnp.broadcast_to(one[0], view.copied.shape), view.played.cards)
        copies = replace(copies, enhancement=view.copied)
        area = area_of(copies, jnp.ones(view.copied.shape, bool), view.rules)
        return features(book, area, view, of_cards), _kinds(copies)

    copied_features, copy_kinds = compacted(copied)(view.copies > 0, view)
    there = bits.below(view.copies)
    copies = _behind(there, size, view.held_places)
    live, steel, red = (
        (of_hand & ~copies) | _behind(of_copies & there, size, of_hand)
        for of_hand, of_copies in zip(_kinds(hand), copy_kinds, strict=True)
    )
    numbers = [number for number in range(len(book.features)) if of_sets >> number & 1]
    in_hand = area_of(hand, hand.rank > 0, view.rules)
    found = HeldFeatures(
        cards=features(book, in_hand, view, of_cards),
        copied=copied_features,
        copies=view.copies,
        first_copy=size,
        sets=[bits.to_bits(features(book, view.held, view, 1 << number) != 0) for number in numbers],
        masks=[jnp.uint32(1 << number) for number in numbers],
    )
    live = jnp.where(blocked, jnp.uint32(0), live & ((view.held_places & ~copies) | copies))
    return Held(
        features=found,
        steel=live & steel,
        red=live & red,
        repeats=repeats,
        acts=(live & steel) | found.having(sure, live),
        rolls=found.having(bits.union(rolled_card), live),
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
        features = held.features.at(place)
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

    return while_loop(lambda carry: carry[0] != 0, turn, (held.acts, jnp.int32(0), mult))[2]
