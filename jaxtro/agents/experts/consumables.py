"""Tarots, planets and spectrals: what they are worth, when they are used, and on which cards."""

from enum import IntEnum
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.agents.experts.discards import by_worth
from jaxtro.agents.experts.greedy import simple_action
from jaxtro.agents.experts.priors import Priors
from jaxtro.agents.experts.strength import card_worth
from jaxtro.env.actions import Action, Kind, Legal
from jaxtro.env.areas import take_hand
from jaxtro.env.owned import free_consumable_slots, free_joker_slots, joker_count, joker_sell_values
from jaxtro.env.scoring.hands import STONE
from jaxtro.env.state import Cards, Phase, State
from jaxtro.tables import ITEMS, item
from jaxtro.tables.kinds import FIRST_CONSUMABLE, FIRST_VOUCHER
from jaxtro.tables.pools import SUITS

LOOKED_AT = 4  # owned consumables that are looked at


class Aim(IntEnum):
    """Which cards a consumable is for."""

    NONE = 0
    GOOD_PLAIN = 1
    BAD_PLAIN = 2
    WORST = 3
    OTHER_SUIT = 4
    HIGH = 5
    DEATH = 6
    BEST = 7
    PLAIN_EDITION = 8


def _aim(row: Any) -> Aim:
    does = row.get("does", {})
    if row.get("targets", [0, 0])[1] == 0:
        return Aim.NONE
    if "enhance" in does:
        return Aim.BAD_PLAIN if does["enhance"] in ("m_gold", "m_stone") else Aim.GOOD_PLAIN
    for word, aim in (
        ("destroy", Aim.WORST), ("suit", Aim.OTHER_SUIT), ("rank", Aim.HIGH), ("copy_right", Aim.DEATH),
        ("seal", Aim.BEST), ("copies", Aim.BEST), ("card_edition", Aim.PLAIN_EDITION),
    ):  # fmt: skip
        if word in does:
            return aim
    return Aim.NONE


AIM = np.array([0] + [_aim(row) if row.get("set") else 0 for row in ITEMS.rows], np.int8)
SUIT_MADE = np.array(
    [-1] + [SUITS.index(row["does"]["suit"]) if "suit" in row.get("does", {}) else -1 for row in ITEMS.rows],
    np.int8,
)
HAS_SEAL = np.array([False] + ["seal" in row.get("does", {}) for row in ITEMS.rows])
_KEY = {key: item(key) for key in (
    "c_hermit", "c_temperance", "c_judgement", "c_wraith", "c_soul", "c_ankh", "c_hex", "c_ectoplasm", "c_fool",
    "c_wheel_of_fortune",
)}  # fmt: skip
_ACE, _WORST_LIMIT, _DEATH_GAIN = 14, 6.5, 5.0
_HERMIT_MOST, _TEMPERANCE_MOST = (ITEMS.row(_KEY[key])["does"][word] for key, word in (
    ("c_hermit", "double_money"), ("c_temperance", "sell_values"),
))  # fmt: skip


def suit_counts(state: State) -> Array:
    """Cards of each suit in the full deck. -> int32[4]"""
    cards = state.deck.cards
    there = (cards.rank > 0) & (cards.enhancement != STONE)
    return jnp.sum(there[None] & (cards.suit[None] == jnp.arange(4)[:, None]), axis=1)


def visible_hand(state: State) -> tuple[Cards, Array]:
    """The hand without faces of face-down cards, and which cards are visible. -> `Cards`[32], bool[32]"""
    hand = state.piles.hand
    shown = (hand >= 0) & ~state.deck.face_down[jnp.maximum(hand, 0).astype(jnp.int32)]
    cards = take_hand(state.deck, hand)
    return jax.tree.map(lambda values: jnp.where(shown, values, jnp.zeros_like(values)), cards), shown


def targets(state: State, card: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The cards that a consumable is used on. -> bool[32], whether that is sensible: bool[]

    Args:
      card: item id. low, high: how many cards it takes.
    """
    cards, shown = visible_hand(state)
    aim = jnp.asarray(AIM)[card]
    suits = suit_counts(state)
    suit = jnp.asarray(SUIT_MADE)[card]
    common = suits[jnp.clip(cards.suit.astype(jnp.int32), 0, 3)] >= jnp.max(suits)
    plain = shown & (cards.enhancement == 0)
    worth = card_worth(cards) + 2.0 * common
    ok = {
        Aim.NONE: jnp.zeros_like(shown), Aim.GOOD_PLAIN: plain, Aim.BAD_PLAIN: plain,
        Aim.WORST: shown & (worth < _WORST_LIMIT), Aim.OTHER_SUIT: shown & (cards.suit != suit),
        Aim.HIGH: shown & (cards.rank < _ACE) & (cards.enhancement != STONE), Aim.DEATH: shown,
        Aim.BEST: shown & (~jnp.asarray(HAS_SEAL)[card] | (cards.seal == 0)),
        Aim.PLAIN_EDITION: shown & (cards.edition == 0),
    }  # fmt: skip
    allowed = jnp.stack([ok[one] for one in Aim])[aim.astype(jnp.int32)]
    worst_first = (aim == Aim.BAD_PLAIN) | (aim == Aim.WORST)
    order = by_worth(jnp.where(worst_first, 200.0 - worth, worth), allowed)
    chosen = allowed & (order < high)
    # Death: the right one is copied onto the left one.
    gain = jnp.where(shown[:, None] & shown[None], worth[None] - worth[:, None], -100.0)
    places = jnp.arange(shown.shape[0])
    gain = jnp.where(places[:, None] < places[None], gain, -100.0)
    best = jnp.argmax(gain)
    pair = (places == best // shown.shape[0]) | (places == best % shown.shape[0])
    death = aim == Aim.DEATH
    chosen = jnp.where(death, pair, chosen)
    sensible = jnp.where(death, jnp.max(gain) >= _DEATH_GAIN, jnp.sum(chosen) >= low)
    sensible &= (aim != Aim.OTHER_SUIT) | (suits[jnp.clip(suit, 0, 3)] >= jnp.max(suits) - 1)
    return jnp.where(high > 0, chosen, False), sensible | (high == 0)


def worth_of(state: State, card: Array, price: Array, priors: Priors) -> Array:
    """Worth of getting (or using) a consumable beside what is simulated, in logs. -> float32[]

    price: float32[], worth of a dollar.
    """
    base = jnp.asarray(priors.item)[card]
    dollars = jnp.maximum(state.run.money, 0).astype(jnp.float32)
    sales = jnp.sum(joker_sell_values(state)).astype(jnp.float32)
    few = joker_count(state.jokers) <= 1
    suits, suit = suit_counts(state), jnp.asarray(SUIT_MADE)[card]
    base = jnp.where((suit >= 0) & (suits[jnp.clip(suit, 0, 3)] < jnp.max(suits) - 1), 0.0, base)
    special = {
        "c_hermit": jnp.minimum(dollars, _HERMIT_MOST) * price,
        "c_temperance": jnp.minimum(sales, _TEMPERANCE_MOST) * price,
        "c_judgement": jnp.where(free_joker_slots(state) > 0, base, 0.0),
        "c_wraith": jnp.where(free_joker_slots(state) > 0, 0.6 - dollars * price, 0.0),
        "c_soul": jnp.where(free_joker_slots(state) > 0, base, 0.0),
        "c_ankh": jnp.where(few & (joker_count(state.jokers) > 0), 0.4, 0.0),
        "c_hex": jnp.where(few & (joker_count(state.jokers) > 0), 0.4, 0.0),
        "c_ectoplasm": jnp.where(joker_count(state.jokers) > 0, base, 0.0),
        "c_wheel_of_fortune": jnp.where(joker_count(state.jokers) > 0, base, 0.0),
    }  # fmt: skip
    for key, value in special.items():
        base = jnp.where(card == _KEY[key], value, base)
    return base


def use_owned(state: State, legal: Legal, price: Array, priors: Priors) -> tuple[Action, Array]:
    """Uses the first owned consumable that is worth it now, or sells one that never will be. -> action, whether"""
    ids = state.consumables.id[:LOOKED_AT].astype(jnp.int32)
    low, high = (
        bound[Kind.USE, :LOOKED_AT].astype(jnp.int32) for bound in (legal.min_cards, legal.max_cards)
    )
    cards, sensible = jax.vmap(lambda card, low, high: targets(state, card, low, high))(ids, low, high)
    worth = jax.vmap(lambda card: worth_of(state, card, price, priors))(ids)
    # A forced card would have to be among the chosen ones.
    use = legal.slot[Kind.USE, :LOOKED_AT] & sensible & (worth > 0) & ((high == 0) | ~jnp.any(legal.forced))
    # Hermit waits for money, Temperance for jokers, but not when the slots are full.
    full = free_consumable_slots(state) <= 0
    waits = (ids == _KEY["c_hermit"]) & (state.run.money < _HERMIT_MOST // 2) & ~full
    use &= ~waits & (state.phase != Phase.GAME_OVER)
    sell = legal.slot[Kind.SELL_CONSUMABLE, :LOOKED_AT] & full & ~use & (state.phase == Phase.SHOP)
    sell &= (jnp.asarray(AIM)[ids] == Aim.NONE) | (worth <= 0)
    first = jnp.argmax(use)
    action = simple_action(
        jnp.where(jnp.any(use), Kind.USE, Kind.SELL_CONSUMABLE),
        jnp.where(jnp.any(use), first, jnp.argmax(sell)),
        cards[first] & jnp.any(use),
    )
    return action, jnp.any(use) | jnp.any(sell)


def pack_targets(state: State, legal: Legal) -> tuple[Array, Array]:
    """For each card of the open pack its targets and whether picking it is sensible. -> bool[5, 32], bool[5]"""
    ids = state.pack.cards.id.astype(jnp.int32)
    count = ids.shape[0]
    low, high = (bound[Kind.PICK, :count].astype(jnp.int32) for bound in (legal.min_cards, legal.max_cards))
    consumable = (ids >= FIRST_CONSUMABLE) & (ids < FIRST_VOUCHER)
    cards, sensible = jax.vmap(lambda card, low, high: targets(state, card, low, high))(ids, low, high)
    return cards & (consumable & (high > 0))[:, None], sensible | ~consumable
