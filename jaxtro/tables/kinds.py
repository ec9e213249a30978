"""Key <-> name <-> integer id for every kind of thing in the game.

Ids are stable: rows are only ever appended. Id 0 always means "none", except for poker hands (0 = Flush
Five) and fronts (0 = C_2), where every value names something.
"""

import dataclasses
import difflib
import re
import unicodedata
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from jaxtro.tables import _load

_LONG = 40  # keys


class UnknownNameError(ValueError):
    """A key or name that the tables do not have; the text lists what is allowed."""


def _plain(text: str) -> str:
    """Spelling without case, spaces and punctuation, for forgiving look-ups."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.sub(r"[^a-z0-9]", "", plain)


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of thing: its rows and the ways to name them.

    Attributes:
      label: what to call one of them in a message ("deck").
      rows: the rows of the data file, in id order.
      keys: key of each id; `keys[0]` is "" where id 0 means none.
      names: display name of each id.
      id: an IntEnum of the keys (spaces become underscores), for use in code.
    """

    label: str
    rows: tuple[Mapping[str, Any], ...]
    keys: tuple[str, ...]
    names: tuple[str, ...]
    id: type[IntEnum]
    _spellings: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.keys)

    def row(self, number: int) -> Mapping[str, Any]:
        """The data row of an id."""
        return self.rows[number - (1 if self.keys[0] == "" else 0)]

    def find(self, text: str) -> int:
        """The id of a key, name or short form ("b_ghost", "Ghost Deck", "ghost").

        Raises:
          UnknownNameError: with the nearest spellings and all allowed keys.
        """
        number = self._spellings.get(_plain(text)) if _plain(text) else None
        if number is None:
            near = difflib.get_close_matches(_plain(text), self._spellings, n=3, cutoff=0.6)
            guess = ", ".join(dict.fromkeys(self.keys[self._spellings[word]] for word in near))
            allowed = ", ".join(key for key in self.keys if key)
            hint = f" Did you mean {guess}?" if guess else ""
            # A guess is worth more than a screen full of keys.
            listed = "" if guess and len(self.keys) > _LONG else f" Allowed: {allowed}"
            raise UnknownNameError(f"unknown {self.label} {text!r}.{hint}{listed}")
        return number


def make_kind(label: str, rows: tuple[Mapping[str, Any], ...], none: bool = True) -> Kind:
    """Builds a `Kind` from data rows with `key` and `name`."""
    keys = (("",) if none else ()) + tuple(row["key"] for row in rows)
    names = (("",) if none else ()) + tuple(row["name"] for row in rows)
    spellings: dict[str, int] = {}
    for number in range(int(none), len(keys)):
        short = re.sub(r"_1$", "", re.sub(r"^[a-z]{1,2}_|^tag_|^stake_", "", keys[number]))
        last_word = rf"\s*\b({label}|pack|card)$"
        for form in (keys[number], names[number], short, re.sub(last_word, "", names[number], flags=re.I)):
            spellings.setdefault(_plain(form), number)
    members = {re.sub(r"\W", "_", key): number for number, key in enumerate(keys) if key}
    enum: Any = IntEnum(label.title().replace(" ", ""), members)  # type: ignore[misc]
    return Kind(label, rows, keys, names, enum, spellings)


JOKERS = make_kind("joker", _load.read("jokers")["rows"])
CONSUMABLES = make_kind("consumable", _load.read("consumables")["rows"])
VOUCHERS = make_kind("voucher", _load.read("vouchers")["rows"])
TAGS = make_kind("tag", _load.read("tags")["rows"])
BLINDS = make_kind("blind", _load.read("blinds")["rows"])
PACKS = make_kind("pack", _load.read("packs")["rows"])
DECKS = make_kind("deck", _load.read("decks")["rows"])
STAKES = make_kind("stake", _load.read("stakes")["rows"])
CHALLENGES = make_kind("challenge", _load.read("challenges")["rows"])
HANDS = make_kind("hand", _load.read("hands")["rows"], none=False)
ENHANCEMENTS = make_kind("enhancement", _load.read("enhancements")["rows"])
EDITIONS = make_kind("edition", _load.read("editions")["rows"])
SEALS = make_kind("seal", _load.read("seals")["rows"])
STICKERS = make_kind("sticker", _load.read("stickers")["rows"])

# One id space for everything that the "exists now" rule looks at (rng.md 3) and that agents embed:
# 1..150 jokers, 151..202 consumables, 203..234 vouchers.
ITEMS = make_kind("item", JOKERS.rows + CONSUMABLES.rows + VOUCHERS.rows)
FIRST_CONSUMABLE = 1 + len(JOKERS.rows)
FIRST_VOUCHER = FIRST_CONSUMABLE + len(CONSUMABLES.rows)


def item(key: str) -> int:
    """The id in `ITEMS` of an exact key; for use in code, where a typo should fail at import."""
    return ITEMS.keys.index(key)
