"""Looking things up in the joker book while a hand is scored."""

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.calls import written_out
from jaxtro.env.lookups import element, look_up
from jaxtro.env.scoring.book import Condition, JokerBook
from jaxtro.env.scoring.card_features import ALONE, FEATURES, TOGETHER
from jaxtro.env.scoring.copying import resolve
from jaxtro.env.scoring.view import ActingJoker, Area, View
from jaxtro.env.state import Jokers
from jaxtro.tables import HANDS


class Row:
    """The book's columns for one (traced) joker id or several, read one by one: `row.played_mult`."""

    def __init__(self, book: JokerBook, joker: Array) -> None:
        self._book, self._joker = book, joker.astype(jnp.int32)

    def __getattr__(self, name: str) -> Array:
        return look_up(self._book.columns[name], self._joker)


@dataclass(frozen=True)
class Slots:
    """The jokers as they act in this hand.

    Attributes:
      book: the joker book. own: int16[J], ids of the jokers themselves, 0 = none (debuffed ones are kept).
      active: bool[J], there and not debuffed. target: int32[J], see `copying.resolve`.
      acting: int32[J], id of the joker whose effects each place has, 0 = none.
      own_traits, traits: uint32[J], traits of active jokers, and of those whose effects they have.
    """

    book: JokerBook
    own: Array
    active: Array
    target: Array
    acting: Array
    own_traits: Array
    traits: Array

    def row(self, place: Array | int) -> Row:
        """What the joker at a place does, perhaps as a copy."""
        return Row(self.book, element(self.acting, place))

    def itself(self, place: Array | int) -> Array:
        """Whether a place has its own effects: only then its stored number changes. -> bool[]"""
        return element(self.target, place) == place

    def having(self, trait: int) -> Array:
        """The places whose effects have a trait, as bits."""
        return _places(self.traits, trait)

    def owning(self, trait: int) -> Array:
        """The places of active jokers that have a trait themselves, as bits."""
        return _places(self.own_traits, trait)

    def joker(self, place: Array | int, stored: Array, money: Array) -> ActingJoker:
        """The joker that acts at a place."""
        target = jnp.maximum(element(self.target, place), 0)
        return ActingJoker(target, element(stored, target), money)


def _places(traits: Array, trait: int) -> Array:
    return bits.to_bits((traits >> int(trait)) & 1 != 0)


def slots_of(book: JokerBook, jokers: Jokers) -> Slots:
    """Finds out which jokers work and whose effects each place has."""
    active = (jokers.id > 0) & ~jokers.debuffed
    all_traits = jnp.asarray(book.traits)
    own_traits = jnp.where(active, all_traits[jokers.id.astype(jnp.int32)], 0)
    target = resolve(own_traits, active)
    acting = jnp.where(target >= 0, jokers.id[jnp.maximum(target, 0)], 0).astype(jnp.int32)
    found = (active, target, acting, own_traits, all_traits[acting])
    return Slots(book, jokers.id, *written_out(found))


def facts(
    book: JokerBook, conditions: tuple[Condition, ...], view: View, joker: ActingJoker | None = None
) -> Array:
    """The conditions that hold, as bits: those about the hand, or with `joker` those about that joker."""
    found, known = jnp.uint32(0), {}
    for number, fact in enumerate(conditions):
        if (fact.quantity in book.joker_quantities) != (joker is not None):
            continue
        if fact.quantity not in known:
            if joker is not None:
                known[fact.quantity] = book.joker_quantities[fact.quantity](view, joker)
            elif fact.quantity.startswith("contains "):
                hand = HANDS.keys.index(fact.quantity.removeprefix("contains "))
                known[fact.quantity] = view.poker_hand.contains[hand].astype(jnp.int32)
            else:
                known[fact.quantity] = book.quantities[fact.quantity](view)
        value = known[fact.quantity]
        value = value % fact.modulus if fact.modulus else value
        number_asked = jnp.asarray(fact.number, value.dtype)
        holds = {
            "==": value == number_asked, ">=": value >= number_asked, "<=": value <= number_asked,
        }[fact.compare]  # fmt: skip
        found = found | jnp.where(holds, jnp.uint32(1 << number), jnp.uint32(0))
    return found


def factors(book: JokerBook, view: View, used: str) -> Array:
    """Quantities that amounts of a column are multiplied with; single jokers' stay 0. -> float64[Q]"""
    numbers = set(book.columns[used].tolist())
    values = [jnp.float64(0)] * len(book.per)
    for number, (name, every) in enumerate(book.per):
        if number in numbers and name in book.quantities:
            values[number] = _scaled(book.quantities[name](view), every)
    return jnp.stack(values)


def factor(book: JokerBook, view: View, hoisted: Array, per: Array, joker: ActingJoker) -> Array:
    """The quantity that the amounts of one joker are multiplied with. -> float64[]"""
    found = hoisted[per.astype(jnp.int32)]
    for number, (name, every) in enumerate(book.per):
        if name in book.joker_quantities:
            value = _scaled(book.joker_quantities[name](view, joker), every)
            found = jnp.where(per == number, value, found)
    return found


def _scaled(value: Array, every: int) -> Array:
    return (value // every if every > 1 else value).astype(jnp.float64)


def features(book: JokerBook, area: Area, view: View, wanted: int) -> Array:
    """The wanted features of each card, as bits. -> uint32[N]"""
    found, names = jnp.zeros(area.members.shape, jnp.uint32), list(book.features)
    for together, bits_of in TOGETHER.items():
        mask, first = 0, names.index(together[0]) if together[0] in names else len(names)
        for number, name in enumerate(together, start=first):
            # A book may bring functions of its own under these names, or leave some out.
            if names[number : number + 1] == [name] and book.features[name] is FEATURES[name]:
                mask |= wanted & 1 << number
        if mask:
            found, wanted = found | (bits_of(area) << first) & jnp.uint32(mask), wanted & ~mask
    for number, function in enumerate(book.features.values()):
        if wanted >> number & 1:
            found = found | jnp.where(function(area, view), jnp.uint32(1 << number), jnp.uint32(0))
    return found


def alone(book: JokerBook) -> int:
    """The features, as bits, that a card has whichever other cards are with it."""
    return sum(
        1 << number
        for number, (name, function) in enumerate(book.features.items())
        if name in ALONE and function is FEATURES[name]
    )


def holds(found: Array, needed: Array) -> Array:
    """Whether all needed bits are there."""
    return (found & needed) == needed
