"""Actions, and the one place that says what may be done when (run.md 3, 4, 7, 8)."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.areas import deck_size
from jaxtro.env.bits import has, to_bits
from jaxtro.env.calls import written_out
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.lookups import element, joined, look_up
from jaxtro.env.owned import (
    NEGATIVE,
    consumable_count,
    credit,
    free_consumable_slots,
    free_joker_slots,
    has_voucher,
    is_consumable,
    is_joker,
    joker_count,
    offer_prices,
    pack_prices,
    voucher_price,
)
from jaxtro.env.phases import consumables as cons
from jaxtro.env.phases.blind_select import BOSS, BOSS_REROLL_COST
from jaxtro.env.phases.shop import reroll_price, there
from jaxtro.env.scoring.rolls import NUM_PLAYED
from jaxtro.env.state import (
    CONSUMABLE_CAPACITY,
    DECK_CAPACITY,
    HAND_CAPACITY,
    JOKER_CAPACITY,
    PACK_CARDS,
    Offers,
    Phase,
    State,
)
from jaxtro.env.writes import put

SLOTS = 32  # places that a slot can mean: hand cards (moves) are the most


class Kind(IntEnum):
    """Kinds of actions; numbers are only ever appended."""

    SELECT = 0
    SKIP = 1
    REROLL_BOSS = 2
    PLAY = 3
    DISCARD = 4
    SORT = 5
    MOVE_HAND = 6
    MOVE_JOKER = 7
    MOVE_CONSUMABLE = 8
    USE = 9
    SELL_JOKER = 10
    SELL_CONSUMABLE = 11
    CASH_OUT = 12
    BUY_CARD = 13
    BUY_VOUCHER = 14
    BUY_PACK = 15
    REROLL = 16
    PICK = 17
    SKIP_PACK = 18
    NEXT_ROUND = 19
    BUY_AND_USE = 20


NUM_KINDS = len(Kind)
SORTS = ("rank", "suit", "rank ascending", "suit ascending")  # what the slot of SORT names, from 0
# Kinds with a slot: what the slot means.
SLOT_MEANING = {
    Kind.SORT: ", ".join(f"{mode} {name}" for mode, name in enumerate(SORTS)),
    Kind.MOVE_HAND: "hand card", Kind.MOVE_JOKER: "joker", Kind.MOVE_CONSUMABLE: "consumable",
    Kind.USE: "consumable", Kind.SELL_JOKER: "joker", Kind.SELL_CONSUMABLE: "consumable",
    Kind.BUY_CARD: "shop card", Kind.BUY_VOUCHER: "voucher", Kind.BUY_PACK: "pack", Kind.PICK: "pack card",
    Kind.BUY_AND_USE: "shop card",
}  # fmt: skip
MOVES = (Kind.MOVE_HAND, Kind.MOVE_JOKER, Kind.MOVE_CONSUMABLE)
CARD_KINDS = (Kind.PLAY, Kind.DISCARD, Kind.USE, Kind.PICK, Kind.BUY_AND_USE)
MOST_CARDS = NUM_PLAYED  # that a player can choose at once


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Action:
    """One action of the player.

    Attributes:
      kind: int32[], `Kind`.
      cards: bool[32], cards of the hand (play, discard, targets of a consumable).
      slot: int32[], place that the kind acts on, see `SLOT_MEANING`; for moves where the card is.
      to: int32[], for moves the place where the card goes.
    """

    kind: Array
    cards: Array
    slot: Array
    to: Array


def make_action(kind: Kind | int, slot: int = 0, cards: Iterable[int] = (), to: int = 0) -> Action:
    """An action from numbers.

    Args:
      kind: `Kind` or its number. slot: see `SLOT_MEANING`. cards: places in the hand, 0 is the leftmost.
      to: for moves the place where the card goes.

    Raises:
      ValueError: for an unknown kind, a place outside 0 to 31, a card named twice. Numbers that are traced (inside
        jit) are not checked; an action with a wrong one is illegal, but wrong `cards` are left out.
    """
    cards = list(cards)
    if _number("kind", kind) not in (None, *Kind):
        known = ", ".join(f"{one.value} {one.name}" for one in Kind)
        raise ValueError(f"kind {kind}: there is no such action; known: {known}")
    named = [("slot", slot, SLOTS), ("to", to, SLOTS), *(("cards", card, HAND_CAPACITY) for card in cards)]
    for name, place, count in named:
        number = _number(name, place)
        if number is not None and not 0 <= number < count:
            raise ValueError(f"{name} has the place {number}; give places from 0 to {count - 1}")
    places = [number for card in cards if (number := _number("cards", card)) is not None]
    if len(set(places)) != len(places):
        raise ValueError(f"cards {places}: a place is there twice; name each card once")
    chosen = jnp.zeros(HAND_CAPACITY, bool)
    for card in cards:
        chosen = put(chosen, card, True)
    return Action(jnp.int32(kind), chosen, jnp.int32(slot), jnp.int32(to))


def _number(name: str, value: Any) -> int | None:
    """The value as a plain whole number, None if it is traced and so not known."""
    if isinstance(value, jax.core.Tracer):
        return None
    try:
        return operator.index(value)
    except TypeError as error:
        raise ValueError(f"{name} is {value!r}; give a whole number") from error


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Legal:
    """What may be done; True = legal. An action is legal when every part of it is.

    Attributes:
      kind: bool[21], some action of this kind is legal.
      slot: bool[21, 32], slots of the kinds that have one; for other kinds slot 0.
      min_cards, max_cards: int8[21, 32], how many hand cards must be chosen with that slot.
      card: bool[32], hand cards that can be chosen. forced: bool[32], that must be (Cerulean Bell).
      plain_card: bool[32], hand cards that Aura takes; plain_only: bool[21, 32], slots that take only those.
      to: bool[21, 32], places that a move may end at.
    """

    kind: Array
    slot: Array
    min_cards: Array
    max_cards: Array
    card: Array
    forced: Array
    plain_card: Array
    plain_only: Array
    to: Array


def finished(state: State) -> Array:
    """Whether the run is over: lost, or won and not endless. -> bool[]"""
    return (state.phase == Phase.GAME_OVER) | (state.run.won & ~state.run.endless)


def _fits(state: State, offers: Offers) -> Array:
    """Which offers could be taken into the player's areas now. -> bool[N]"""
    negative = offers.edition == NEGATIVE
    joker = is_joker(offers.id) & ((free_joker_slots(state) > 0) | negative)
    joker &= joker_count(state.jokers) < JOKER_CAPACITY
    room = (free_consumable_slots(state) > 0) & (consumable_count(state.consumables) < CONSUMABLE_CAPACITY)
    card = (offers.id == 0) & (deck_size(state.deck) < DECK_CAPACITY)
    return there(offers) & (joker | (is_consumable(offers.id) & room) | card)


def _usable(state: State, ids: Array, frees_slot: Array) -> tuple[Array, Array, Array, Array]:
    """For each item id: usable now, fewest and most hand cards, plain cards only. -> [N] each"""
    chosen, needs = state.piles.hand >= 0, cons.needs_of(ids)
    low, high, plain = needs["targets_min"], needs["targets_max"], needs["plain"]
    cards_there = jnp.where(plain, _plain_count(state), jnp.sum(chosen, dtype=jnp.int32))
    ok = cons.usable(state, needs, frees_slot) & (cards_there >= low)
    # The forced card must be among the chosen ones, so Aura needs it to be plain.
    forced = _forced(state)
    ok &= ~plain | ~jnp.any(forced & ~_plain(state))
    # New cards must find room (a limit of this program).
    new = needs["new_cards"]
    ok &= (state.piles.n_hand + new <= HAND_CAPACITY) & (deck_size(state.deck) + new <= DECK_CAPACITY)
    return ok, low, jnp.minimum(high, state.piles.n_hand), plain


def _places(hand: Array) -> Array:
    return jnp.maximum(hand, 0).astype(jnp.int32)


def _plain(state: State) -> Array:
    hand = state.piles.hand
    return (hand >= 0) & (state.deck.cards.edition[_places(hand)] == 0)


def _plain_count(state: State) -> Array:
    return jnp.sum(_plain(state), dtype=jnp.int32)


def _forced(state: State) -> Array:
    return (state.piles.hand >= 0) & (state.piles.hand == state.round.forced)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Words:
    """What may be done, with sets of places as words: an eighth of what rows of truth values take, and less to compute.

    Attributes:
      slots: uint32[21], `Legal.slot`. to: uint32[21]. card, forced, plain_card: uint32[]. All four as in `Legal`.
      needs: int8[4, 32], what the slots of each of `_NEEDS` ask of the chosen cards: fewest, most (3 bits each) and
        whether they must be plain (1 bit). over: bool[], the run is over.
    """

    slots: Array
    to: Array
    card: Array
    forced: Array
    plain_card: Array
    needs: Array
    over: Array


_NEEDS = ((Kind.PLAY, Kind.DISCARD), (Kind.USE,), (Kind.PICK,), (Kind.BUY_AND_USE,))
_ROW_OF_NEEDS = np.array(
    [next((row for row, kinds in enumerate(_NEEDS) if kind in kinds), 0) for kind in Kind]
)
_HIGH, _PLAIN = 3, 6  # their first bits in `needs`
if max(MOST_CARDS, int(cons.TARGETS_MAX.max())) >= 1 << _HIGH:
    raise ValueError(f"an action takes more cards than {_HIGH} bits can count; widen `actions._Words.needs`")
_NEEDS_OVER = MOST_CARDS << _HIGH  # any cards, of an action that changes nothing
_ALL = np.uint32(2**32 - 1)


def _needs_of(low: Array, high: Array, plain: Array | bool) -> Array:
    """int32[...], int32[...], bool[...] -> int8[...]"""
    return (low | (high << _HIGH) | (jnp.int32(plain) << _PLAIN)).astype(jnp.int8)


def _told(needs: Array) -> tuple[Array, Array, Array]:
    """-> fewest cards, most cards (int8[...]), plain ones only (bool[...])"""
    cards = (1 << _HIGH) - 1
    return needs & cards, (needs >> _HIGH) & cards, (needs >> _PLAIN) != 0


def _words(state: State, events: JokerEvents) -> _Words:
    """Everything that may be done now. Masks and the check of an action each make it; written out, so that XLA computes
    it once where both are of the same state.
    """
    phase, money = state.phase, credit(state, events)
    select, playing, evaluating, shop, pack = (
        phase == p
        for p in (Phase.BLIND_SELECT, Phase.SELECTING_HAND, Phase.ROUND_EVAL, Phase.SHOP, Phase.PACK)
    )
    anywhere = select | playing | evaluating | shop | pack
    n_hand = state.piles.n_hand
    nothing = jnp.uint32(0)

    def spend(price: Array) -> Array:
        return (price <= money) | (price == 0)

    def places_if(condition: Array, places: Array) -> Array:
        return jnp.where(condition, places, nothing)

    def movable(places: Array) -> Array:
        return places_if(lax.population_count(places) > 1, places)

    jokers, owned, cards = state.jokers, state.consumables, state.shop.cards
    hand, joker, consumable = (to_bits(here) for here in (state.piles.hand >= 0, jokers.id > 0, owned.id > 0))
    free_joker = joker & ~to_bits(jokers.pinned)
    affordable = spend(offer_prices(state, events, cards))
    reroll_boss = (has_voucher(state, "v_directors_cut") & ~state.run.boss_rerolled) | has_voucher(
        state, "v_retcon"
    )
    # Consumables owned, in the pack and in the shop, all at once.
    ids = jnp.concatenate([owned.id, state.pack.cards.id, cards.id])
    frees = jnp.pad(~owned.negative, (0, ids.shape[0] - owned.id.shape[0]))
    usable, *asks = _usable(state, ids, frees)
    low, high, plain = asks
    usable, asked = to_bits(usable), _needs_of(low.astype(jnp.int32), high.astype(jnp.int32), plain)
    ends = np.cumsum([owned.id.shape[0], PACK_CARDS, cards.id.shape[0]]).tolist()
    uses, picks, direct = (
        (usable >> first) & ((1 << (end - first)) - 1) for first, end in zip([0, *ends], ends, strict=False)
    )
    picks |= to_bits(~is_consumable(state.pack.cards.id) & _fits(state, state.pack.cards))
    # A word for each kind; those without a slot have place 0.
    slots = {
        Kind.SELECT: select,
        Kind.SKIP: select & (state.blinds.on_deck < BOSS),
        Kind.REROLL_BOSS: select & reroll_boss & spend(jnp.int32(BOSS_REROLL_COST)),
        Kind.PLAY: playing & (state.round.hands_left > 0) & (n_hand > 0),
        Kind.DISCARD: playing & (state.round.discards_left > 0) & (n_hand > 0),
        Kind.SORT: places_if((playing | pack) & (n_hand > 0), jnp.uint32((1 << len(SORTS)) - 1)),
        Kind.MOVE_HAND: places_if(playing | pack, movable(hand)),
        Kind.MOVE_JOKER: places_if(anywhere, movable(joker) & free_joker),
        Kind.MOVE_CONSUMABLE: places_if(anywhere, movable(consumable)),
        Kind.USE: places_if(anywhere, uses),
        Kind.SELL_JOKER: places_if(anywhere, joker & ~to_bits(jokers.eternal)),
        Kind.SELL_CONSUMABLE: places_if(anywhere, consumable),
        Kind.CASH_OUT: evaluating,
        Kind.BUY_CARD: places_if(shop, to_bits(affordable & _fits(state, cards))),
        Kind.BUY_VOUCHER: places_if(shop & spend(voucher_price(state)), to_bits(state.shop.vouchers > 0)),
        Kind.BUY_PACK: places_if(shop, to_bits((state.shop.packs > 0) & spend(pack_prices(state, events)))),
        Kind.REROLL: shop & spend(reroll_price(state)),
        Kind.PICK: places_if(pack, picks),
        Kind.SKIP_PACK: pack,
        Kind.NEXT_ROUND: shop,
        Kind.BUY_AND_USE: places_if(shop, direct & to_bits(affordable)),
    }
    to = {Kind.MOVE_HAND: hand, Kind.MOVE_JOKER: free_joker, Kind.MOVE_CONSUMABLE: consumable}
    play = _needs_of(jnp.int32(1), jnp.minimum(n_hand, MOST_CARDS).astype(jnp.int32), False)
    rows = [play[None], *jnp.split(asked, ends[:-1])]  # in the order of `_NEEDS`
    over = finished(state)
    all_if_over = jnp.where(over, _ALL, nothing)
    word = lambda value: jnp.asarray(value).astype(jnp.uint32) | all_if_over  # noqa: E731
    return written_out(
        _Words(
            slots=jnp.stack([word(slots[kind]) for kind in Kind]),
            to=jnp.stack([word(to.get(kind, jnp.uint32(1))) for kind in Kind]),
            card=word(hand),
            forced=to_bits(_forced(state)) & ~all_if_over,
            plain_card=word(to_bits(_plain(state))),
            needs=jnp.where(
                over,
                jnp.int8(_NEEDS_OVER),
                jnp.stack([jnp.pad(row, (0, SLOTS - row.shape[0])) for row in rows]),
            ),
            over=over,
        )
    )


def legal_actions(state: State, events: JokerEvents) -> Legal:
    """Everything that may be done now; a finished run reports all of it as legal."""
    words = _words(state, events)
    places, kinds = jnp.arange(SLOTS), jnp.arange(NUM_KINDS)[:, None]
    slot = has(words.slots[:, None], places)
    needs = jnp.broadcast_to(jnp.where(words.over, jnp.int8(_NEEDS_OVER), jnp.int8(0)), slot.shape)
    for row, these in enumerate(_NEEDS):
        needs = jnp.where(joined([kinds == kind for kind in these]), words.needs[row], needs)
    low, high, plain = _told(needs)
    return Legal(
        kind=words.slots != 0,
        slot=slot,
        min_cards=low,
        max_cards=high,
        card=has(words.card, places),
        forced=has(words.forced, places),
        plain_card=has(words.plain_card, places),
        plain_only=plain,
        to=has(words.to[:, None], places),
    )


def is_legal(state: State, action: Action, events: JokerEvents) -> Array:
    """Whether an action may be done in an unfinished run. -> bool[]

    Raises:
      ValueError: for `cards` of another shape.
    """
    if jnp.shape(action.cards) != (HAND_CAPACITY,):
        raise ValueError(
            f"cards is {jnp.result_type(action.cards)}{list(jnp.shape(action.cards))}; give bool[{HAND_CAPACITY}] "
            "(for a batch use jax.vmap)"
        )
    words = _words(state, events)
    kind, slot, to = action.kind, action.slot, action.to
    in_range = (kind >= 0) & (kind < NUM_KINDS) & (slot >= 0) & (slot < SLOTS) & (to >= 0) & (to < SLOTS)
    at, place = jnp.clip(kind, 0, NUM_KINDS - 1), jnp.clip(slot, 0, SLOTS - 1)
    takes_slot = look_up([number in SLOT_MEANING for number in Kind], at)
    place = jnp.where(takes_slot, place, 0)
    moves = look_up([number in MOVES for number in Kind], at)
    takes_cards = look_up([number in CARD_KINDS for number in Kind], at)
    needs = element(words.needs.reshape(-1), look_up(_ROW_OF_NEEDS, at) * SLOTS + place)
    low, high, plain = _told(needs)
    chosen = to_bits(action.cards)
    count = lax.population_count(chosen).astype(jnp.int32)
    cards = (count >= low) & (count <= high) & ((chosen & ~words.card) == 0)
    cards &= (high == 0) | ((words.forced & ~chosen) == 0)
    cards &= ~plain | ((chosen & ~words.plain_card) == 0)
    target = has(element(words.to, at), jnp.clip(to, 0, SLOTS - 1))
    return in_range & has(element(words.slots, at), place) & (~takes_cards | cards) & (~moves | target)
