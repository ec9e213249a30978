"""Moving cards between lists of fixed size: draw pile, hand, discard pile; jokers and consumables."""

from dataclasses import replace
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env.bits import count_before
from jaxtro.env.scoring.hands import STONE
from jaxtro.env.state import Cards, Deck, Piles

Tree = TypeVar("Tree")

# Height of a suit in a sorted hand: Spades, Hearts, Clubs, Diamonds (run.md 4.3). Index: C D H S.
_SUIT_HEIGHT = (1, 0, 2, 3)
RANK, SUIT, RANK_ASCENDING, SUIT_ASCENDING = range(4)  # sort modes


def kept_order(keep: Array) -> tuple[Array, Array]:
    """Indices that move the kept places to the front, in order; N behind them. -> int32[N], count int32[]"""
    size = keep.shape[0]
    place = jnp.where(keep, count_before(keep), size)
    order = jnp.full(size, size, jnp.int32).at[place].set(jnp.arange(size, dtype=jnp.int32), mode="drop")
    return order, jnp.sum(keep, dtype=jnp.int32)


def keep_where(tree: Tree, keep: Array, empty: Tree) -> Tree:
    """Rows of a struct of arrays where `keep`, moved to the front; the rest is as in `empty`."""
    order, _ = kept_order(keep)

    def move(values: Array, blank: Array) -> Array:
        moved = values.at[order].get(mode="fill", fill_value=0)
        return jnp.where(_like(order < keep.shape[0], values), moved, jnp.asarray(blank, values.dtype))

    return jax.tree.map(move, tree, empty)


def _like(mask: Array, values: Array) -> Array:
    return mask.reshape(mask.shape + (1,) * (values.ndim - 1))


def set_row(tree: Tree, place: Array, row: Tree, when: Array | bool = True) -> Tree:
    """A struct of arrays with one row replaced, where `when` and the place exists."""

    def put(values: Array, value: Array) -> Array:
        at = jnp.where(when, place, values.shape[0])
        return values.at[at].set(jnp.asarray(value).astype(values.dtype), mode="drop")

    return jax.tree.map(put, tree, row)


# --- lists of places in the deck --------------------------------------------------------------------------


def without(places: Array, gone: Array) -> tuple[Array, Array]:
    """A list of places without some of its entries. -> the list, its length"""
    order, count = kept_order((places >= 0) & ~gone)
    return places.at[order].get(mode="fill", fill_value=-1), count


def append(places: Array, count: Array, new: Array, member: Array) -> tuple[Array, Array]:
    """Appends the entries of `new` where `member`, in order. -> the list, its length"""
    at = jnp.where(member, count + count_before(member), places.shape[0])
    return (
        places.at[at].set(new.astype(places.dtype), mode="drop"),
        count + jnp.sum(member, dtype=jnp.int32),
    )


def under(draw: Array, n_draw: Array, cards: Array, count: Array) -> tuple[Array, Array]:
    """Puts the first `count` of `cards` (bottom to top) under the draw pile. -> the pile, its length"""
    size = draw.shape[0]
    places = jnp.arange(size, dtype=jnp.int32)
    old = draw.at[jnp.clip(places - count, 0, size - 1)].get(mode="promise_in_bounds")
    padded = jnp.concatenate([cards, jnp.full(max(size - cards.shape[0], 0), -1, cards.dtype)])[:size]
    pile = jnp.where(places < count, padded, old)
    return jnp.where(places < count + n_draw, pile, -1).astype(draw.dtype), n_draw + count


def reversed_first(values: Array, count: Array) -> Array:
    """The first `count` entries in reverse order."""
    places = jnp.arange(values.shape[0], dtype=jnp.int32)
    return values[jnp.where(places < count, count - 1 - places, places)]


def hand_mask_of(piles: Piles, deck_mask: Array) -> Array:
    """Which places of the hand hold a card of a deck mask. bool[D] -> bool[H]"""
    return (piles.hand >= 0) & deck_mask[jnp.maximum(piles.hand, 0).astype(jnp.int32)]


def deck_mask_of(places: Array, member: Array, size: int) -> Array:
    """The deck places of some entries of a list. -> bool[D]"""
    at = jnp.where(member & (places >= 0), places.astype(jnp.int32), size)
    return jnp.zeros(size, bool).at[at].set(True, mode="drop")


def take_hand(deck: Deck, hand: Array) -> Cards:
    """The cards of the hand as the player's area; empty places have rank 0."""
    at, there = jnp.maximum(hand, 0).astype(jnp.int32), hand >= 0
    cards: Cards = jax.tree.map(lambda field: field[at], deck.cards)
    return replace(cards, rank=jnp.where(there, cards.rank, 0).astype(jnp.int8))


def deck_size(deck: Deck) -> Array:
    """Number of playing cards of the run. -> int32[]"""
    return jnp.sum(deck.cards.rank > 0, dtype=jnp.int32)


def add_card(
    deck: Deck, rank: Array, suit: Array, enhancement: Array, edition: Array, seal: Array, number: Array
) -> Deck:
    """Makes a new playing card at the first free place, `deck_size(deck)`; it lies in no pile yet.

    number: creation number, larger than that of every card of the deck (else use `insert_card`).
    """
    place, no = deck_size(deck), jnp.bool_(False)
    card = Cards(rank, suit, enhancement, edition, seal, jnp.int32(0), no)
    return set_row(deck, place, Deck(card, suit, no, no, no, number))


def insert_card(deck: Deck, piles: Piles, when: Array) -> tuple[Deck, Piles, Array]:
    """Moves the newest card of the deck to its place by creation number: it may have been offered earlier.

    Returns:
      deck, piles with their places renumbered, the place of the card (int32[]).
    """
    newest = deck_size(deck) - 1
    number = deck.number[jnp.maximum(newest, 0)]
    older = (deck.cards.rank > 0) & (deck.number < number)
    place = jnp.where(when, jnp.sum(older, dtype=jnp.int32), newest)
    deck = moved(deck, newest, place)

    def renumber(places: Array) -> Array:
        up = (places >= place) & (places < newest)
        return jnp.where(places == newest, place, places + up).astype(places.dtype)

    return (
        deck,
        replace(piles, draw=renumber(piles.draw), hand=renumber(piles.hand), discard=renumber(piles.discard)),
        place,
    )


def remove_cards(deck: Deck, piles: Piles, gone: Array) -> tuple[Deck, Piles]:
    """Takes destroyed cards out of the deck and of every pile; later places close up.

    gone: bool[D].
    """
    keep = (deck.cards.rank > 0) & ~gone
    moved = count_before(keep).astype(jnp.int8)
    empty = jax.tree.map(jnp.zeros_like, deck)
    deck = keep_where(deck, keep, empty)

    def renumber(places: Array) -> tuple[Array, Array]:
        at = jnp.maximum(places, 0).astype(jnp.int32)
        left, count = without(places, gone[at])
        return jnp.where(left >= 0, moved[jnp.maximum(left, 0).astype(jnp.int32)], -1).astype(
            places.dtype
        ), count

    (draw, n_draw), (hand, n_hand), (discard, n_discard) = (
        renumber(places) for places in (piles.draw, piles.hand, piles.discard)
    )
    return deck, Piles(draw, n_draw, hand, n_hand, discard, n_discard)


def sorted_hand(deck: Deck, hand: Array, mode: Array, by_age: Array) -> Array:
    """The hand in one of the four sort orders (run.md 4.3).

    Descending: higher ranks first, then Spades, Hearts, Clubs, Diamonds, then the printed suit, then the
    older card. Stone cards stand last: Diamonds, Clubs, Hearts, Spades, each by rank (K). Ascending is the
    reverse order. by_age: bool[], see `RunRules.sort_by_age`.
    """
    at, there = jnp.maximum(hand, 0).astype(jnp.int32), hand >= 0
    height = jnp.asarray(_SUIT_HEIGHT, jnp.int32)
    rank = deck.cards.rank[at].astype(jnp.int32)
    suit = height[deck.cards.suit[at].astype(jnp.int32)]
    printed = height[deck.printed_suit[at].astype(jnp.int32)]
    by_suit = (mode == SUIT) | (mode == SUIT_ASCENDING)
    printed = jnp.where(by_age, 0, printed)
    main = jnp.where(by_suit, suit * 16 + rank, rank * 4 + suit) * 4 + printed
    stone = deck.cards.enhancement[at] == STONE
    main = jnp.where(stone, ((3 - suit) * 16 + rank) - 1000, main)
    key = main * 256 + (255 - at)
    key = jnp.where((mode == RANK_ASCENDING) | (mode == SUIT_ASCENDING), -key, key)
    key = jnp.where(there, key, jnp.iinfo(jnp.int32).min)
    # Counting ranks: cheaper than a sort for so few.
    places = jnp.arange(hand.shape[0])
    ahead = (key[None, :] > key[:, None]) | (
        (key[None, :] == key[:, None]) & (places[None, :] < places[:, None])
    )
    new_place = jnp.sum(ahead, axis=1, dtype=jnp.int32)
    return jnp.zeros_like(hand).at[new_place].set(hand)


def moved(values: Tree, source: Array, target: Array) -> Tree:
    """A struct of arrays with one row moved to another place, the rows between shifted."""

    def move(array: Array) -> Array:
        places = jnp.arange(array.shape[0], dtype=jnp.int32)
        right = (places >= source) & (places < target)
        left = (places <= source) & (places > target)
        at = jnp.where(
            places == target, source, jnp.where(right, places + 1, jnp.where(left, places - 1, places))
        )
        return array[at]

    return jax.tree.map(move, values)
