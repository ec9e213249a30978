"""Moving cards between lists of fixed size: draw pile, hand, discard pile; jokers and consumables."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import bits
from jaxtro.env.bits import count_before, members_in, members_of, set_of
from jaxtro.env.calls import in_one_kernel, written_out
from jaxtro.env.lookups import PackedRows, element, rows_at
from jaxtro.env.loops import any_game
from jaxtro.env.reductions import int_sum
from jaxtro.env.scoring.hands import STONE
from jaxtro.env.state import Cards, Deck, Piles
from jaxtro.env.writes import put

Tree = TypeVar("Tree")
_FEW_ROWS = 32  # areas of up to so many rows are closed up in a loop over what was lost, on CPUs

RANK, SUIT, RANK_ASCENDING, SUIT_ASCENDING = range(4)  # sort modes


def kept_order(keep: Array) -> tuple[Array, Array]:
    """Indices that move the kept places to the front, in order; N behind them. -> int32[N], count int32[]"""
    kept = members_of(keep)
    return kept.places(0, keep.shape[0]), kept.count


def keep_where(tree: Tree, keep: Array, empty: Tree | None = None) -> Tree:
    """Rows of a struct of arrays where `keep`, moved to the front; the rest is as in `empty`.

    Args:
      tree: arrays [N, ...]. keep: bool[N].
      empty: a struct of numpy arrays, one value each; None = nothing but zeros.
    """
    if empty is None:
        return _closed_up(None)(tree, keep)
    return _closed_up(tuple(np.asarray(leaf).flat[0].item() for leaf in jax.tree.leaves(empty)))(tree, keep)


@functools.cache
def _closed_up(blanks: tuple[float, ...] | None) -> Callable[[Any, Array], Any]:
    """`keep_where` with a value for each field behind the rows that are kept."""
    return in_one_kernel(functools.partial(_keep_where, blanks))


def _keep_where(blanks: tuple[float, ...] | None, tree: Any, keep: Array) -> Any:
    size = keep.shape[0]
    if size > _FEW_ROWS or jax.default_backend() != "cpu":
        order, count = kept_order(keep)
        closed_up = rows_at(tree, jnp.minimum(order, size - 1))
    else:
        # Most of the time nothing is lost but at the end: holes are closed one by one, the last one first.
        word = bits.to_bits(keep)
        count = lax.population_count(word).astype(jnp.int32)
        places = jnp.arange(size, dtype=jnp.int32)

        def close(carry: tuple[Array, list[Array]]) -> tuple[Array, list[Array]]:
            holes, words = carry
            hole = bits.highest(holes)  # -1 if none is left: as an unsigned number behind all places
            behind = places.astype(jnp.uint32) >= hole.astype(jnp.uint32)
            closed = [
                jnp.where(_like(behind, one), jnp.concatenate([one[1:], one[-1:]]), one) for one in words
            ]
            return bits.without(holes, hole), closed

        rows = PackedRows(tree)
        holes = ~word & bits.below_highest(word)
        # Where no hole is left, none is closed: nothing has to be kept as it is.
        closed_up = rows.fields(
            lax.while_loop(lambda carry: any_game(carry[0] != 0), close, (holes, rows.words))[1]
        )
    there = jnp.arange(size) < count
    leaves, structure = jax.tree.flatten(closed_up)
    return jax.tree.unflatten(
        structure,
        [
            jnp.where(_like(there, values), values, jnp.asarray(blank, values.dtype))
            for values, blank in zip(leaves, blanks or [0] * len(leaves), strict=True)
        ],
    )


def _like(mask: Array, values: Array) -> Array:
    return mask.reshape(mask.shape + (1,) * (values.ndim - 1))


def set_row(tree: Tree, place: Array, row: Tree, when: Array | bool = True) -> Tree:
    """A struct of arrays with one row replaced, where `when` and the place exists."""

    here = jnp.asarray(when) & (jnp.arange(jax.tree.leaves(tree)[0].shape[0]) == place)

    def put(values: Array, value: Array) -> Array:
        # A selection can be fused with what makes the values and with what reads them, a scatter cannot.
        return jnp.where(_like(here, values), jnp.asarray(value).astype(values.dtype), values)

    return jax.tree.map(put, tree, row)


# --- lists of places in the deck --------------------------------------------------------------------------


def without(places: Array, gone: Array) -> tuple[Array, Array]:
    """A list of places without some of its entries. -> the list, its length"""
    order, count = kept_order((places >= 0) & ~gone)
    return places.at[order].get(mode="fill", fill_value=-1, wrap_negative_indices=False), count


def append(places: Array, count: Array, new: Array, member: Array) -> tuple[Array, Array]:
    """Appends the entries of `new` where `member`, in order. -> the list, its length"""
    at = jnp.where(member, count + count_before(member), places.shape[0])
    return (
        put(places, at, new),
        count + int_sum(member),
    )


def under(draw: Array, n_draw: Array, cards: Array, count: Array) -> tuple[Array, Array]:
    """Puts the first `count` of `cards` (bottom to top) under the draw pile. -> the pile, its length"""
    size = draw.shape[0]
    places = jnp.arange(size, dtype=jnp.int32)
    old = element(draw, jnp.clip(places - count, 0, size - 1))
    padded = jnp.concatenate([cards, jnp.full(max(size - cards.shape[0], 0), -1, cards.dtype)])[:size]
    pile = jnp.where(places < count, padded, old)
    return jnp.where(places < count + n_draw, pile, -1).astype(draw.dtype), n_draw + count


def reversed_first(values: Array, count: Array) -> Array:
    """The first `count` entries in reverse order."""
    places = jnp.arange(values.shape[0], dtype=jnp.int32)
    return values[jnp.where(places < count, count - 1 - places, places)]


def hand_mask_of(piles: Piles, deck_mask: Array) -> Array:
    """Which places of the hand hold a card of a deck mask. bool[D] -> bool[H]"""
    return (piles.hand >= 0) & element(deck_mask, jnp.maximum(piles.hand, 0).astype(jnp.int32))


def deck_mask_of(places: Array, member: Array, size: int) -> Array:
    """The deck places of some entries of a list. -> bool[D]"""
    return members_in(set_of(places, member, size), size)


# Bits of a card's fields in one number: first, how many. XLA's CPU backend gathers one element at a time, so the
# fields of a card are gathered as one.
_CARD_BITS = {
    "rank": (0, 4), "suit": (4, 2), "enhancement": (6, 4), "edition": (10, 3), "seal": (13, 3), "debuffed": (16, 1),
}  # fmt: skip
_FACE_DOWN, _PRINTED_SUIT = (17, 1), (18, 2)
_WORD = 32  # the bonus stands above these bits


def _word_of(deck: Deck) -> Array:
    """Each card of the deck as one number, but for its bonus. -> int32[D]"""
    word = (deck.face_down.astype(jnp.int32) << _FACE_DOWN[0]) | (
        deck.printed_suit.astype(jnp.int32) << _PRINTED_SUIT[0]
    )
    for name, (first, _) in _CARD_BITS.items():
        word |= getattr(deck.cards, name).astype(jnp.int32) << first
    return word


def _in_hand(of_deck: Array, hand: Array) -> Array:
    """A number of each card of the hand, 0 for none."""
    return jnp.where(hand >= 0, element(of_deck, jnp.maximum(hand, 0).astype(jnp.int32)), 0)


def _field(word: Array, place: tuple[int, int]) -> Array:
    first, count = place
    return (word >> first) & ((1 << count) - 1)


def see_hand(deck: Deck, hand: Array) -> tuple[Cards, Array]:
    """The cards of the hand as the player's area (empty places have rank 0), and which lie face down.

    hand: int8[H], places in the deck, -1 = none. -> `Cards`[H], bool[H]
    """
    both = _in_hand((deck.cards.bonus.astype(jnp.int64) << _WORD) | _word_of(deck), hand)
    word, bonus = both.astype(jnp.int32), (both >> _WORD).astype(jnp.int32)
    fields = {
        name: _field(word, place).astype(getattr(deck.cards, name).dtype)
        for name, place in _CARD_BITS.items()
    }
    return Cards(bonus=bonus, **fields), _field(word, _FACE_DOWN) != 0


def take_hand(deck: Deck, hand: Array) -> Cards:
    """The cards of the hand as the player's area; empty places have rank 0."""
    return see_hand(deck, hand)[0]


def deck_size(deck: Deck) -> Array:
    """Number of playing cards of the run. -> int32[]"""
    return int_sum(deck.cards.rank > 0)


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
    number = element(deck.number, jnp.maximum(newest, 0))
    older = (deck.cards.rank > 0) & (deck.number < number)
    place = jnp.where(when, int_sum(older), newest)
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
    deck = keep_where(deck, keep)

    def renumber(places: Array) -> tuple[Array, Array]:
        at = jnp.maximum(places, 0).astype(jnp.int32)
        left, count = without(places, element(gone, at))
        return jnp.where(left >= 0, element(moved, jnp.maximum(left, 0).astype(jnp.int32)), -1).astype(
            places.dtype
        ), count

    (draw, n_draw), (hand, n_hand), (discard, n_discard) = (
        renumber(places) for places in (piles.draw, piles.hand, piles.discard)
    )
    return deck, Piles(draw, n_draw, hand, n_hand, discard, n_discard)


def _height(suit: Array) -> Array:
    """Of a suit in a sorted hand: Spades 3, Hearts, Clubs, Diamonds 0 (run.md 4.3)."""
    return jnp.where(suit < 2, 1 - suit, suit)  # clubs (0) and diamonds (1) change places


def sorted_hand(deck: Deck, hand: Array, mode: Array, by_age: Array) -> Array:
    """The hand in one of the four sort orders (run.md 4.3).

    Descending: higher ranks first, then Spades, Hearts, Clubs, Diamonds, then the printed suit, then the
    older card. Stone cards stand last: Diamonds, Clubs, Hearts, Spades, each by rank (K). Ascending is the
    reverse order. by_age: bool[], see `RunRules.sort_by_age`.
    """
    # Written out, as are the keys: each would be computed again for everything that is made of it.
    word = written_out(_in_hand(_word_of(deck), hand))
    rank = _field(word, _CARD_BITS["rank"])
    suit, printed = (_height(_field(word, place)) for place in (_CARD_BITS["suit"], _PRINTED_SUIT))
    by_suit = (mode == SUIT) | (mode == SUIT_ASCENDING)
    printed = jnp.where(by_age, 0, printed)
    main = jnp.where(by_suit, suit * 16 + rank, rank * 4 + suit) * 4 + printed
    stone = _field(word, _CARD_BITS["enhancement"]) == STONE
    main = jnp.where(stone, ((3 - suit) * 16 + rank) - 1000, main)
    key = main * 256 + (255 - hand.astype(jnp.int32))
    key = jnp.where((mode == RANK_ASCENDING) | (mode == SUIT_ASCENDING), -key, key)
    # Empty places stand last, in order, so no two keys are alike.
    last = jnp.iinfo(jnp.int32).min + jnp.arange(hand.shape[0], 0, -1, dtype=jnp.int32)
    key = jnp.where(hand >= 0, key, last)
    # Counting ranks: cheaper than a sort for so few.
    key = written_out(key)
    ahead = key[None, :] > key[:, None]
    new_place = jnp.sum(ahead, axis=1, dtype=jnp.int32)
    return put(jnp.zeros_like(hand), new_place, hand)


def moved(values: Tree, source: Array, target: Array) -> Tree:
    """A struct of arrays with one row moved to another place, the rows between shifted."""

    places = jnp.arange(jax.tree.leaves(values)[0].shape[0], dtype=jnp.int32)
    right = (places >= source) & (places < target)
    left = (places <= source) & (places > target)
    at = jnp.where(
        places == target, source, jnp.where(right, places + 1, jnp.where(left, places - 1, places))
    )
    return rows_at(values, at)
