"""Everything a seed decides: decks, antes, shops, packs, created cards. Pure functions of (streams, rules,
situation); the run calls the same ones that `python -m jaxtro seed` and the seed search call."""

from jaxtro.env.generation.antes import (
    RoundTargets,
    next_boss,
    next_tag,
    next_tags,
    next_voucher,
    orbital_hands,
    round_targets,
    to_do_hand,
    voucher_tag_voucher,
)
from jaxtro.env.generation.deck import StartingDeck, known_deck, shuffled, starting_deck
from jaxtro.env.generation.items import Item, new_consumable, new_joker, pick_item, rare_tag_joker
from jaxtro.env.generation.packs import ARCANA, open_pack, pack_card, pack_cards, pack_kind
from jaxtro.env.generation.rules import RunRules, default_locks, locked_masks, make_rules, rules_of
from jaxtro.env.generation.shop import next_pack, shop_size, shop_slot, slot_rates
from jaxtro.env.generation.situation import (
    Situation,
    add_existing,
    make_situation,
    open_items,
    start_situation,
)

__all__ = [
    "ARCANA",
    "Item",
    "RoundTargets",
    "RunRules",
    "Situation",
    "StartingDeck",
    "add_existing",
    "default_locks",
    "known_deck",
    "locked_masks",
    "make_rules",
    "make_situation",
    "new_consumable",
    "new_joker",
    "next_boss",
    "next_pack",
    "next_tag",
    "next_tags",
    "next_voucher",
    "open_items",
    "open_pack",
    "orbital_hands",
    "pack_card",
    "pack_cards",
    "pack_kind",
    "pick_item",
    "rare_tag_joker",
    "round_targets",
    "rules_of",
    "shop_size",
    "shop_slot",
    "shuffled",
    "slot_rates",
    "start_situation",
    "starting_deck",
    "to_do_hand",
    "voucher_tag_voucher",
]  # fmt: skip
