"""What a seed holds, as a readable table and as plain data."""

from typing import Any

import numpy as np

from jaxtro.env.generation import Item
from jaxtro.seeds.analysis import SeedReport
from jaxtro.seeds.codes import STICKER_MARKS, item_codes
from jaxtro.tables import BLINDS, EDITIONS, ENHANCEMENTS, HANDS, ITEMS, PACKS, SEALS, TAGS
from jaxtro.tables.pools import FRONTS

_SUIT_NAMES = {"C": "Clubs", "D": "Diamonds", "H": "Hearts", "S": "Spades"}
_RANK_NAMES = {"T": "10", "J": "Jack", "Q": "Queen", "K": "King", "A": "Ace"}


def card_name(front: int) -> str:
    """ "Ace of Spades" of a front."""
    suit, rank = FRONTS[front].split("_")
    return f"{_RANK_NAMES.get(rank, rank)} of {_SUIT_NAMES[suit]}"


def item_name(item: Item, at: tuple[int, ...]) -> str | None:
    """What a player would call one element of an `Item`; None for an empty place."""
    number, front = int(item.id[at]), int(item.front[at])
    if number == 0 and front < 0:
        return None
    words = [
        EDITIONS.names[int(item.edition[at])],
        "" if number else ENHANCEMENTS.names[int(item.enhancement[at])],
    ]
    words = [word.removesuffix(" Card") for word in words if word]
    words.append(ITEMS.names[number] if number else card_name(front))
    marks = [name for name, _ in STICKER_MARKS if getattr(item, name)[at]]
    if item.seal[at]:
        marks.append(SEALS.names[int(item.seal[at])])
    return " ".join(words) + (f" ({', '.join(marks)})" if marks else "")


def _names(item: Item, at: tuple[int, ...]) -> list[str]:
    shape = np.shape(item.id)[len(at) :]
    names = (item_name(item, at + place) for place in np.ndindex(*shape))
    return [name for name in names if name is not None]


def antes_as_data(report: SeedReport, seed: int, view: str) -> list[dict[str, Any]]:
    """The antes of one seed of a batched report as keys and codes.

    The fields are those of the `seed_shops` test vectors: boss, voucher, tag_small, tag_big, the items and
    packs ("shop", "packs" or "queue", "queue_packs" by the view), deal, orbital.
    """
    items, packs = ("shop", "packs") if view == "shop" else ("queue", "queue_packs")
    rows = []
    for ante in range(report.boss.shape[1]):
        at = (seed, ante)
        rows.append(
            {
                "ante": ante + 1,
                "boss": BLINDS.keys[report.boss[at]],
                "voucher": ITEMS.keys[report.voucher[at]],
                "tag_small": TAGS.keys[report.tags[at][0]],
                "tag_big": TAGS.keys[report.tags[at][1]],
                items: item_codes(report.shop, at),
                packs: [
                    [PACKS.keys[pack], *item_codes(report.cards, (*at, n))]
                    for n, pack in enumerate(report.packs[at])
                    if pack
                ],
                "deal": [[FRONTS[front] for front in deal] for deal in report.deal[at]],
                "orbital": [HANDS.keys[hand] for hand in report.orbital[at]],
            }
        )
    return rows


def antes_as_text(report: SeedReport, seed: int) -> str:
    """The antes of one seed as a table for people."""
    lines = []
    for ante in range(report.boss.shape[1]):
        at = (seed, ante)
        tags = [TAGS.names[tag] for tag in report.tags[at]]
        hands = [HANDS.names[hand] for hand in report.orbital[at]]
        for slot, tag in enumerate(report.tags[at]):
            if TAGS.keys[tag] == "tag_orbital":
                tags[slot] += f" ({hands[slot]})"
        lines += [
            f"Ante {ante + 1}",
            f"  Boss     {BLINDS.names[report.boss[at]]}",
            f"  Voucher  {ITEMS.names[report.voucher[at]]}",
            f"  Tags     Small: {tags[0]}; Big: {tags[1]}",
            *_shop_lines(report.shop, at),
        ]
        for n, pack in enumerate(report.packs[at]):
            if not pack:
                continue
            head = "  Packs    " if n == 0 else " " * 11
            lines += _wrapped(f"{head}{PACKS.names[pack]}: ", _names(report.cards, (*at, n)), indent=13)
        lines.append("")
    return "\n".join(lines).rstrip()


def _shop_lines(shop: Item, at: tuple[int, ...]) -> list[str]:
    """The queue in one list, or a line for each fill of a shop with several slots (view "shop")."""
    fills, size = shop.id[at].shape
    if size == 1:
        queue = [f"{place}. {name}" for place, name in enumerate(_names(shop, at), start=1)]
        return _wrapped("  Shop     ", queue)
    labels = ["Visit 1: ", *[f"reroll {n}: " for n in range(1, fills - 1)], "Visit 2: "]
    heads = ["  Shop     ", *[" " * 11] * (fills - 1)]
    lines = []
    for n, (head, label) in enumerate(zip(heads, labels, strict=True)):
        lines += _wrapped(head + label, _names(shop, (*at, n)), indent=13)
    return lines


def _wrapped(head: str, words: list[str], indent: int = 11, width: int = 100) -> list[str]:
    lines, line = [], head
    for number, word in enumerate(words):
        piece = word + ("," if number + 1 < len(words) else "")
        if len(line) + len(piece) > width and line.strip():
            lines.append(line.rstrip())
            line = " " * indent
        line += piece + " "
    return [*lines, line.rstrip()]
