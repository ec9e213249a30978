"""Cash-out and the shop: building it, buying, rerolling, vouchers, leaving (run.md 5.4, 7)."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import joker_events as ev
from jaxtro.env import rng, run_rules
from jaxtro.env.areas import add_card, deck_size, insert_card, keep_where, set_row, under
from jaxtro.env.generation.antes import next_tags
from jaxtro.env.generation.items import Item
from jaxtro.env.generation.shop import next_pack, shop_size, shop_slot
from jaxtro.env.generation.situation import Situation
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.lookups import look_up, rows_at
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import (
    by_creation,
    cards_added,
    consumable_count,
    discards_per_round,
    get_consumable,
    get_joker,
    hands_per_round,
    has_voucher,
    is_consumable,
    is_joker,
    offer_prices,
    pack_prices,
    situation,
    voucher_price,
)
from jaxtro.env.phases.blind_select import BOSS, bits_without
from jaxtro.env.phases.creation import new_stored
from jaxtro.env.phases.tags import DRAWS_HAND, take_first
from jaxtro.env.reductions import int_sum
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.state import (
    SHOP_PACKS,
    SHOP_SLOTS,
    SHOP_VOUCHERS,
    BlindStatus,
    Offers,
    Phase,
    Shop,
    State,
    no_offers,
)
from jaxtro.env.work import (
    DEAL_MORE,
    SHUFFLE_CASH_OUT,
    Work,
    set_todo,
    update,
)
from jaxtro.env.writes import put
from jaxtro.tables import EDITIONS, TAGS, VOUCHERS
from jaxtro.tables.kinds import FIRST_VOUCHER
from jaxtro.tables.pools import FRONT_RANK, FRONT_SUIT, POOL_ID, POOL_ITEMS

_PACKS = 2  # that a shop opens with
_TAG = TAGS.keys.index
_UNCOMMON, _RARE, _D6, _COUPON, _VOUCHER = (
    _TAG(f"tag_{name}") for name in ("uncommon", "rare", "d_six", "coupon", "voucher")
)
_MAKES_JOKER = np.array([False] + [row["context"] == "store_joker_create" for row in TAGS.rows])
_EDITION_TAG = np.array([False] + [row["context"] == "store_joker_modify" for row in TAGS.rows])
_TAG_EDITION = np.array(
    [0]
    + [
        EDITIONS.keys.index("e_" + row["config"]["edition"]) if "edition" in row["config"] else 0
        for row in TAGS.rows
    ],
    np.int8,
)
_RARES = POOL_ITEMS[POOL_ID["Joker3"]]
_RARES = np.unique(_RARES[_RARES > 0])


def _slots(state: State) -> Array:
    return shop_size(lambda voucher: has_voucher(state, voucher))


def _only(tag: int) -> Array:
    return jnp.arange(len(TAGS.keys)) == tag


# --- vouchers -----------------------------------------------------------------------------------------------

_CHANGED = ("hands", "discards", "hand_size", "joker_slots", "consumable_slots", "ante")
VOUCHER_CHANGES = {
    name: np.array([0] + [row.get("changes", {}).get(name, 0) for row in VOUCHERS.rows], np.int32)
    for name in (*_CHANGED, "reroll")
}

# The second-tier voucher whose number a first-tier one would set back.
_SETS_NUMBER = ("v_clearance_sale", "v_hone", "v_tarot_merchant", "v_planet_merchant", "v_seed_money")
_SET_BACK = np.zeros(len(VOUCHERS), np.int32)
for _number, _row in enumerate(VOUCHERS.rows, start=1):
    if _row["requires"] and _row["requires"][0] in _SETS_NUMBER:
        _SET_BACK[VOUCHERS.keys.index(_row["requires"][0])] = _number


def redeem(state: State, voucher: Array, when: Array | bool = True) -> State:
    """Redeems a voucher (id of `VOUCHERS`); those without a number work by being redeemed."""
    run = state.run
    changed = {
        name: getattr(run, name) + jnp.where(when, look_up(VOUCHER_CHANGES[name], voucher), 0)
        for name in _CHANGED
    }
    places = jnp.arange(run.redeemed.shape[0])
    redeemed = run.redeemed | ((places == voucher) & when)
    # These set a number and do not add to it, so the later one counts.
    upgrade = look_up(_SET_BACK, voucher)
    replaced = run.replaced | ((places == upgrade) & (upgrade > 0) & run.redeemed & when)
    replaced &= ~((places == voucher) & when)
    return replace(state, run=update(run, redeemed=redeemed, replaced=replaced, **changed))


# --- cash-out and building ------------------------------------------------------------------------------------


def no_shop() -> Shop:
    """No shop is open."""
    cards: Offers = jax.tree.map(jnp.asarray, no_offers(SHOP_SLOTS))
    zero = jnp.int32(0)
    return Shop(
        cards=cards,
        vouchers=jnp.zeros(SHOP_VOUCHERS, jnp.int16),
        packs=jnp.zeros(SHOP_PACKS, jnp.int8),
        packs_free=jnp.zeros(SHOP_PACKS, bool),
        rerolls_paid=zero,
        free_rerolls=zero,
        reroll_base_free=jnp.bool_(False),
    )


def cash_out(work: Work, events: JokerEvents) -> Work:
    """Pays, shows the next round's hands and discards, after a boss sets up the new ante (run.md 5.4)."""
    state = work.state
    now, boss = state.round, state.blinds.on_deck == BOSS
    beaten = boss & (state.blinds.status[BOSS] == BlindStatus.DEFEATED)
    upcoming = jnp.full(3, int(BlindStatus.UPCOMING), jnp.int8)
    blinds, run = state.blinds, state.run
    d6, tags = take_first(state.tags, _only(_D6))
    vouchers = put(state.shop.vouchers, 0, run.next_voucher)
    state = replace(
        state,
        phase=jnp.int8(Phase.SHOP),
        run=update(run, money=run.money + now.payout, boss_rerolled=run.boss_rerolled & ~beaten),
        round=update(
            now,
            chips=0.0,
            payout=0,
            hands_left=hands_per_round(state, events),
            discards_left=discards_per_round(state, events),
            hands_played=0,
            discards_used=0,
        ),
        blinds=update(
            blinds,
            on_deck=jnp.where(beaten, -1, blinds.on_deck),
            status=jnp.where(beaten, upcoming, blinds.status),
        ),
        tags=tags,
        shop=update(state.shop, vouchers=vouchers, reroll_base_free=d6 > 0),
    )
    return set_todo(
        Work(state, work.todo),
        shuffle=SHUFFLE_CASH_OUT,
        new_blinds=beaten,
        bosses=beaten,
        build_shop=True,
        fill=jnp.arange(SHOP_SLOTS) < _slots(state),
    )


def new_blinds(work: Work) -> Work:
    """The skip tags of a new ante, Small Blind first."""
    state = work.state
    tags, streams = next_tags(state.streams, state.rules, state.run.ante)
    blinds = replace(state.blinds, tags=tags.astype(jnp.int8))
    return set_todo(Work(replace(state, streams=streams, blinds=blinds), work.todo), new_blinds=False)


def offer(made: Item, stored: Array, free: Array, number: Array) -> Offers:
    """A generated item as something on offer."""
    return Offers(
        id=made.id, front=made.front, enhancement=made.enhancement, edition=made.edition, seal=made.seal,
        eternal=made.eternal, perishable=made.perishable, rental=made.rental, stored=stored, free=free,
        number=number,
    )  # fmt: skip


def there(offers: Offers) -> Array:
    """Which places hold something. -> bool[N]"""
    return (offers.id > 0) | (offers.front >= 0)


def fill_shop(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """Fills card slots one by one; tags that make or change a joker fire here (run.md 6.1, 7.1)."""
    state, fill = work.state, work.todo.fill
    start = situation(state, events)
    ante, owned = state.run.ante, state.jokers.id

    # All rare jokers owned: the Rare Tag is spent and the slot filled as usual (rng.md 7).
    owns = jnp.any(owned[None, :] == jnp.asarray(_RARES, owned.dtype)[:, None], axis=1)
    no_rare = jnp.all(owns)

    def one(place: Array, carry: tuple) -> tuple:
        streams, exists, cards, tags, number = carry
        when = fill[place]
        now: Situation = replace(start, exists=exists)
        tag, without = take_first(tags, jnp.asarray(_MAKES_JOKER))
        tags = jnp.where(when, without, tags)
        source = jnp.where(tag == _UNCOMMON, 1, jnp.where((tag == _RARE) & ~no_rare, 2, 0))
        made, now, streams = shop_slot(streams, state.rules, now, ante, when, source)
        stored, streams = new_stored(book, state, streams, made.id, when)
        # A joker without an edition takes the first edition tag, and is free then.
        plain = when & is_joker(made.id) & (made.edition == 0)
        tag, without = take_first(tags, jnp.asarray(_EDITION_TAG))
        changed = plain & (tag > 0)
        tags = jnp.where(changed, without, tags)
        edition = jnp.where(changed, look_up(_TAG_EDITION, tag), made.edition)
        free = changed | (source > 0)
        cards = set_row(cards, place, offer(replace(made, edition=edition), stored, free, number), when)
        return streams, now.exists, cards, tags, number + when

    carry = (state.streams, start.exists, state.shop.cards, state.tags, state.run.next_number)
    streams, _, cards, tags, number = lax.fori_loop(0, SHOP_SLOTS, one, carry)
    state = replace(
        state,
        streams=streams,
        tags=tags,
        shop=replace(state.shop, cards=cards),
        run=update(state.run, next_number=number),
    )
    return set_todo(Work(state, work.todo), fill=jnp.zeros_like(fill))


def build_shop(work: Work) -> Work:
    """The rest of a new shop: packs, the number of Voucher Tags, the Coupon Tag."""
    state = work.state
    ante = state.run.ante

    def one(streams: rng.Streams, place: Array) -> tuple[rng.Streams, Array]:
        first = ~state.run.shop_visited & (place == 0)
        pack, streams = next_pack(streams, state.rules, ante, first)
        return streams, pack

    streams, packs = lax.scan(one, state.streams, jnp.arange(_PACKS))
    extra = jnp.sum(state.tags == _VOUCHER, dtype=jnp.int32)
    room = state.shop.vouchers.shape[0] - 1
    tags = bits_without(state.tags, state.tags == _VOUCHER)
    coupon, tags = take_first(tags, _only(_COUPON))
    shop, free = state.shop, coupon > 0
    shop = replace(
        shop,
        packs=put(shop.packs, np.arange(_PACKS), packs),
        packs_free=free & (jnp.arange(SHOP_PACKS) < _PACKS),
        cards=replace(shop.cards, free=shop.cards.free | (free & there(shop.cards))),
    )
    state = replace(
        state,
        streams=streams,
        tags=tags,
        shop=shop,
        run=update(state.run, shop_visited=True),
        overflow=state.overflow | (extra > room),
    )
    return set_todo(Work(state, work.todo), build_shop=False, voucher_tags=jnp.minimum(extra, room))


# --- buying -----------------------------------------------------------------------------------------------------


def pay(state: State, dollars: Array) -> State:
    """Money for a purchase; with Inflation every purchase makes all prices dearer."""
    inflation = run_rules.of_challenge(state.rules, run_rules.INFLATION)
    run = state.run
    return replace(state, run=update(run, money=run.money - dollars, inflation=run.inflation + inflation))


def without_offer(offers: Offers, place: Array, when: Array | bool = True) -> Offers:
    """What is on offer without one card; the rest moves up."""
    keep = there(offers) & ~((jnp.arange(offers.id.shape[0]) == place) & when)
    return keep_where(offers, keep, no_offers(offers.id.shape[0]))


def take_offer(state: State, row: Offers, book: JokerBook, events: JokerEvents) -> State:
    """A joker, consumable or playing card from shop or pack goes to the player."""
    joker, consumable = is_joker(row.id), is_consumable(row.id)
    card = (row.id == 0) & (row.front >= 0)
    state = get_joker(
        state, row.id, row.stored, row.edition, row.eternal, row.perishable, row.rental, when=joker,
        number=row.number,
    )  # fmt: skip
    state = get_consumable(state, row.id, when=consumable, number=row.number)
    # A playing card goes under the draw pile (real_findings.md 17).
    place = deck_size(state.deck)
    fits = card & (place < state.deck.cards.rank.shape[0])
    front = jnp.maximum(row.front, 0).astype(jnp.int32)
    deck = add_card(
        state.deck, look_up(FRONT_RANK, front), look_up(FRONT_SUIT, front), row.enhancement, row.edition,
        row.seal, row.number,
    )  # fmt: skip
    deck = jax.tree.map(lambda new, old: jnp.where(fits, new, old), deck, state.deck)
    deck, piles, place = insert_card(deck, state.piles, fits)
    draw, n_draw = under(piles.draw, piles.n_draw, place.astype(jnp.int8)[None], fits.astype(jnp.int32))
    state = replace(
        state,
        deck=deck,
        piles=replace(piles, draw=draw, n_draw=n_draw),
        overflow=state.overflow | (card & ~fits),
    )
    return cards_added(state, events, fits.astype(jnp.int32))


def buy_card(work: Work, place: Array, book: JokerBook, events: JokerEvents) -> Work:
    """Buys a card of the shop."""
    state = work.state
    cost = offer_prices(state, events, state.shop.cards)[place]
    row = rows_at(state.shop.cards, place)
    state = replace(state, shop=replace(state.shop, cards=without_offer(state.shop.cards, place)))
    return set_todo(Work(pay(take_offer(state, row, book, events), cost), work.todo), cost=cost)


def buy_voucher(work: Work, place: Array, events: JokerEvents) -> Work:
    """Redeems a voucher of the shop; Overstock's new slot is filled at once, sold cards too."""
    state = work.state
    cost = voucher_price(state)
    bought = state.shop.vouchers[place]
    vouchers = state.shop.vouchers
    gone = jnp.arange(vouchers.shape[0]) == place
    # The first place stays that of the ante; the extra ones move up behind it.
    extra = bits_without(vouchers[1:], gone[1:])
    vouchers = jnp.concatenate([jnp.where(gone[0], 0, vouchers[0])[None], extra])
    state = replace(
        state,
        shop=replace(state.shop, vouchers=vouchers),
        run=update(state.run, next_voucher=jnp.where(gone[0], 0, state.run.next_voucher)),
    )
    before = _slots(state)
    state = redeem(pay(state, cost), bought.astype(jnp.int32) - FIRST_VOUCHER + 1)
    size = _slots(state)
    count = jnp.sum(there(state.shop.cards), dtype=jnp.int32)
    slots = jnp.arange(SHOP_SLOTS)
    fill = (size > before) & (slots >= count) & (slots < size)
    # Hieroglyph may lead to an ante below the first.
    fell = state.run.ante < work.state.run.ante
    return set_todo(Work(state, work.todo), fill=fill, cost=cost, new_ante=fell)


def buy_pack(work: Work, place: Array, events: JokerEvents) -> Work:
    """Buys and opens a pack."""
    state = work.state
    cost = pack_prices(state, events)[place]
    shop = state.shop
    pack = shop.packs[place]
    keep = (shop.packs > 0) & (jnp.arange(SHOP_PACKS) != place)
    packs, free = keep_where((shop.packs, shop.packs_free), keep)
    state = pay(replace(state, shop=replace(shop, packs=packs, packs_free=free)), cost)
    state = replace(state, phase=jnp.int8(Phase.PACK))
    deals = look_up(DRAWS_HAND, pack.astype(jnp.int32))
    return set_todo(Work(state, work.todo), open_pack=pack, deal=jnp.where(deals, DEAL_MORE, 0), cost=cost)


def reroll_price(state: State) -> Array:
    """Dollars for the next reroll (run.md 7.4). -> int32[]"""
    base = run_rules.REROLL_BASE + int_sum(
        jnp.where(state.run.redeemed, jnp.asarray(VOUCHER_CHANGES["reroll"]), 0)
    )
    base = jnp.where(state.shop.reroll_base_free, 0, jnp.maximum(base, 0))
    return jnp.where(state.shop.free_rerolls > 0, 0, base + state.shop.rerolls_paid)


def reroll(work: Work, events: JokerEvents) -> Work:
    """New cards in the shop; a free reroll does not raise the price."""
    state, shop = work.state, work.state.shop
    cost, free = reroll_price(state), shop.free_rerolls > 0
    gain = jnp.abs(ev.own(state.jokers, events.reroll_gain))
    empty: Offers = jax.tree.map(jnp.asarray, no_offers(SHOP_SLOTS))
    state = replace(
        state,
        run=update(state.run, money=state.run.money - cost),
        jokers=replace(state.jokers, stored=state.jokers.stored + gain),
        shop=update(
            replace(shop, cards=empty),
            free_rerolls=shop.free_rerolls - free,
            rerolls_paid=shop.rerolls_paid + ~free,
        ),
    )
    fill = jnp.arange(SHOP_SLOTS) < _slots(state)
    return set_todo(Work(state, work.todo), fill=fill, cost=cost)


def leave_shop(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """Next round: Perkeo copies consumables, the shop closes, the next blind is on deck."""
    state = work.state
    perkeos = jnp.sum(look_up(events.shop_left_copies, ev.acting(book, state.jokers)), dtype=jnp.int32)
    seed_hash = state.streams.seed_hash

    def one(carry: tuple) -> tuple:
        left, number, consumables, next_number, overflow = carry
        count = consumable_count(consumables)
        u, number = rng.draw_from(number, seed_hash, count > 0)
        order = by_creation(consumables.number, consumables.id > 0)
        place = order[jnp.clip(rng.to_index(u, count.astype(jnp.float64)), 0, order.shape[0] - 1)]
        now = replace(
            state, consumables=consumables, run=replace(state.run, next_number=next_number), overflow=overflow
        )
        place = jnp.minimum(place, order.shape[0] - 1)
        source, bonus = consumables.id[place], consumables.sell_bonus[place]
        now = get_consumable(now, source, negative=True, when=count > 0, sell_bonus=bonus)
        return left - 1, number, now.consumables, now.run.next_number, now.overflow

    number = rng.stream_state(state.streams, "perkeo", state.run.ante)
    start = (perkeos, number, state.consumables, state.run.next_number, state.overflow)
    _, number, consumables, next_number, overflow = while_loop(lambda carry: carry[0] > 0, one, start)
    blinds = state.blinds
    on_deck = blinds.on_deck.astype(jnp.int32) + 1
    shop = no_shop()
    state = replace(
        state,
        phase=jnp.int8(Phase.BLIND_SELECT),
        streams=rng.set_stream_state(state.streams, "perkeo", state.run.ante, number),
        consumables=consumables,
        run=replace(state.run, next_number=next_number),
        overflow=overflow,
        blinds=update(blinds, on_deck=on_deck, status=put(blinds.status, on_deck, int(BlindStatus.SELECT))),
        shop=replace(shop, rerolls_paid=state.shop.rerolls_paid, free_rerolls=state.shop.free_rerolls),
    )
    return set_todo(Work(state, work.todo), blind_tags=True, show_blinds=True)
