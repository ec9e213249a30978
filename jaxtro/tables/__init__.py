"""The facts of the game: 150 jokers, 52 consumables, 32 vouchers, 24 tags, 30 blinds, ...

Everything here is read once from the JSON files in `data/` (one row per joker, blind, tag ...) into frozen
rows and numpy arrays. The rules never repeat a number that stands here.
"""

from jaxtro.tables.kinds import (
    BLINDS,
    CHALLENGES,
    CONSUMABLES,
    DECKS,
    EDITIONS,
    ENHANCEMENTS,
    HANDS,
    ITEMS,
    JOKERS,
    PACKS,
    SEALS,
    STAKES,
    STICKERS,
    TAGS,
    VOUCHERS,
    Kind,
    UnknownNameError,
    item,
)
from jaxtro.tables.money import ante_chips

__all__ = [
    "BLINDS", "CHALLENGES", "CONSUMABLES", "DECKS", "EDITIONS", "ENHANCEMENTS", "HANDS", "ITEMS", "JOKERS",
    "PACKS", "SEALS", "STAKES", "STICKERS", "TAGS", "VOUCHERS", "Kind", "UnknownNameError", "ante_chips",
    "item",
]  # fmt: skip
