"""Using tarots, planets and spectrals. What each does stands in the table (column `does`)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import bits, rng
from jaxtro.env import joker_events as ev
from jaxtro.env.areas import (
    add_card,
    append,
    deck_mask_of,
    deck_size,
    set_row,
)
from jaxtro.env.chance import hits
from jaxtro.env.generation.items import guaranteed_edition
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.lookups import Columns, TableRow, look_up, rows_at
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import (
    NEGATIVE,
    by_creation,
    cards_added,
    copy_joker,
    free_consumable_slots,
    free_joker_slots,
    get_consumable,
    joker_sell_values,
    joker_slots,
    lose_consumable,
    lose_jokers,
    offer_prices,
)
from jaxtro.env.phases.boss_effects import pinned_first
from jaxtro.env.phases.discarding import cards_destroyed, hand_area
from jaxtro.env.phases.packs import take_pick
from jaxtro.env.phases.playing import add_copies
from jaxtro.env.phases.shop import pay, without_offer
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.scoring.card_features import RANKS
from jaxtro.env.state import HAND_CAPACITY, Deck, State
from jaxtro.env.work import Work, create, creation, set_todo, update
from jaxtro.env.writes import put
from jaxtro.tables import EDITIONS, ENHANCEMENTS, HANDS, ITEMS, SEALS, item
from jaxtro.tables.kinds import FIRST_CONSUMABLE, FIRST_VOUCHER
from jaxtro.tables.pools import ENHANCED_POOL, SUITS
from jaxtro.tables.streams import STREAM_ID

FROM_AREA, FROM_PACK, FROM_SHOP = range(3)  # where the used card comes from
_FOOL = item("c_fool")
_STONE = ENHANCEMENTS.keys.index("m_stone")
_ENHANCED_WITHOUT_STONE = ENHANCED_POOL[ENHANCED_POOL != _STONE]
# Lists that are picked from, in the order of rng.md 4.2.
_SIGIL_SUITS = np.array([SUITS.index(suit) for suit in "SHDC"], np.int32)
_RANK_LIST = np.array([RANKS.index(rank) + 2 for rank in "23456789TJQKA"], np.int32)
_MOST_NEW = 4
_ACE, _LOWEST = 14, 2


def _column(read: Callable[[Any], Any], default: Any, dtype: Any) -> np.ndarray:
    """A number by item id, from the consumables' column `does`."""
    values = np.full(len(ITEMS), default, dtype)
    for number in range(FIRST_CONSUMABLE, FIRST_VOUCHER):
        found = read(ITEMS.row(number)["does"])
        if found is not None:
            values[number] = found
    return values


def _word(name: str, default: Any = 0, dtype: Any = np.int32, of: Any = lambda value: value) -> np.ndarray:
    return _column(lambda does: of(does[name]) if name in does else None, default, dtype)


def _targets(place: int) -> np.ndarray:
    rows = [
        ITEMS.row(n)["targets"][place] if FIRST_CONSUMABLE <= n < FIRST_VOUCHER else 0
        for n in range(1, len(ITEMS))
    ]
    return np.array([0, *rows], np.int32)


def _set(name: str) -> np.ndarray:
    return np.array([False] + [row.get("set") == name for row in ITEMS.rows])


IS_TAROT, IS_PLANET = _set("Tarot"), _set("Planet")
NEEDS_HAND = np.array([False] + [bool(row.get("needs_hand")) for row in ITEMS.rows])
TARGETS_MIN, TARGETS_MAX = _targets(0), _targets(1)
_HAND_OF = np.array(
    [-1] + [HANDS.keys.index(row["hand"]) if row.get("hand") else -1 for row in ITEMS.rows], np.int32
)
_ENHANCE = _word("enhance", 0, np.int32, ENHANCEMENTS.keys.index)
_SEAL = _word("seal", 0, np.int32, SEALS.keys.index)
_SUIT = _word("suit", -1, np.int32, SUITS.index)
_RANK_UP = _word("rank")
_DESTROY, _COPY_RIGHT = _word("destroy", False, bool), _word("copy_right", False, bool)
_COPIES = _word("copies")
_CREATE = _word("create", 0, np.int32, lambda pair: creation(*pair))
_CREATE_COUNT = _word("count")
_CREATES_JOKER = _word("create", False, bool, lambda pair: pair[0] == "Joker")
_COPIES_LAST = _word("copies_last", False, bool)
_DOUBLE_MONEY, _SELL_VALUES, _DOLLARS = _word("double_money"), _word("sell_values"), _word("dollars")
_SETS_MONEY = _word("money", False, bool, lambda value: True)
_LEVEL, _LEVEL_ALL = _word("level"), _word("level_all")
_CARD_EDITION = _word("card_edition", False, bool, lambda value: True)
_JOKER_EDITION = _word(
    "joker_edition", 0, np.int32, lambda key: EDITIONS.keys.index(key) if key != "random" else -1
)
_DESTROY_OTHERS, _COPY_JOKER = _word("destroy_others", False, bool), _word("copy_joker", False, bool)
_ODDS = _word("odds", 0, np.float64)
_STREAM = _word("stream", STREAM_ID["aura"], np.int32, STREAM_ID.__getitem__)
_HAND_SUIT = _word("hand_suit", False, bool, lambda value: True)
_HAND_RANK = _word("hand_rank", False, bool, lambda value: True)
_HAND_SIZE = _word("hand_size")
_DESTROY_RANDOM, _NEW_CARDS = _word("destroy_random"), _word("new_cards")
_DESTROY_SHUFFLED = _word("destroy_shuffled")
# Ranks of new cards: the first one in the rank list and how many follow (JQK, A, 2 to 10).
_NEW_FIRST = _word("ranks", 0, np.int32, lambda ranks: RANKS.index(ranks[0]))
_NEW_RANKS = _word("ranks", 1, np.int32, len)


_NEEDS = Columns(
    {
        "is_consumable": np.isin(np.arange(len(ITEMS)), range(FIRST_CONSUMABLE, FIRST_VOUCHER)),
        "creates_joker": _CREATES_JOKER,
        "creates_consumable": (_CREATE != 0) & ~_CREATES_JOKER,
        "copies_last": _COPIES_LAST,
        "joker_edition": _JOKER_EDITION != 0,
        "copies_joker": _COPY_JOKER,
        "needs_hand": NEEDS_HAND,
        "whole_hand": NEEDS_HAND & (TARGETS_MAX == 0),
        "plain": _CARD_EDITION,
        "targets_min": TARGETS_MIN,
        "targets_max": TARGETS_MAX,
        "new_cards": _COPIES + _NEW_CARDS,
    }
)
_EFFECTS = Columns(
    {
        "is_planet": IS_PLANET,
        "is_tarot": IS_TAROT,
        "card_edition": _CARD_EDITION,
        "copies": _COPIES,
        "copies_last": _COPIES_LAST,
        "copy_joker": _COPY_JOKER,
        "copy_right": _COPY_RIGHT,
        "create": _CREATE,
        "create_count": _CREATE_COUNT,
        "destroy": _DESTROY,
        "destroy_others": _DESTROY_OTHERS,
        "destroy_random": _DESTROY_RANDOM,
        "destroy_shuffled": _DESTROY_SHUFFLED,
        "dollars": _DOLLARS,
        "double_money": _DOUBLE_MONEY,
        "enhance": _ENHANCE,
        "hand_of": _HAND_OF,
        "hand_rank": _HAND_RANK,
        "hand_size": _HAND_SIZE,
        "hand_suit": _HAND_SUIT,
        "joker_edition": _JOKER_EDITION,
        "level": _LEVEL,
        "level_all": _LEVEL_ALL,
        "new_cards": _NEW_CARDS,
        "new_first": _NEW_FIRST,
        "new_ranks": _NEW_RANKS,
        "rank_up": _RANK_UP,
        "seal": _SEAL,
        "sell_values": _SELL_VALUES,
        "sets_money": _SETS_MONEY,
        "stream": _STREAM,
        "suit": _SUIT,
    }
)


def needs_of(card: Array) -> TableRow:
    """What using an item asks for. card: item id[...]; a joker's, a voucher's or 0 cannot be used at all.

    `plain`: cards without an edition only (Aura). `targets_min`, `targets_max`: fewest and most hand cards.
    `new_cards`: that it makes. The others tell whether something is needed or applies.
    """
    return _NEEDS.at(card)


def usable(state: State, needs: TableRow, frees_slot: Array | bool) -> Array:
    """Whether a consumable could be used now, apart from the chosen hand cards.

    Args:
      needs: of `needs_of`. frees_slot: it lies in a consumable slot, which its use frees (a negative card takes its
        slot with it).
    """
    jokers = state.jokers
    there = jokers.id > 0
    n_jokers = jnp.sum(there, dtype=jnp.int32)
    consumable_room = (free_consumable_slots(state) + jnp.asarray(frees_slot)) > 0
    last = state.run.last_tarot_planet
    ok = needs["is_consumable"]
    ok &= ~needs["creates_joker"] | (free_joker_slots(state) > 0)
    ok &= ~needs["creates_consumable"] | consumable_room
    ok &= ~needs["copies_last"] | ((last > 0) & (last != _FOOL) & consumable_room)
    ok &= ~needs["joker_edition"] | jnp.any(there & (jokers.edition == 0))
    ok &= ~needs["copies_joker"] | ((n_jokers > 0) & (joker_slots(state) > 1))
    in_hand = state.piles.n_hand
    ok &= ~needs["needs_hand"] | (in_hand > 0)
    return ok & (~needs["whole_hand"] | (in_hand > 1))


def use(work: Work, source: Array, slot: Array, chosen: Array, book: JokerBook, events: JokerEvents) -> Work:
    """Uses a consumable from its slot, from the open pack, or right from the shop ("buy and use").

    Args:
      source: int32[], FROM_AREA, FROM_PACK or FROM_SHOP. slot: int32[].
      chosen: bool[H], cards of the hand.
    """
    work, card = _take_card(work, source, slot, events)
    state = work.state
    its = _EFFECTS.at(card)
    last = state.run.last_tarot_planet.astype(jnp.int32)
    recorded = its["is_tarot"] | its["is_planet"]
    run = state.run
    hand_of = its["hand_of"]
    planets = run.planets_used | (its["is_planet"] & (jnp.arange(len(HANDS)) == hand_of))
    state = replace(
        state,
        run=update(
            run,
            last_tarot_planet=jnp.where(recorded, card, run.last_tarot_planet),
            tarots_used=run.tarots_used + its["is_tarot"],
            planets_used=planets,
        ),
    )
    area = hand_area(book, state, state.piles.hand >= 0)
    old_size = deck_size(state.deck)
    state = _change_hand_cards(state, its, chosen)
    state, doomed, new_cards = _destroy_and_add(state, its, chosen, events)
    state = cards_destroyed(state, events, area, doomed)
    state = cards_added(state, events, new_cards)
    state = _money_and_levels(state, its)
    state = _change_jokers(state, its, look_up(_ODDS, card), book)
    gain = jnp.where(its["is_planet"], ev.own(state.jokers, events.planet_gain), 0.0)
    state = replace(state, jokers=replace(state.jokers, stored=state.jokers.stored + gain))
    state = get_consumable(state, last, when=its["copies_last"])
    size = state.deck.cards.rank.shape[0]
    # Debuffs are found anew for the cards that changed, and only for them (run.md 10).
    whole = its["hand_suit"] | its["hand_rank"]
    touched = deck_mask_of(state.piles.hand, chosen | whole, size) | (jnp.arange(size) >= old_size)
    work = set_todo(
        Work(state, work.todo),
        doomed=work.todo.doomed | deck_mask_of(state.piles.hand, doomed, size),
        debuffs=touched,
        in_use=card,
    )
    return create(work, its["create"], its["create_count"])


def _take_card(work: Work, source: Array, slot: Array, events: JokerEvents) -> tuple[Work, Array]:
    """Takes the card from where it lies (and pays for it in the shop). -> work, its item id int32[]"""
    state = work.state
    own_slot = jnp.minimum(slot, state.consumables.id.shape[0] - 1)
    pack_slot = jnp.minimum(slot, state.pack.cards.id.shape[0] - 1)
    shop_slot = jnp.minimum(slot, state.shop.cards.id.shape[0] - 1)
    ids = jnp.stack(
        [state.consumables.id[own_slot], state.pack.cards.id[pack_slot], state.shop.cards.id[shop_slot]]
    )
    card = ids[source].astype(jnp.int32)
    cost = jnp.where(source == FROM_SHOP, offer_prices(state, events, state.shop.cards)[shop_slot], 0)
    paid = pay(state, cost)
    run = jax.tree.map(lambda new, old: jnp.where(source == FROM_SHOP, new, old), paid.run, state.run)
    picked, _ = take_pick(state, pack_slot)
    from_pack = source == FROM_PACK
    state = lose_consumable(state, own_slot, source == FROM_AREA)
    state = replace(
        state,
        run=run,
        pack=jax.tree.map(lambda new, old: jnp.where(from_pack, new, old), picked.pack, state.pack),
        shop=replace(state.shop, cards=without_offer(state.shop.cards, shop_slot, source == FROM_SHOP)),
    )
    closes = from_pack & (state.pack.picks_left <= 0)
    return set_todo(Work(state, work.todo), close_pack=closes, cost=cost), card


def _change_hand_cards(state: State, its: TableRow, chosen: Array) -> State:
    """Enhancements, seals, suits, ranks, editions and Death; hidden cards that are chosen turn up."""
    deck, size = state.deck, state.deck.cards.rank.shape[0]
    cards, hand = deck.cards, state.piles.hand
    targets = deck_mask_of(hand, chosen, size)
    whole = deck_mask_of(hand, hand >= 0, size)
    ante, streams = state.run.ante, state.streams

    # One draw serves Sigil, Ouija and Aura: only the stream differs.
    draws = its["hand_suit"] | its["hand_rank"] | its["card_edition"]
    u, streams = rng.uniform(streams, its["stream"], ante, draws)
    suit = look_up(_SIGIL_SUITS, rng.to_index(u, jnp.float64(len(_SIGIL_SUITS))))
    rank = look_up(_RANK_LIST, rng.to_index(u, jnp.float64(len(_RANK_LIST))))

    enhancement = jnp.where(targets & (its["enhance"] > 0), its["enhance"], cards.enhancement)
    seal = jnp.where(targets & (its["seal"] > 0), its["seal"], cards.seal)
    new_suit = jnp.where(targets & (its["suit"] >= 0), its["suit"], cards.suit)
    new_suit = jnp.where(whole & its["hand_suit"], suit, new_suit)
    higher = jnp.where(cards.rank == _ACE, _LOWEST, cards.rank + 1)
    new_rank = jnp.where(targets & (its["rank_up"] > 0), higher, cards.rank)
    new_rank = jnp.where(whole & its["hand_rank"], rank, new_rank)
    edition = jnp.where(targets & its["card_edition"], guaranteed_edition(u), cards.edition)
    cards = update(cards, rank=new_rank, suit=new_suit, enhancement=enhancement, seal=seal, edition=edition)
    # Death: the left one becomes the right one; it keeps its printed suit.
    word = bits.to_bits(chosen)
    at = jnp.maximum(hand, 0).astype(jnp.int32)
    left, right = (at[jnp.clip(end(word), 0, hand.shape[0] - 1)] for end in (bits.lowest, bits.highest))
    copied = (cards, deck.played_this_ante, deck.debuffed_for_good)
    cards, played, debuffed = set_row(copied, left, rows_at(copied, right), its["copy_right"])
    deck = replace(
        deck,
        cards=cards,
        played_this_ante=played,
        debuffed_for_good=debuffed,
        face_down=deck.face_down & ~targets,
    )
    return replace(state, deck=deck, streams=streams)


def _destroy_and_add(
    state: State, its: TableRow, chosen: Array, events: JokerEvents
) -> tuple[State, Array, Array]:
    """Destroyed hand cards, and new ones at the right end of the hand.

    Returns:
      The state with the new cards, bool[H]: destroyed places of the hand, int32[]: number of new cards.
    """
    hand, n_hand = state.piles.hand, state.piles.n_hand
    size = state.deck.cards.rank.shape[0]
    ante, streams = state.run.ante, state.streams
    in_hand = deck_mask_of(hand, hand >= 0, size)
    random = its["destroy_random"] > 0
    place, streams = rng.pick_where(streams, "random_destroy", ante, in_hand, random)
    doomed = (chosen & its["destroy"]) | (random & (hand == place) & (hand >= 0))

    # Immolate: the hand in creation order is shuffled, the first five go.
    burns = its["destroy_shuffled"]
    d, streams = rng.step(streams, "immolate", ante, burns > 0)
    positions = jnp.arange(HAND_CAPACITY, dtype=jnp.int32)
    order = by_creation(hand.astype(jnp.int32), hand >= 0)
    count = jnp.where(burns > 0, n_hand, 0)
    order = rng.shuffle(jnp.minimum(order, HAND_CAPACITY - 1), count, d)
    burnt = jnp.where(positions < jnp.minimum(burns, count), order, HAND_CAPACITY)
    doomed |= put(jnp.zeros(HAND_CAPACITY, bool), burnt, True)

    # Cryptid: copies of the chosen card.
    deck, old = state.deck, deck_size(state.deck)
    room = jnp.minimum(size - old, HAND_CAPACITY - n_hand)
    copies = jnp.minimum(its["copies"], room)
    source = jnp.maximum(hand[jnp.argmax(chosen)], 0).astype(jnp.int32)
    deck = add_copies(deck, source, copies, state.run.next_number)
    made = jnp.minimum(its["new_cards"], room)
    deck, streams = _new_cards(deck, streams, state, its, made)
    new = jnp.maximum(copies, made)
    nth = jnp.arange(_MOST_NEW, dtype=jnp.int32)
    hand, n_hand = append(hand, n_hand, (old + nth).astype(hand.dtype), nth < new)
    wanted = jnp.maximum(its["copies"], its["new_cards"])
    state = replace(
        state,
        streams=streams,
        deck=deck,
        piles=replace(state.piles, hand=hand, n_hand=n_hand),
        run=update(state.run, next_number=state.run.next_number + new),
        overflow=state.overflow | (new < wanted),
    )
    return state, doomed, new


def _new_cards(
    deck: Deck, streams: rng.Streams, state: State, its: TableRow, count: Array
) -> tuple[Deck, rng.Streams]:
    """Familiar, Grim, Incantation: enhanced cards, each with its rank, suit and enhancement drawn."""
    ante, seed_hash = state.run.ante, streams.seed_hash
    stream = its["stream"]
    kinds = jnp.asarray(_ENHANCED_WITHOUT_STONE)

    def one(carry: tuple) -> tuple:
        number, deck, cards, enhancements = carry
        several = its["new_ranks"] > 1  # a list of one rank draws nothing (Grim, K)
        u, cards = rng.draw_from(cards, seed_hash, several)
        nth = jnp.where(several, rng.to_index(u, its["new_ranks"].astype(jnp.float64)), 0)
        rank = look_up(_RANK_LIST, its["new_first"] + nth)
        u, cards = rng.draw_from(cards, seed_hash)
        suit = look_up(_SIGIL_SUITS, rng.to_index(u, jnp.float64(len(_SIGIL_SUITS))))
        u, enhancements = rng.draw_from(enhancements, seed_hash)
        kind = kinds[rng.to_index(u, jnp.float64(kinds.shape[0]))]
        deck = add_card(deck, rank, suit, kind, jnp.int8(0), jnp.int8(0), state.run.next_number + number)
        return number + 1, deck, cards, enhancements

    start = (
        jnp.int32(0),
        deck,
        rng.stream_state(streams, stream, ante),
        rng.stream_state(streams, "spe_card", ante),
    )
    _, deck, cards, enhancements = while_loop(lambda carry: carry[0] < count, one, start)
    some = count > 0
    cards = jnp.where(some, cards, rng.stream_state(streams, stream, ante))
    streams = rng.set_stream_state(streams, stream, ante, cards)
    return deck, rng.set_stream_state(streams, "spe_card", ante, enhancements)


def _money_and_levels(state: State, its: TableRow) -> State:
    """Hermit, Temperance, Immolate, Wraith; planets and Black Hole."""
    money = state.run.money
    money += jnp.where(its["double_money"] > 0, jnp.clip(money, 0, its["double_money"]), 0)
    money += jnp.minimum(its["sell_values"], jnp.sum(joker_sell_values(state), dtype=jnp.int32))
    money = jnp.where(its["sets_money"], 0, money + its["dollars"])
    hands = state.poker_hands
    one = (jnp.arange(len(HANDS)) == its["hand_of"]) * its["level"]
    level = hands.level + one + its["level_all"]
    run = update(state.run, money=money, hand_size=state.run.hand_size + its["hand_size"])
    return replace(state, run=run, poker_hands=update(hands, level=level))


def _change_jokers(state: State, its: TableRow, odds: Array, book: JokerBook) -> State:
    """The Wheel of Fortune, Ectoplasm, Hex, Ankh."""
    jokers, ante, streams = state.jokers, state.run.ante, state.streams
    stream, there = its["stream"], state.jokers.id > 0
    edits, copies = its["joker_edition"] != 0, its["copy_joker"]
    acts = edits | copies
    chance = odds > 0
    u, streams = rng.uniform(streams, stream, ante, chance)
    success = ~chance | hits(u, ev.probability(book, jokers), jnp.where(chance, odds, 1.0))
    member = there & (copies | (jokers.edition == 0))
    order, count = by_creation(jokers.number, member), jnp.sum(member, dtype=jnp.int32)
    picks = acts & success & (count > 0)
    nth, streams = rng.pick(streams, stream, ante, count, picks)
    picked = order[jnp.clip(nth, 0, order.shape[0] - 1)]
    random = its["joker_edition"] < 0
    u, streams = rng.uniform(streams, stream, ante, picks & random)
    edition = jnp.where(random, guaranteed_edition(u), its["joker_edition"])
    places = jnp.arange(there.shape[0])
    chosen = places == picked
    new_edition = jnp.where(picks & edits & chosen, edition, jokers.edition)
    negative = picks & (its["joker_edition"] == NEGATIVE)
    run = state.run
    state = replace(
        state,
        streams=streams,
        jokers=update(jokers, edition=new_edition),
        run=update(
            run,
            hand_size=run.hand_size - jnp.where(negative, run.ectoplasm_cost, 0),
            ectoplasm_cost=run.ectoplasm_cost + negative,
        ),
    )
    gone = picks & its["destroy_others"] & there & ~chosen & ~jokers.eternal
    # The copy stands at the right end, after the others are gone.
    source = picked - jnp.sum(gone & (places < picked), dtype=jnp.int32)
    state = copy_joker(lose_jokers(state, gone), source, picks & copies)
    return replace(state, jokers=pinned_first(state.jokers))
