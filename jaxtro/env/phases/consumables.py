"""Using tarots, planets and spectrals. What each does stands in the table (column `does`)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import joker_events as ev
from jaxtro.env import rng
from jaxtro.env.areas import (
    add_card,
    append,
    deck_mask_of,
    deck_size,
)
from jaxtro.env.chance import hits
from jaxtro.env.generation.items import guaranteed_edition
from jaxtro.env.joker_events import JokerEvents
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


def _packed(columns: dict[str, tuple[np.ndarray, int]]) -> tuple[np.ndarray, dict[str, tuple[int, int]]]:
    """Columns as bits of one number by item id, as tables are read one element at a time on CPUs."""
    word, bits_of, first = np.zeros(len(ITEMS), np.int32), {}, 0
    for name, (values, count) in columns.items():
        assert ((values >= 0) & (values < 1 << count)).all(), name
        word |= values.astype(np.int32) << first
        bits_of[name] = first, count
        first += count
    return word, bits_of


_NEEDS, _NEEDS_BITS = _packed(
    {
        "is_consumable": (np.isin(np.arange(len(ITEMS)), range(FIRST_CONSUMABLE, FIRST_VOUCHER)), 1),
        "creates_joker": (_CREATES_JOKER, 1),
        "creates_consumable": ((_CREATE != 0) & ~_CREATES_JOKER, 1),
        "copies_last": (_COPIES_LAST, 1),
        "joker_edition": (_JOKER_EDITION != 0, 1),
        "copies_joker": (_COPY_JOKER, 1),
        "needs_hand": (NEEDS_HAND, 1),
        "whole_hand": (NEEDS_HAND & (TARGETS_MAX == 0), 1),
        "plain": (_CARD_EDITION, 1),
        "targets_min": (TARGETS_MIN, 3),
        "targets_max": (TARGETS_MAX, 3),
        "new_cards": (_COPIES + _NEW_CARDS, 3),
    }
)


@dataclass(frozen=True)
class Needs:
    """What using an item asks for. word: int32[...], of `needs_of`."""

    word: Array

    def number(self, name: str) -> Array:
        """`targets_min`, `targets_max`: fewest and most hand cards; `new_cards`: that it makes. -> int32[...]"""
        first, count = _NEEDS_BITS[name]
        return (self.word >> first) & ((1 << count) - 1)

    def has(self, name: str) -> Array:
        """Whether something applies, such as `plain`: cards without an edition only (Aura). -> bool[...]"""
        return self.number(name) != 0


def needs_of(card: Array) -> Needs:
    """What using an item asks for. card: item id[...]; a joker's, a voucher's or 0 cannot be used at all."""
    return Needs(jnp.asarray(_NEEDS)[card.astype(jnp.int32)])


def usable(state: State, needs: Needs, frees_slot: Array | bool) -> Array:
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
    ok = needs.has("is_consumable")
    ok &= ~needs.has("creates_joker") | (free_joker_slots(state) > 0)
    ok &= ~needs.has("creates_consumable") | consumable_room
    ok &= ~needs.has("copies_last") | ((last > 0) & (last != _FOOL) & consumable_room)
    ok &= ~needs.has("joker_edition") | jnp.any(there & (jokers.edition == 0))
    ok &= ~needs.has("copies_joker") | ((n_jokers > 0) & (joker_slots(state) > 1))
    in_hand = state.piles.n_hand
    ok &= ~needs.has("needs_hand") | (in_hand > 0)
    return ok & (~needs.has("whole_hand") | (in_hand > 1))


def use(work: Work, source: Array, slot: Array, chosen: Array, book: JokerBook, events: JokerEvents) -> Work:
    """Uses a consumable from its slot, from the open pack, or right from the shop ("buy and use").

    Args:
      source: int32[], FROM_AREA, FROM_PACK or FROM_SHOP. slot: int32[].
      chosen: bool[H], cards of the hand.
    """
    work, card = _take_card(work, source, slot, events)
    state = work.state
    look = lambda column: jnp.asarray(column)[card]  # noqa: E731
    last = state.run.last_tarot_planet.astype(jnp.int32)
    recorded = look(IS_TAROT) | look(IS_PLANET)
    run = state.run
    hand_of = look(_HAND_OF)
    planets = run.planets_used | (look(IS_PLANET) & (jnp.arange(len(HANDS)) == hand_of))
    state = replace(
        state,
        run=update(
            run,
            last_tarot_planet=jnp.where(recorded, card, run.last_tarot_planet),
            tarots_used=run.tarots_used + look(IS_TAROT),
            planets_used=planets,
        ),
    )
    area = hand_area(book, state, state.piles.hand >= 0)
    old_size = deck_size(state.deck)
    state = _change_hand_cards(state, card, chosen)
    state, doomed, new_cards = _destroy_and_add(state, card, chosen, events)
    state = cards_destroyed(state, events, area, doomed)
    state = cards_added(state, events, new_cards)
    state = _money_and_levels(state, card)
    state = _change_jokers(state, card, book)
    gain = jnp.where(look(IS_PLANET), ev.own(state.jokers, events.planet_gain), 0.0)
    state = replace(state, jokers=replace(state.jokers, stored=state.jokers.stored + gain))
    state = get_consumable(state, last, when=look(_COPIES_LAST))
    size = state.deck.cards.rank.shape[0]
    # Debuffs are found anew for the cards that changed, and only for them (run.md 10).
    whole = look(_HAND_SUIT) | look(_HAND_RANK)
    touched = deck_mask_of(state.piles.hand, chosen | whole, size) | (jnp.arange(size) >= old_size)
    work = set_todo(
        Work(state, work.todo),
        doomed=work.todo.doomed | deck_mask_of(state.piles.hand, doomed, size),
        debuffs=touched,
        in_use=card,
    )
    return create(work, look(_CREATE), look(_CREATE_COUNT))


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


def _change_hand_cards(state: State, card: Array, chosen: Array) -> State:
    """Enhancements, seals, suits, ranks, editions and Death; hidden cards that are chosen turn up."""
    look = lambda column: jnp.asarray(column)[card]  # noqa: E731
    deck, size = state.deck, state.deck.cards.rank.shape[0]
    cards, hand = deck.cards, state.piles.hand
    targets = deck_mask_of(hand, chosen, size)
    whole = deck_mask_of(hand, hand >= 0, size)
    ante, streams = state.run.ante, state.streams

    # One draw serves Sigil, Ouija and Aura: only the stream differs.
    draws = look(_HAND_SUIT) | look(_HAND_RANK) | look(_CARD_EDITION)
    u, streams = rng.uniform(streams, look(_STREAM), ante, draws)
    suit = jnp.asarray(_SIGIL_SUITS)[rng.to_index(u, jnp.float64(len(_SIGIL_SUITS)))]
    rank = jnp.asarray(_RANK_LIST)[rng.to_index(u, jnp.float64(len(_RANK_LIST)))]

    enhancement = jnp.where(targets & (look(_ENHANCE) > 0), look(_ENHANCE), cards.enhancement)
    seal = jnp.where(targets & (look(_SEAL) > 0), look(_SEAL), cards.seal)
    new_suit = jnp.where(targets & (look(_SUIT) >= 0), look(_SUIT), cards.suit)
    new_suit = jnp.where(whole & look(_HAND_SUIT), suit, new_suit)
    higher = jnp.where(cards.rank == _ACE, _LOWEST, cards.rank + 1)
    new_rank = jnp.where(targets & (look(_RANK_UP) > 0), higher, cards.rank)
    new_rank = jnp.where(whole & look(_HAND_RANK), rank, new_rank)
    edition = jnp.where(targets & look(_CARD_EDITION), guaranteed_edition(u), cards.edition)
    cards = update(cards, rank=new_rank, suit=new_suit, enhancement=enhancement, seal=seal, edition=edition)
    # Death: the left one becomes the right one; it keeps its printed suit.
    left, right = jnp.argmax(chosen), chosen.shape[0] - 1 - jnp.argmax(chosen[::-1])
    dies = look(_COPY_RIGHT)
    from_place = jnp.maximum(hand[right], 0).astype(jnp.int32)
    to_place = jnp.where(dies, jnp.maximum(hand[left], 0).astype(jnp.int32), size)
    cards = jax.tree.map(lambda values: values.at[to_place].set(values[from_place], mode="drop"), cards)
    copied = lambda values: values.at[to_place].set(values[from_place], mode="drop")  # noqa: E731
    deck = replace(
        deck,
        cards=cards,
        played_this_ante=copied(deck.played_this_ante),
        debuffed_for_good=copied(deck.debuffed_for_good),
        face_down=deck.face_down & ~targets,
    )
    return replace(state, deck=deck, streams=streams)


def _destroy_and_add(
    state: State, card: Array, chosen: Array, events: JokerEvents
) -> tuple[State, Array, Array]:
    """Destroyed hand cards, and new ones at the right end of the hand.

    Returns:
      The state with the new cards, bool[H]: destroyed places of the hand, int32[]: number of new cards.
    """
    look = lambda column: jnp.asarray(column)[card]  # noqa: E731
    hand, n_hand = state.piles.hand, state.piles.n_hand
    size = state.deck.cards.rank.shape[0]
    ante, streams = state.run.ante, state.streams
    in_hand = deck_mask_of(hand, hand >= 0, size)
    random = look(_DESTROY_RANDOM) > 0
    place, streams = rng.pick_where(streams, "random_destroy", ante, in_hand, random)
    doomed = (chosen & look(_DESTROY)) | (random & (hand == place) & (hand >= 0))

    # Immolate: the hand in creation order is shuffled, the first five go.
    burns = look(_DESTROY_SHUFFLED)
    d, streams = rng.step(streams, "immolate", ante, burns > 0)
    positions = jnp.arange(HAND_CAPACITY, dtype=jnp.int32)
    order = by_creation(hand.astype(jnp.int32), hand >= 0)
    count = jnp.where(burns > 0, n_hand, 0)
    order = rng.shuffle(jnp.minimum(order, HAND_CAPACITY - 1), count, d)
    burnt = (
        jnp.zeros(HAND_CAPACITY, bool)
        .at[jnp.where(positions < jnp.minimum(burns, count), order, HAND_CAPACITY)]
        .set(True, mode="drop")
    )
    doomed |= burnt

    # Cryptid: copies of the chosen card.
    deck, old = state.deck, deck_size(state.deck)
    room = jnp.minimum(size - old, HAND_CAPACITY - n_hand)
    copies = jnp.minimum(look(_COPIES), room)
    source = jnp.maximum(hand[jnp.argmax(chosen)], 0).astype(jnp.int32)
    deck = add_copies(deck, source, copies, state.run.next_number)
    made = jnp.minimum(look(_NEW_CARDS), room)
    deck, streams = _new_cards(deck, streams, state, card, made)
    new = jnp.maximum(copies, made)
    nth = jnp.arange(_MOST_NEW, dtype=jnp.int32)
    hand, n_hand = append(hand, n_hand, (old + nth).astype(hand.dtype), nth < new)
    wanted = jnp.maximum(look(_COPIES), look(_NEW_CARDS))
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
    deck: Deck, streams: rng.Streams, state: State, card: Array, count: Array
) -> tuple[Deck, rng.Streams]:
    """Familiar, Grim, Incantation: enhanced cards, each with its rank, suit and enhancement drawn."""
    look = lambda column: jnp.asarray(column)[card]  # noqa: E731
    ante, seed_hash = state.run.ante, streams.seed_hash
    stream = look(_STREAM)
    kinds = jnp.asarray(_ENHANCED_WITHOUT_STONE)

    def one(carry: tuple) -> tuple:
        number, deck, cards, enhancements = carry
        several = look(_NEW_RANKS) > 1  # a list of one rank draws nothing (Grim, K)
        u, cards = rng.draw_from(cards, seed_hash, several)
        nth = jnp.where(several, rng.to_index(u, look(_NEW_RANKS).astype(jnp.float64)), 0)
        rank = jnp.asarray(_RANK_LIST)[look(_NEW_FIRST) + nth]
        u, cards = rng.draw_from(cards, seed_hash)
        suit = jnp.asarray(_SIGIL_SUITS)[rng.to_index(u, jnp.float64(len(_SIGIL_SUITS)))]
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
    _, deck, cards, enhancements = lax.while_loop(lambda carry: carry[0] < count, one, start)
    some = count > 0
    cards = jnp.where(some, cards, rng.stream_state(streams, stream, ante))
    streams = rng.set_stream_state(streams, stream, ante, cards)
    return deck, rng.set_stream_state(streams, "spe_card", ante, enhancements)


def _money_and_levels(state: State, card: Array) -> State:
    """Hermit, Temperance, Immolate, Wraith; planets and Black Hole."""
    look = lambda column: jnp.asarray(column)[card]  # noqa: E731
    money = state.run.money
    money += jnp.where(look(_DOUBLE_MONEY) > 0, jnp.clip(money, 0, look(_DOUBLE_MONEY)), 0)
    money += jnp.minimum(look(_SELL_VALUES), jnp.sum(joker_sell_values(state), dtype=jnp.int32))
    money = jnp.where(look(_SETS_MONEY), 0, money + look(_DOLLARS))
    hands = state.poker_hands
    one = (jnp.arange(len(HANDS)) == look(_HAND_OF)) * look(_LEVEL)
    level = hands.level + one + look(_LEVEL_ALL)
    run = update(state.run, money=money, hand_size=state.run.hand_size + look(_HAND_SIZE))
    return replace(state, run=run, poker_hands=update(hands, level=level))


def _change_jokers(state: State, card: Array, book: JokerBook) -> State:
    """The Wheel of Fortune, Ectoplasm, Hex, Ankh."""
    look = lambda column: jnp.asarray(column)[card]  # noqa: E731
    jokers, ante, streams = state.jokers, state.run.ante, state.streams
    stream, there = look(_STREAM), state.jokers.id > 0
    edits, copies = look(_JOKER_EDITION) != 0, look(_COPY_JOKER)
    acts = edits | copies
    odds = look(_ODDS)
    chance = odds > 0
    u, streams = rng.uniform(streams, stream, ante, chance)
    success = ~chance | hits(u, ev.probability(book, jokers), jnp.where(chance, odds, 1.0))
    member = there & (copies | (jokers.edition == 0))
    order, count = by_creation(jokers.number, member), jnp.sum(member, dtype=jnp.int32)
    picks = acts & success & (count > 0)
    nth, streams = rng.pick(streams, stream, ante, count, picks)
    picked = order[jnp.clip(nth, 0, order.shape[0] - 1)]
    random = look(_JOKER_EDITION) < 0
    u, streams = rng.uniform(streams, stream, ante, picks & random)
    edition = jnp.where(random, guaranteed_edition(u), look(_JOKER_EDITION))
    places = jnp.arange(there.shape[0])
    chosen = places == picked
    new_edition = jnp.where(picks & edits & chosen, edition, jokers.edition)
    negative = picks & (look(_JOKER_EDITION) == NEGATIVE)
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
    gone = picks & look(_DESTROY_OTHERS) & there & ~chosen & ~jokers.eternal
    # The copy stands at the right end, after the others are gone.
    source = picked - jnp.sum(gone & (places < picked), dtype=jnp.int32)
    state = copy_joker(lose_jokers(state, gone), source, picks & copies)
    return replace(state, jokers=pinned_first(state.jokers))
