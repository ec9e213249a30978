"""What items do, as vectors made from the tables: a network sees that two cards are alike before it has met both."""

import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxtro.tables import HANDS, ITEMS, JOKERS, PACKS
from jaxtro.tables.kinds import FIRST_VOUCHER

_PACK_KINDS = ("Arcana", "Celestial", "Standard", "Buffoon", "Spectral")


def _numbers(node: Any, path: str = "") -> dict[str, float]:
    """The numbers and words of a nested table entry by their path: {"main.mult": 4, "played.card.face": 1}."""
    if isinstance(node, Mapping):
        found: dict[str, float] = {}
        for key, value in node.items():
            found |= _numbers(value, f"{path}.{key}" if path else key)
        return found
    if isinstance(node, list | tuple):
        found = {}
        for value in node:
            found |= {f"{path}.{value}": 1.0} if isinstance(value, str) else _numbers(value, path)
        return found
    if isinstance(node, str):
        number = re.search(r"-?\d+$", node)
        return {
            f"{path}.{re.sub(r'[^A-Za-z_ ]', '', node).strip()}": float(number.group()) if number else 1.0
        }
    if node is None:
        return {}
    return {path: float(node)}


def _joker_words(row: Mapping[str, Any]) -> dict[str, float]:
    words = _numbers(row.get("scoring", {})) | _numbers(row.get("run", {}), "run")
    return {word: value for word, value in words.items() if "stream" not in word and "name" not in word}


def _item_words(row: Mapping[str, Any]) -> dict[str, float]:
    words = _numbers({key: row[key] for key in ("does", "changes") if row.get(key)})
    low, high = row.get("targets") or (0, 0)
    words |= {"targets.min": low, "targets.max": high}
    if row.get("hand"):
        hand = HANDS.row(HANDS.keys.index(row["hand"]))
        words |= {f"levels.{row['hand']}": 1.0, "levels.mult": hand["mult_per_level"]}
    return {word: float(value) for word, value in words.items()}


def _squash(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))


@functools.cache
def item_descriptors() -> np.ndarray:
    """float32[items, W]: a row for each id of `tables.ITEMS` (0 = none); numbers are log-scaled.

    The words are those of the jokers' `scoring` and `run` columns, of what consumables do and vouchers change, the
    kind of the item, its cost and a joker's rarity.
    """
    rows: list[dict[str, float]] = [{} for _ in range(len(ITEMS.keys))]
    for number in range(1, len(ITEMS.keys)):
        row = ITEMS.row(number)
        is_joker = number < len(JOKERS.keys)
        words = _joker_words(row) if is_joker else _item_words(row)
        kind = "Joker" if is_joker else "Voucher" if number >= FIRST_VOUCHER else row["set"]
        words |= {f"kind.{kind}": 1.0, "cost": float(row["cost"])}
        if is_joker:
            words |= {f"rarity.{row['rarity']}": 1.0}
        rows[number] = words
    names = sorted({word for row in rows for word in row})
    table = np.zeros((len(rows), len(names)), np.float32)
    for number, words in enumerate(rows):
        for word, value in words.items():
            table[number, names.index(word)] = value
    return _squash(table)


@functools.cache
def pack_descriptors() -> np.ndarray:
    """float32[packs, 9]: kind, cost, cards, choices, whether a hand is drawn, for each id of `tables.PACKS`."""
    table = np.zeros((len(PACKS.keys), len(_PACK_KINDS) + 4), np.float32)
    for number in range(1, len(PACKS.keys)):
        row = PACKS.row(number)
        table[number, _PACK_KINDS.index(row["kind"])] = 1
        table[number, len(_PACK_KINDS) :] = (row["cost"], row["cards"], row["choose"], row["draws_hand"])
    return _squash(table)
