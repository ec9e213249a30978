"""What a player may know, as tables of entities with integer ids, numbers and masks.

Nothing hidden is in it: no draw order, no coming shop, nothing of a face-down card but that it lies there.
Integers are int32, numbers float32; large numbers are log-scaled.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env import joker_events as ev
from jaxtro.env.areas import see_hand
from jaxtro.env.bits import places_of_each, set_of, size_of, words_of
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.owned import (
    consumable_sell_values,
    consumable_slots,
    credit,
    hand_size,
    joker_sell_values,
    joker_slots,
    offer_prices,
    pack_prices,
    voucher_price,
)
from jaxtro.env.phases.blind_select import blind_of
from jaxtro.env.phases.round_end import interest_cap
from jaxtro.env.phases.shop import reroll_price
from jaxtro.env.run_rules import target
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.scoring.hands import STONE
from jaxtro.env.state import Offers, State
from jaxtro.tables import EDITIONS, ENHANCEMENTS, SEALS
from jaxtro.tables.pools import FRONT_RANK, FRONT_SUIT
from jaxtro.tables.streams import ANTES_KEPT

RANKS, SUITS = 13, 4


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CardTable:
    """Playing cards, left to right.

    Attributes:
      rank: int32[N], 2..14, 0 = none or unknown. suit: int32[N], 1 clubs, 2 diamonds, 3 hearts, 4 spades, 0 = none
        or unknown. enhancement, edition, seal: int32[N].
      bonus: float32[N], log(1 + chips gained for good).
      debuffed, face_down, forced: bool[N]. mask: bool[N], there is a card.
    """

    rank: Array
    suit: Array
    enhancement: Array
    edition: Array
    seal: Array
    bonus: Array
    debuffed: Array
    face_down: Array
    forced: Array
    mask: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class JokerTable:
    """The player's jokers; a face-down one (Amber Acorn) shows nothing but its place and sell value.

    Attributes:
      id, edition: int32[N]. stored: float32[N], signed log of its number. counter: float32[N], Yorick's.
      sell: float32[N], dollars. perish: int32[N], rounds left, -1 = does not perish.
      eternal, rental, pinned, debuffed, face_down, mask: bool[N].
    """

    id: Array
    edition: Array
    stored: Array
    counter: Array
    sell: Array
    perish: Array
    eternal: Array
    rental: Array
    pinned: Array
    debuffed: Array
    face_down: Array
    mask: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ItemTable:
    """Things on offer, or owned consumables.

    Attributes:
      id: int32[N], of `tables.ITEMS` (packs: of `tables.PACKS`), 0 for a playing card or nothing.
      rank, suit, enhancement, edition, seal: int32[N], as in `CardTable`, for playing cards.
      price: float32[N], dollars to pay (consumables: to get). eternal, perishable, rental, mask: bool[N].
    """

    id: Array
    rank: Array
    suit: Array
    enhancement: Array
    edition: Array
    seal: Array
    price: Array
    eternal: Array
    perishable: Array
    rental: Array
    mask: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Observation:
    """What a player may know.

    Attributes:
      phase: int32[]. hand: `CardTable`[32]. jokers: `JokerTable`[16].
      consumables, shop_cards, vouchers, packs, pack_cards: `ItemTable`.
      unseen: float32[4, 13], cards by suit and rank (2 first) in the draw pile or face down; stones: float32[1].
      deck: float32[4, 13], of the full deck. deck_enhancements: float32[9], deck_editions, deck_seals: float32[5].
      hand_levels, hand_played, hand_played_this_round: float32[12]; hand_visible: bool[12].
      redeemed: bool[33]. tags: int32[16], held. skip_tags: int32[2]. orbital: int32[2], hands of Orbital Tags.
      boss: int32[], of this ante. blind: int32[], being fought, 0 = none. blind_status: int32[3].
      targets: int32[5], as `state.Targets` (ranks 2..14, suits 1..4).
      deck_kind, stake, challenge: int32[].
      scalars: float32[24], see `SCALARS`.
    """

    phase: Array
    hand: CardTable
    jokers: JokerTable
    consumables: ItemTable
    shop_cards: ItemTable
    vouchers: ItemTable
    packs: ItemTable
    pack_cards: ItemTable
    unseen: Array
    stones: Array
    deck: Array
    deck_enhancements: Array
    deck_editions: Array
    deck_seals: Array
    hand_levels: Array
    hand_played: Array
    hand_played_this_round: Array
    hand_visible: Array
    redeemed: Array
    tags: Array
    skip_tags: Array
    orbital: Array
    boss: Array
    blind: Array
    blind_status: Array
    targets: Array
    deck_kind: Array
    stake: Array
    challenge: Array
    scalars: Array


SCALARS = (
    "ante", "round", "money_log", "credit_log", "chips_log", "target_log", "share_of_target", "next_target_log",
    "hands_left", "discards_left", "hands_played", "discards_used", "hand_size", "cards_in_draw_pile",
    "joker_slots", "consumable_slots", "reroll_price", "free_rerolls", "picks_left", "skips", "hands_played_in_run",
    "interest_cap", "probability", "won",
)  # fmt: skip


def signed_log(value: Array) -> Array:
    """sign(x) log(1 + |x|), at most 1e4. -> float32"""
    value = jnp.asarray(value).astype(jnp.float64)
    logged = jnp.sign(value) * jnp.log1p(jnp.minimum(jnp.abs(value), jnp.finfo(jnp.float64).max))
    return logged.astype(jnp.float32)


def _i32(value: Array) -> Array:
    return value.astype(jnp.int32)


def _f32(value: Array) -> Array:
    return value.astype(jnp.float32)


def _hand(state: State) -> CardTable:
    hand = state.piles.hand
    cards, down = see_hand(state.deck, hand)
    there = hand >= 0
    seen = there & ~down
    stone = cards.enhancement == STONE

    def shown(values: Array) -> Array:
        return jnp.where(seen, _i32(values), 0)

    return CardTable(
        rank=jnp.where(stone, 0, shown(cards.rank)),
        suit=jnp.where(stone, 0, jnp.where(seen, _i32(cards.suit) + 1, 0)),
        enhancement=shown(cards.enhancement),
        edition=shown(cards.edition),
        seal=shown(cards.seal),
        bonus=jnp.where(seen, signed_log(cards.bonus), 0.0),
        debuffed=seen & cards.debuffed,
        face_down=down,
        forced=there & (hand == state.round.forced),
        mask=there,
    )


def _jokers(state: State) -> JokerTable:
    jokers = state.jokers
    there = jokers.id > 0
    seen = there & ~jokers.face_down
    return JokerTable(
        id=jnp.where(seen, _i32(jokers.id), 0),
        edition=jnp.where(seen, _i32(jokers.edition), 0),
        stored=jnp.where(seen, signed_log(jokers.stored), 0.0),
        counter=jnp.where(seen, _f32(jokers.counter), 0.0),
        sell=jnp.where(seen, _f32(joker_sell_values(state)), 0.0),
        perish=jnp.where(seen, _i32(jokers.perish), -1),
        eternal=seen & jokers.eternal,
        rental=seen & jokers.rental,
        pinned=seen & jokers.pinned,
        debuffed=seen & jokers.debuffed,
        face_down=there & jokers.face_down,
        mask=there,
    )


def _items(ids: Array, price: Array, **fields: Array) -> ItemTable:
    """A table of things without a face; fields: what else is known."""
    none, no = jnp.zeros(ids.shape, jnp.int32), jnp.zeros(ids.shape, bool)
    known: dict[str, Array] = dict.fromkeys(("rank", "suit", "enhancement", "edition", "seal"), none)
    known |= dict.fromkeys(("eternal", "perishable", "rental"), no)
    known |= {"id": _i32(ids), "price": jnp.where(ids > 0, _f32(price), 0.0), "mask": ids > 0}
    return ItemTable(**(known | fields))


def _offers(offers: Offers, price: Array) -> ItemTable:
    card = offers.front >= 0
    front = jnp.maximum(offers.front, 0).astype(jnp.int32)
    stone = offers.enhancement == STONE
    there = card | (offers.id > 0)
    return ItemTable(
        id=_i32(offers.id),
        rank=jnp.where(card & ~stone, _i32(jnp.asarray(FRONT_RANK)[front]), 0),
        suit=jnp.where(card & ~stone, _i32(jnp.asarray(FRONT_SUIT)[front]) + 1, 0),
        enhancement=_i32(offers.enhancement),
        edition=_i32(offers.edition),
        seal=_i32(offers.seal),
        price=jnp.where(there, _f32(price), 0.0),
        eternal=offers.eternal,
        perishable=offers.perishable,
        rental=offers.rental,
        mask=there,
    )


def _counts(values: Array, members: Array, size: int) -> Array:
    """How many members have each value. values: int[N]. members: uint32[N / 32], a set -> float32[size]"""
    return _f32(size_of(places_of_each(values, size) & members))


def _by_face(suits: Array, ranks: Array, members: Array) -> Array:
    """How many members have each face. suits, ranks: sets of `places_of_each` -> float32[4, 13]"""
    return _f32(size_of(suits[:, None] & ranks[None] & members))


def observe(state: State, book: JokerBook, events: JokerEvents) -> Observation:
    """The observation of a state."""
    run, now, cards, piles = state.run, state.round, state.deck.cards, state.piles
    there = cards.rank > 0
    ranked = there & (cards.enhancement != STONE)
    # The draw pile, and what lies face down in the hand: the player cannot tell which is which.
    size = cards.rank.shape[0]
    visible = (piles.hand >= 0) & ~see_hand(state.deck, piles.hand)[1]
    known = set_of(piles.hand, visible, size) | set_of(piles.discard, piles.discard >= 0, size)
    unseen = words_of(there) & ~known
    suits = places_of_each(cards.suit, SUITS)
    ranks = places_of_each(cards.rank, 2 + RANKS)[2:]
    in_deck = words_of(there)
    in_blind = now.blind > 0
    upcoming = target(
        state.rules, run.ante, blind_of(state, jnp.clip(state.blinds.on_deck, 0, 2)), run.blind_scale
    )
    share = jnp.where(in_blind, now.chips / jnp.where(now.target > 0, now.target, 1.0), 0.0)
    scalars = {
        "ante": run.ante, "round": run.round, "money_log": signed_log(run.money),
        "credit_log": signed_log(credit(state, events)), "chips_log": signed_log(now.chips),
        "target_log": jnp.where(in_blind, signed_log(now.target), 0.0),
        "share_of_target": jnp.clip(share, 0.0, 2.0), "next_target_log": signed_log(upcoming),
        "hands_left": now.hands_left, "discards_left": now.discards_left, "hands_played": now.hands_played,
        "discards_used": now.discards_used, "hand_size": hand_size(state, events),
        "cards_in_draw_pile": piles.n_draw, "joker_slots": joker_slots(state),
        "consumable_slots": consumable_slots(state), "reroll_price": reroll_price(state),
        "free_rerolls": state.shop.free_rerolls, "picks_left": state.pack.picks_left, "skips": run.skips,
        "hands_played_in_run": signed_log(run.hands_played), "interest_cap": interest_cap(state),
        "probability": ev.probability(book, state.jokers), "won": run.won,
    }  # fmt: skip
    owned, shop = state.consumables, state.shop
    hands = state.poker_hands
    targets = state.targets
    return Observation(
        phase=_i32(state.phase),
        hand=_hand(state),
        jokers=_jokers(state),
        consumables=_items(
            owned.id, consumable_sell_values(state, events),
            edition=jnp.where(owned.negative, EDITIONS.keys.index("e_negative"), 0).astype(jnp.int32),
        ),
        shop_cards=_offers(shop.cards, offer_prices(state, events, shop.cards)),
        vouchers=_items(shop.vouchers, jnp.broadcast_to(voucher_price(state), shop.vouchers.shape)),
        packs=_items(shop.packs, pack_prices(state, events)),
        pack_cards=_offers(state.pack.cards, jnp.zeros(state.pack.cards.id.shape)),
        unseen=_by_face(suits, ranks, unseen & words_of(ranked)),
        stones=_f32(size_of(unseen & ~words_of(ranked)))[None],
        deck=_by_face(suits, ranks, words_of(ranked)),
        deck_enhancements=_counts(cards.enhancement, in_deck, len(ENHANCEMENTS)),
        deck_editions=_counts(cards.edition, in_deck, len(EDITIONS)),
        deck_seals=_counts(cards.seal, in_deck, len(SEALS)),
        hand_levels=_f32(hands.level),
        hand_played=signed_log(hands.played),
        hand_played_this_round=_f32(hands.played_this_round),
        hand_visible=hands.visible,
        redeemed=run.redeemed,
        tags=_i32(state.tags),
        skip_tags=_i32(state.blinds.tags),
        orbital=_i32(run.orbital[run.ante % ANTES_KEPT, :2]),
        boss=_i32(state.blinds.boss),
        blind=_i32(now.blind),
        blind_status=_i32(state.blinds.status),
        targets=jnp.stack(
            [
                _i32(targets.idol_rank), _i32(targets.idol_suit) + 1, _i32(targets.mail_rank),
                _i32(targets.ancient_suit) + 1, _i32(targets.castle_suit) + 1,
            ]
        ),
        deck_kind=_i32(state.rules.deck),
        stake=_i32(state.rules.stake),
        challenge=_i32(state.rules.challenge),
        scalars=jnp.stack([_f32(jnp.asarray(scalars[name])) for name in SCALARS]),
    )  # fmt: skip
