"""What the player owns: limits, prices and sell values, getting and losing jokers and consumables."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import joker_events as ev
from jaxtro.env import run_rules
from jaxtro.env.areas import keep_where, set_row
from jaxtro.env.bits import members_in, set_of
from jaxtro.env.generation import Situation, make_situation
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.lookups import Columns, look_up, rows_at
from jaxtro.env.reductions import any_of
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.state import (
    CONSUMABLE_CAPACITY,
    JOKER_CAPACITY,
    Offers,
    OwnedConsumables,
    OwnedJokers,
    Run,
    State,
)
from jaxtro.env.work import update
from jaxtro.env.writes import put
from jaxtro.tables import BLINDS, EDITIONS, ENHANCEMENTS, ITEMS, JOKERS, PACKS, STICKERS, VOUCHERS, item
from jaxtro.tables.kinds import FIRST_CONSUMABLE, FIRST_VOUCHER

NEGATIVE = EDITIONS.keys.index("e_negative")
MANACLE = BLINDS.keys.index("bl_manacle")
LOYALTY_CARD, TO_DO_LIST = item("j_loyalty_card"), item("j_todo_list")
_YORICK_EVERY = JOKERS.row(JOKERS.find("j_yorick"))["run"]["discard"]["every"]
YORICK = item("j_yorick")

_COST = np.array([1] + [row["cost"] for row in ITEMS.rows], np.int32)  # index 0: a playing card
_PACK_COST = np.array([0] + [row["cost"] for row in PACKS.rows], np.int32)
_CELESTIAL = np.array([False] + [row["kind"] == "Celestial" for row in PACKS.rows])
IS_PLANET = np.array([False] + [row.get("set") == "Planet" for row in ITEMS.rows])
_ITEM_COLUMNS = Columns({"cost": _COST, "is_planet": IS_PLANET})
_SURCHARGE = np.array([0] + [row["surcharge"] for row in EDITIONS.rows], np.int32)
_DISCOUNTS = tuple(
    (key, int(VOUCHERS.row(VOUCHERS.find(key))["extra"])) for key in ("v_clearance_sale", "v_liquidation")
)
_RENTAL = STICKERS.row(STICKERS.find("rental"))
_RENTAL_PRICE, RENT = _RENTAL["price"], _RENTAL["rent"]
PERISH_ROUNDS = STICKERS.row(STICKERS.find("perishable"))["rounds"]


def is_joker(item_id: Array) -> Array:
    """Whether an item id is a joker's."""
    return (item_id > 0) & (item_id < FIRST_CONSUMABLE)


def is_consumable(item_id: Array) -> Array:
    """Whether an item id is a consumable's."""
    return (item_id >= FIRST_CONSUMABLE) & (item_id < FIRST_VOUCHER)


# --- limits -----------------------------------------------------------------------------------------------


def has_voucher(state: State, key: str) -> Array:
    """Whether a voucher is redeemed and in force. -> bool[]"""
    number = VOUCHERS.keys.index(key)
    return state.run.redeemed[number] & ~state.run.replaced[number]


def hand_size(state: State, events: JokerEvents) -> Array:
    """The hand limit now. -> int32[]"""
    stored = jnp.where(ev.own(state.jokers, events.hand_size_stored), state.jokers.stored, 0.0)
    size = state.run.hand_size + ev.total(state.jokers, events.hand_size)
    size += jnp.sum(stored).astype(jnp.int32) + state.round.hand_size_bonus
    size -= (state.round.blind == MANACLE) & ~state.round.disabled
    every = run_rules.of_challenge(state.rules, run_rules.HAND_SIZE_PER_DOLLARS)
    return size - jnp.where(every > 0, jnp.maximum(state.run.money, 0) // jnp.maximum(every, 1), 0)


def hands_per_round(state: State, events: JokerEvents) -> Array:
    """Hands of a fresh round. -> int32[]"""
    return jnp.maximum(1, state.run.hands + ev.total(state.jokers, events.hands))


def discards_per_round(state: State, events: JokerEvents) -> Array:
    """Discards of a fresh round. -> int32[]"""
    return jnp.maximum(0, state.run.discards + ev.total(state.jokers, events.discards))


def joker_count(jokers: OwnedJokers) -> Array:
    """Number of jokers. -> int32[]"""
    return jnp.sum(jokers.id > 0, dtype=jnp.int32)


def joker_slots(state: State) -> Array:
    """The joker limit; each negative joker brings its own slot. -> int32[]"""
    negative = (state.jokers.id > 0) & (state.jokers.edition == NEGATIVE)
    return state.run.joker_slots + jnp.sum(negative, dtype=jnp.int32)


def consumable_count(consumables: OwnedConsumables) -> Array:
    """Number of consumables. -> int32[]"""
    return jnp.sum(consumables.id > 0, dtype=jnp.int32)


def consumable_slots(state: State) -> Array:
    """The consumable limit, with the slots of negative ones. -> int32[]"""
    negative = (state.consumables.id > 0) & state.consumables.negative
    return state.run.consumable_slots + jnp.sum(negative, dtype=jnp.int32)


def free_joker_slots(state: State) -> Array:
    """Jokers that still fit. -> int32[], 0 or more"""
    return jnp.maximum(joker_slots(state) - joker_count(state.jokers), 0)


def free_consumable_slots(state: State) -> Array:
    """Consumables that still fit. -> int32[], 0 or more"""
    return jnp.maximum(consumable_slots(state) - consumable_count(state.consumables), 0)


def credit(state: State, events: JokerEvents) -> Array:
    """Dollars that can be spent: money and what Credit Cards allow. -> int32[]"""
    return state.run.money + ev.total(state.jokers, events.debt)


# --- prices (run.md 7.3) ------------------------------------------------------------------------------------


def _price(state: State, base: Array, surcharge: Array | int = 0) -> Array:
    discount = jnp.int32(0)
    for voucher, percent in _DISCOUNTS:
        discount = jnp.where(has_voucher(state, voucher), percent, discount)
    dollars = base + state.run.inflation + surcharge
    # floor((dollars + 0.5) * (100 - discount) / 100), in whole numbers
    return jnp.maximum(1, ((2 * dollars + 1) * (100 - discount)) // 200)


def _item_price(state: State, item_id: Array, edition: Array, rental: Array, free_planets: Array) -> Array:
    row = _ITEM_COLUMNS.at(item_id)
    price = _price(
        state,
        row["cost"],
        look_up(_SURCHARGE, edition.astype(jnp.int32)),
    )
    price = jnp.where(rental, _RENTAL_PRICE, price)
    return jnp.where(free_planets & row["is_planet"], 0, price)


def _free_planets(state: State, events: JokerEvents) -> Array:
    return jnp.any(ev.own(state.jokers, events.free_planets))


def offer_prices(state: State, events: JokerEvents, offers: Offers) -> Array:
    """Dollars for each card on offer. -> int32[N]"""
    price = _item_price(state, offers.id, offers.edition, offers.rental, _free_planets(state, events))
    return jnp.where(offers.free, 0, price)


def voucher_price(state: State) -> Array:
    """Dollars for any voucher; Coupon Tags do not change it. -> int32[]"""
    return _price(state, jnp.int32(VOUCHERS.row(1)["cost"]))


def pack_prices(state: State, events: JokerEvents) -> Array:
    """Dollars for the packs of the shop. -> int32[2]"""
    packs = state.shop.packs.astype(jnp.int32)
    price = _price(state, look_up(_PACK_COST, packs))
    price = jnp.where(_free_planets(state, events) & look_up(_CELESTIAL, packs), 0, price)
    return jnp.where(state.shop.packs_free, 0, price)


def joker_sell_values(state: State) -> Array:
    """Dollars for selling each joker. -> int32[J]"""
    jokers = state.jokers
    price = _item_price(state, jokers.id, jokers.edition, jokers.rental, jnp.bool_(False))
    return jnp.where(jokers.id > 0, jnp.maximum(1, price // 2) + jokers.sell_bonus, 0)


def consumable_sell_values(state: State, events: JokerEvents) -> Array:
    """Dollars for selling each consumable. -> int32[C]"""
    owned = state.consumables
    edition = jnp.where(owned.negative, NEGATIVE, 0)
    price = _item_price(
        state, owned.id, edition, jnp.zeros_like(owned.negative), _free_planets(state, events)
    )
    return jnp.where(owned.id > 0, jnp.maximum(1, price // 2) + owned.sell_bonus, 0)


# --- getting and losing things ------------------------------------------------------------------------------


def first_number(book: JokerBook, state: State, joker: Array) -> Array:
    """What a new joker stores at first; To Do List's hand is drawn by the caller. -> float64[]"""
    starts = np.array([book.start(number) for number in range(len(book.keys))])
    start = look_up(starts, jnp.where(is_joker(joker), joker, 0))
    return jnp.where(joker == LOYALTY_CARD, state.run.hands_played.astype(jnp.float64), start)


def no_jokers() -> OwnedJokers:
    """An empty joker area, as numpy arrays."""
    flags = ("eternal", "rental", "pinned", "face_down", "debuffed")
    return OwnedJokers(
        id=np.zeros(JOKER_CAPACITY, np.int16),  # type: ignore[arg-type]
        edition=np.zeros(JOKER_CAPACITY, np.int8),  # type: ignore[arg-type]
        stored=np.zeros(JOKER_CAPACITY, np.float64),  # type: ignore[arg-type]
        counter=np.zeros(JOKER_CAPACITY, np.int32),  # type: ignore[arg-type]
        sell_bonus=np.zeros(JOKER_CAPACITY, np.int32),  # type: ignore[arg-type]
        perish=np.full(JOKER_CAPACITY, -1, np.int8),  # type: ignore[arg-type]
        number=np.zeros(JOKER_CAPACITY, np.int16),  # type: ignore[arg-type]
        **{name: np.zeros(JOKER_CAPACITY, bool) for name in flags},  # type: ignore[arg-type]
    )


def no_consumables() -> OwnedConsumables:
    """An empty consumable area, as numpy arrays."""
    return OwnedConsumables(
        id=np.zeros(CONSUMABLE_CAPACITY, np.int16),  # type: ignore[arg-type]
        negative=np.zeros(CONSUMABLE_CAPACITY, bool),  # type: ignore[arg-type]
        sell_bonus=np.zeros(CONSUMABLE_CAPACITY, np.int32),  # type: ignore[arg-type]
        number=np.zeros(CONSUMABLE_CAPACITY, np.int16),  # type: ignore[arg-type]
    )


def _counted(run: Run, new: Array) -> Run:
    """One more creation number was given out, where `new`."""
    return update(run, next_number=run.next_number + new)


def get_joker(
    state: State,
    joker: Array,
    stored: Array,
    edition: Array | int = 0,
    eternal: Array | bool = False,
    perishable: Array | bool = False,
    rental: Array | bool = False,
    pinned: Array | bool = False,
    when: Array | bool = True,
    number: Array | None = None,
) -> State:
    """Puts a new joker at the right end; beyond the capacity it is lost and `overflow` is set.

    number: creation number, if it was made before (offered); else it is new.
    """
    when = jnp.asarray(when)
    count = joker_count(state.jokers)
    fits = when & (count < JOKER_CAPACITY)
    row = OwnedJokers(
        id=joker,
        edition=jnp.asarray(edition),
        stored=stored,
        counter=jnp.where(joker == YORICK, _YORICK_EVERY, 0),
        sell_bonus=jnp.int32(0),
        eternal=jnp.asarray(eternal),
        rental=jnp.asarray(rental),
        pinned=jnp.asarray(pinned),
        face_down=jnp.bool_(False),
        perish=jnp.where(perishable, PERISH_ROUNDS, -1),
        debuffed=jnp.bool_(False),
        number=state.run.next_number if number is None else number,
    )
    return replace(
        state,
        jokers=set_row(state.jokers, count, row, fits),
        run=_counted(state.run, fits & (number is None)),
        overflow=state.overflow | (when & ~fits),
    )


def get_consumable(
    state: State,
    item_id: Array,
    negative: Array | bool = False,
    when: Array | bool = True,
    number: Array | None = None,
    sell_bonus: Array | int = 0,
) -> State:
    """Puts a consumable at the right end; beyond the capacity it is lost and `overflow` is set."""
    when = jnp.asarray(when)
    count = consumable_count(state.consumables)
    fits = when & (count < CONSUMABLE_CAPACITY)
    created = state.run.next_number if number is None else number
    row = OwnedConsumables(item_id, jnp.asarray(negative), jnp.asarray(sell_bonus), created)
    return replace(
        state,
        consumables=set_row(state.consumables, count, row, fits),
        run=_counted(state.run, fits & (number is None)),
        overflow=state.overflow | (when & ~fits),
    )


def lose_jokers(state: State, gone: Array) -> State:
    """Removes jokers; gone: bool[J]."""
    kept = (state.jokers.id > 0) & ~gone
    return replace(state, jokers=keep_where(state.jokers, kept, no_jokers()))


def lose_consumable(state: State, place: Array, when: Array | bool = True) -> State:
    """Removes the consumable at a place."""
    places = jnp.arange(CONSUMABLE_CAPACITY)
    kept = (state.consumables.id > 0) & ~((places == place) & jnp.asarray(when))
    return replace(state, consumables=keep_where(state.consumables, kept))


def copy_joker(state: State, source: Array, when: Array | bool = True) -> State:
    """Copies a joker (Ankh, Invisible Joker): stickers and numbers too, not Negative.

    A copied Invisible Joker counts its rounds from 0; a perishable's counter is copied (U).
    """
    when = jnp.asarray(when)
    row = rows_at(state.jokers, source)
    invisible = row.id == item("j_invisible")
    row = replace(
        row,
        edition=jnp.where(row.edition == NEGATIVE, 0, row.edition),
        stored=jnp.where(invisible, 0.0, row.stored),
        number=state.run.next_number,
    )
    count = joker_count(state.jokers)
    fits = when & (count < JOKER_CAPACITY)
    return replace(
        state,
        jokers=set_row(state.jokers, count, row, fits),
        run=_counted(state.run, fits),
        overflow=state.overflow | (when & ~fits),
    )


def by_creation(numbers: Array, member: Array) -> Array:
    """Places of the members in order of their creation numbers. -> int32[N], N behind them"""
    size = numbers.shape[0]
    key = jnp.where(member, numbers.astype(jnp.int32), jnp.iinfo(jnp.int32).max)
    places = jnp.arange(size)
    before = (key[None, :] < key[:, None]) | (
        (key[None, :] == key[:, None]) & (places[None, :] < places[:, None])
    )
    rank = jnp.sum(before, axis=1, dtype=jnp.int32)
    order = put(jnp.zeros(size, jnp.int32), rank, places)
    return jnp.where(jnp.arange(size) < jnp.sum(member), order, size)


def cards_added(state: State, events: JokerEvents, count: Array) -> State:
    """Jokers that gain for playing cards added to the deck (Hologram)."""
    gain = jnp.abs(ev.own(state.jokers, events.added_gain) * count.astype(jnp.float64))
    return replace(state, jokers=replace(state.jokers, stored=state.jokers.stored + gain))


# --- what exists (rng.md 3) -----------------------------------------------------------------------------------


def situation(state: State, events: JokerEvents, in_use: Array | int = 0) -> Situation:
    """What generation looks at: every item that exists now, and what opens pool slots.

    in_use: int16[], the consumable that is being used.
    """
    ids = jnp.concatenate(
        [
            jnp.where(state.jokers.id < FIRST_CONSUMABLE, state.jokers.id, 0),
            state.consumables.id,
            state.shop.cards.id,
            state.shop.vouchers,
            state.pack.cards.id,
            jnp.asarray(in_use, jnp.int16)[None],
        ]
    ).astype(jnp.int32)
    exists = members_in(set_of(ids, ids >= 0, len(ITEMS)), len(ITEMS))
    enhancements = any_of(
        (jnp.arange(len(ENHANCEMENTS))[:, None] == state.deck.cards.enhancement[None])
        & (state.deck.cards.rank > 0)[None]
    )
    made = make_situation(
        state.rules,
        exists,
        _by_item(state.run.redeemed),
        state.poker_hands.played,
        enhancements,
        state.run.gros_michel_extinct,
        jnp.any(ev.own(state.jokers, events.allows_duplicates)),
    )
    return replace(made, redeemed=_by_item(state.run.redeemed & ~state.run.replaced))


def _by_item(vouchers: Array) -> Array:
    """bool[33], by voucher, as bool[235], by item."""
    return jnp.pad(vouchers[1:], (FIRST_VOUCHER, len(ITEMS) - FIRST_VOUCHER - (len(VOUCHERS) - 1)))
