"""What a network sees: the observation in small types, with facts of the hand that take many cards to see.

A rollout keeps one of these for each step, so every field has the smallest type that holds it.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.agents.plays import HAND_OF_PLAY, NUM_PLAYS, plays_of
from jaxtro.env.observation import SCALARS, CardTable, ItemTable, JokerTable, Observation
from jaxtro.tables import ENHANCEMENTS, HANDS

_WILD = ENHANCEMENTS.keys.index("m_wild")
_RANK_CHIPS = 10.0
# Offsets that bring scalars that are counts near one.
_LEVEL_SCALE = 0.2
_BASE_CHIPS = np.array([row["base_chips"] for row in HANDS.rows], np.float32)
_BASE_MULT = np.array([row["base_mult"] for row in HANDS.rows], np.float32)
_MORE_CHIPS = np.array([row["chips_per_level"] for row in HANDS.rows], np.float32)
_MORE_MULT = np.array([row["mult_per_level"] for row in HANDS.rows], np.float32)
_SCALAR_SCALE = np.array(
    [
        {"ante": 0.25, "round": 0.1, "hands_left": 0.25, "discards_left": 0.25, "hands_played": 0.25,
         "discards_used": 0.25, "hand_size": 0.1, "cards_in_draw_pile": 0.02, "joker_slots": 0.2,
         "consumable_slots": 0.5, "reroll_price": 0.1, "skips": 0.2, "interest_cap": 0.04, "money_log": 0.5,
         "credit_log": 0.5, "chips_log": 0.1, "target_log": 0.1, "next_target_log": 0.1,
         "hands_played_in_run": 0.3}.get(name, 1.0)
        for name in SCALARS
    ],
    np.float32,
)  # fmt: skip


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Entities:
    """Things in a row. N places.

    Attributes:
      id: uint8[N], of `tables.ITEMS` (packs: of `tables.PACKS`), 0 = a playing card or nothing.
      rank, suit, enhancement, edition, seal: int8[N]. flags: bool[N, F]. numbers: float16[N, M]. mask: bool[N].
    """

    id: Array
    rank: Array
    suit: Array
    enhancement: Array
    edition: Array
    seal: Array
    flags: Array
    numbers: Array
    mask: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Features:
    """All that a network sees.

    Attributes:
      hand: `Entities`[32]; flags: debuffed, face down, forced, and for each of `plays.PLAYS` whether the card is in it.
      jokers: [16]. consumables: [16]. shop_cards: [4]. vouchers: [6]. packs: [4]. pack_cards: [5].
      best: bool[32], cards of the best play of all. exact: float16[44], what it and each of `plays.PLAYS` scores; both
        empty unless `exact_plays.with_exact_plays` fills them in.
      globals: float16[G]. phase, boss, blind, deck, stake, challenge: uint8[]. tags: bool[25], held.
    """

    hand: Entities
    jokers: Entities
    consumables: Entities
    shop_cards: Entities
    vouchers: Entities
    packs: Entities
    pack_cards: Entities
    best: Array
    exact: Array
    globals: Array
    phase: Array
    boss: Array
    blind: Array
    deck: Array
    stake: Array
    challenge: Array
    tags: Array


NUM_TAGS = 25
HAND_FLAGS = 3 + NUM_PLAYS
NUM_EXACT = 4 * (NUM_PLAYS + 1)


def _small(value: Array) -> Array:
    return value.astype(jnp.int8)


def _count(value: Array) -> Array:
    """A whole number for arithmetic; divided as it is, it would become a 64-bit number."""
    return value.astype(jnp.float32)


def _one_hot(values: Array, size: int) -> Array:
    return jax.nn.one_hot(values, size, dtype=jnp.float32)


def _half(values: list[Array]) -> Array:
    return jnp.clip(jnp.stack(values, axis=-1), -6e4, 6e4).astype(jnp.float16)


def _others(alike: Array, there: Array) -> Array:
    """How many cards are like each. alike: bool[H, H] -> int32[H]"""
    return jnp.sum(alike & there[None], axis=1, dtype=jnp.int32)


def _hand(cards: CardTable, plays: Array) -> Entities:
    chips = jnp.where(cards.rank > 0, jnp.where(cards.rank == 14, 11, jnp.minimum(cards.rank, 10)), 0)
    same_rank = _others(cards.rank[:, None] == cards.rank[None], cards.rank > 0)
    same_suit = _others(cards.suit[:, None] == cards.suit[None], cards.suit > 0)
    gap = jnp.abs(cards.rank[:, None] - cards.rank[None])
    near = _others((gap > 0) & (gap < 5), cards.rank > 0)
    flags = jnp.concatenate(
        [jnp.stack([cards.debuffed, cards.face_down, cards.forced], axis=-1), plays.T], axis=-1
    )
    places = _count(jnp.arange(cards.rank.shape[0])) / 8.0
    numbers = [
        _count(chips) / _RANK_CHIPS, cards.bonus, _count(same_rank) / 2.0, _count(same_suit) / 4.0,
        _count(near) / 4.0, places,
    ]  # fmt: skip
    return Entities(
        id=jnp.zeros(cards.rank.shape, jnp.uint8),
        rank=_small(cards.rank),
        suit=_small(cards.suit),
        enhancement=_small(cards.enhancement),
        edition=_small(cards.edition),
        seal=_small(cards.seal),
        flags=flags,
        numbers=_half([jnp.asarray(value, jnp.float32) for value in numbers]),
        mask=cards.mask,
    )


def _jokers(jokers: JokerTable) -> Entities:
    none = jnp.zeros(jokers.id.shape, jnp.int8)
    flags = [
        jokers.eternal, jokers.rental, jokers.pinned, jokers.debuffed, jokers.face_down, jokers.perish >= 0,
    ]  # fmt: skip
    places = _count(jnp.arange(jokers.id.shape[0])) / 5.0
    numbers = [
        jokers.stored, _count(jokers.counter) / 23.0, _count(jokers.sell) / 10.0, _count(jokers.perish) / 5.0, places,
    ]  # fmt: skip
    return Entities(
        id=jokers.id.astype(jnp.uint8), rank=none, suit=none, enhancement=none, edition=_small(jokers.edition),
        seal=none, flags=jnp.stack(flags, axis=-1), numbers=_half(numbers), mask=jokers.mask,
    )  # fmt: skip


def _items(items: ItemTable) -> Entities:
    return Entities(
        id=items.id.astype(jnp.uint8), rank=_small(items.rank), suit=_small(items.suit),
        enhancement=_small(items.enhancement), edition=_small(items.edition), seal=_small(items.seal),
        flags=jnp.stack([items.eternal, items.perishable, items.rental], axis=-1),
        numbers=_half([_count(items.price) / 10.0]), mask=items.mask,
    )  # fmt: skip


def features_of(obs: Observation) -> Features:
    """The features of one observation; for a batch use `jax.vmap`."""
    cards = obs.hand
    plays = plays_of(
        cards.rank, cards.suit, cards.enhancement == _WILD, cards.enhancement.astype(jnp.float32)
    )
    level = obs.hand_levels - 1.0
    base = (_BASE_CHIPS + level * _MORE_CHIPS, _BASE_MULT + level * _MORE_MULT)
    chips = jnp.where(cards.rank == 14, 11, jnp.minimum(cards.rank, 10)).astype(jnp.float32)
    of_play = jnp.sum(jnp.where(plays & ~cards.debuffed, chips, 0.0), axis=1)
    made = jnp.any(plays, axis=1)
    value = jnp.where(made, jnp.log1p((base[0][HAND_OF_PLAY] + of_play) * base[1][HAND_OF_PLAY]), 0.0)
    numbers = [
        obs.scalars * _SCALAR_SCALE, obs.unseen.reshape(-1), _count(obs.deck).reshape(-1) * 0.5, obs.stones,
        _count(obs.deck_enhancements[1:]) * 0.2, _count(obs.deck_editions[1:]) * 0.2, _count(obs.deck_seals[1:]) * 0.2,
        level * _LEVEL_SCALE, obs.hand_played * 0.3, obs.hand_played_this_round, obs.hand_visible,
        obs.redeemed, jnp.log1p(base[0] * base[1]) * 0.2, value * 0.2, made, _count(obs.blind_status) * 0.5,
        _one_hot(obs.skip_tags, NUM_TAGS).reshape(-1), _one_hot(obs.orbital, len(HANDS)).reshape(-1),
        _one_hot(obs.targets[jnp.array([0, 2])], 15).reshape(-1),
        _one_hot(obs.targets[jnp.array([1, 3, 4])], 5).reshape(-1),
    ]  # fmt: skip
    flat = jnp.concatenate([jnp.asarray(value, jnp.float32).reshape(-1) for value in numbers])
    return Features(
        hand=_hand(cards, plays),
        jokers=_jokers(obs.jokers),
        consumables=_items(obs.consumables),
        shop_cards=_items(obs.shop_cards),
        vouchers=_items(obs.vouchers),
        packs=_items(obs.packs),
        pack_cards=_items(obs.pack_cards),
        best=jnp.zeros(cards.rank.shape, bool),
        exact=jnp.zeros(NUM_EXACT, jnp.float16),
        globals=jnp.clip(flat, -6e4, 6e4).astype(jnp.float16),
        phase=obs.phase.astype(jnp.uint8),
        boss=obs.boss.astype(jnp.uint8),
        blind=obs.blind.astype(jnp.uint8),
        deck=obs.deck_kind.astype(jnp.uint8),
        stake=obs.stake.astype(jnp.uint8),
        challenge=obs.challenge.astype(jnp.uint8),
        tags=jnp.any(obs.tags[:, None] == jnp.arange(NUM_TAGS)[None], axis=0),
    )
