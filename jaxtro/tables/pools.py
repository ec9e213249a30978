"""Ordered pools as padded arrays of item ids, and the lists that picks index (rng.md 2, 3)."""

from typing import Any

import numpy as np

from jaxtro.tables import _load
from jaxtro.tables.kinds import BLINDS, ENHANCEMENTS, HANDS, ITEMS, TAGS, item

_DATA = _load.read("pools")
_LISTS = {row["key"]: row["items"] for row in _DATA["rows"]}


def _frozen(values: Any, dtype: type) -> np.ndarray:
    array: np.ndarray = np.asarray(values, dtype)
    array.setflags(write=False)
    return array


# Pools of items, padded with 0. int16[8, 64]
POOL_NAMES = ("Joker1", "Joker2", "Joker3", "Joker4", "Tarot", "Planet", "Spectral", "Voucher")
POOL_ID = {name: number for number, name in enumerate(POOL_NAMES)}
POOL_WIDTH = max(len(_LISTS[name]) for name in POOL_NAMES)
POOL_SIZE = _frozen([len(_LISTS[name]) for name in POOL_NAMES], np.int32)
POOL_ITEMS = _frozen(
    [[item(key) for key in _LISTS[name]] + [0] * (POOL_WIDTH - len(_LISTS[name])) for name in POOL_NAMES],
    np.int16,
)
# What a pool gives when every slot is closed. int16[8]
POOL_FALLBACK = _frozen([item(_DATA["fallback"][name.rstrip("1234")]) for name in POOL_NAMES], np.int16)

TAG_POOL = _frozen([TAGS.keys.index(key) for key in _LISTS["Tag"]], np.int8)
TAG_FALLBACK = TAGS.keys.index(_DATA["fallback"]["Tag"])
# Bosses sorted by key text, the order in which the boss stream indexes them (rng.md 5.3). int8[28]
BOSS_POOL = _frozen([BLINDS.keys.index(key) for key in _LISTS["Boss"]], np.int8)
ENHANCED_POOL = _frozen([ENHANCEMENTS.keys.index(key) for key in _LISTS["Enhanced"]], np.int8)

# The 52 fronts sorted by text: C_2..C_9, C_A, C_J, C_K, C_Q, C_T, D_..., H_..., S_...
FRONTS: tuple[str, ...] = tuple(_LISTS["front"])
FRONT_ID = {front: number for number, front in enumerate(FRONTS)}
SUITS = "CDHS"
RANKS = "23456789TJQKA"
FRONT_SUIT = _frozen([SUITS.index(front[0]) for front in FRONTS], np.int8)
FRONT_RANK = _frozen([RANKS.index(front[2]) + 2 for front in FRONTS], np.int8)
# The suits in the order in which Ancient Joker draws them, as indices into SUITS. int8[4]
ANCIENT_SUITS = _frozen([SUITS.index(suit[0]) for suit in _DATA["suit_lists"]["ancient"]], np.int8)
# The hands in the order in which `orbital` and `to_do` walk them in a fresh run. int8[12]
HAND_WALK = _frozen([HANDS.keys.index(name) for name in _load.read("hands")["order_fresh"]], np.int8)
HAND_SECRET = _frozen([row["secret"] for row in HANDS.rows], bool)


def _needs() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    enhancement = np.zeros(len(ITEMS), np.int8)
    hand = np.full(len(ITEMS), -1, np.int8)
    voucher = np.zeros(len(ITEMS), np.int16)
    hidden = np.zeros(len(ITEMS), bool)
    for number in range(1, len(ITEMS)):
        row = ITEMS.row(number)
        enhancement[number] = ENHANCEMENTS.keys.index(row.get("needs", {}).get("enhancement", ""))
        if row.get("secret_hand"):
            hand[number] = HANDS.keys.index(row["secret_hand"])
        voucher[number] = item(row["requires"][0]) if row.get("requires") else 0
        hidden[number] = row.get("hidden", False)
    arrays = enhancement, hand, voucher, hidden
    for array in arrays:
        array.setflags(write=False)
    return arrays


# What opens the pool slot of an item, by item id: an enhancement in the full deck (0 = none), a hand that
# was played (-1 = none), a redeemed voucher (0 = none); and the items that no pool ever gives.
NEEDS_ENHANCEMENT, NEEDS_HAND, NEEDS_VOUCHER, HIDDEN = _needs()
