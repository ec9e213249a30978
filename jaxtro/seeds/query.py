"""The filter language of the seed search.

    [not] [Nx] WHAT in PLACE [slot A[-B]] [by ante N | at ante N | antes A-B]

- WHAT: a key or name of a joker, consumable, voucher, tag, boss or pack; a playing card code such as
  S_A or S_A~m_glass@polychrome#Red; or a group: joker, common, uncommon, rare, tarot, planet, spectral, card.
  Before it may stand words for an edition (foil, holographic, polychrome, negative) and for stickers
  (eternal, perishable, rental).
- PLACE: shop, pack (contents of any pack; of one kind with "arcana pack", "celestial pack", "standard pack",
  "buffoon pack", "spectral pack"), anywhere (shop or pack), packs (packs on offer), voucher, tag, boss,
  soul (the joker that the first The Soul of the run gives).
- slot: places in the shop queue of an ante, or packs 1-6 of an ante (1-4 in ante 1).
- antes: the default is every ante that is searched.
- Nx: at least N times. not: fewer than that.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import generation as gen
from jaxtro.seeds.analysis import SeedReport
from jaxtro.tables import BLINDS, EDITIONS, ENHANCEMENTS, ITEMS, JOKERS, PACKS, SEALS, TAGS, UnknownNameError
from jaxtro.tables.kinds import FIRST_CONSUMABLE, FIRST_VOUCHER
from jaxtro.tables.pools import FRONT_ID, HIDDEN

PLACES = ("shop", "pack", "anywhere", "packs", "voucher", "tag", "boss", "soul")
_PACK_KINDS = ("arcana", "celestial", "standard", "buffoon", "spectral")
_RARITIES = {"common": 1, "uncommon": 2, "rare": 3, "legendary": 4}
_SETS = {"tarot": "Tarot", "planet": "Planet", "spectral": "Spectral"}
_STICKERS = ("eternal", "perishable", "rental")
_EDITION_WORDS = {"foil": "e_foil", "holo": "e_holo", "holographic": "e_holo", "polychrome": "e_polychrome"}
_EDITION_WORDS |= {"poly": "e_polychrome", "negative": "e_negative"}
_ANY = -1
IDS = max(len(ITEMS), len(BLINDS), len(TAGS), len(PACKS))

# What a part of the report each place needs (see `analysis.PARTS`).
PARTS_OF = {
    "shop": ("shop",),
    "pack": ("packs", "contents"),
    "anywhere": ("shop", "packs", "contents"),
    "packs": ("packs",),
    "voucher": ("voucher",),
    "tag": ("tags",),
    "boss": ("boss",),
    "soul": (),
}


class FilterError(ValueError):
    """A filter that cannot be read; the text says which part and what is allowed."""


@dataclasses.dataclass(frozen=True)
class Want:
    """One parsed filter.

    Attributes:
      text: as written. negated: "not". count: at least so many.
      place: one of `PLACES`. pack_kind: index of the kind of pack, -1 = any.
      ids: ids that fit, in the table of the place (`ITEMS` for shop and packs); empty for playing cards.
      front, enhancement, edition, seal: of the thing, -1 = any. is_card: only playing cards fit.
      stickers: names that it must have.
      first_ante, last_ante: inclusive; last_ante 0 = the last one searched.
      first_slot, last_slot: inclusive, from 1; last_slot 0 = no limit.
    """

    text: str
    negated: bool = False
    count: int = 1
    place: str = "shop"
    pack_kind: int = _ANY
    ids: tuple[int, ...] = ()
    is_card: bool = False
    front: int = _ANY
    enhancement: int = _ANY
    edition: int = _ANY
    seal: int = _ANY
    stickers: tuple[str, ...] = ()
    first_ante: int = 1
    last_ante: int = 0
    first_slot: int = 1
    last_slot: int = 0


_FORM = re.compile(
    r"(?P<negated>not\s+)?(?:(?P<count>\d+)x\s+)?(?P<what>.+?)\s+in\s+(?:the\s+)?(?P<place>[a-z ]+?)"
    r"(?:\s+slots?\s+(?P<slot>\d+)(?:\s*-\s*(?P<slot_end>\d+))?)?"
    r"(?:\s+(?:(?P<by>by|at)\s+ante\s+(?P<ante>\d+)|antes?\s+(?P<low>\d+)(?:\s*-\s*(?P<high>\d+))?))?",
    re.IGNORECASE,
)
_CARD = re.compile(r"([CDHS])_?([2-9TJQKA]|10)(~\w+)?(@\w+)?(#\w+)?", re.IGNORECASE)
_HELP = "expected: [not] [Nx] WHAT in PLACE [slot A-B] [by ante N | at ante N | antes A-B]"


def parse(text: str) -> Want:
    """Reads one filter.

    Raises:
      FilterError: for a malformed filter or an unknown item or place; says what is allowed.
    """
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise FilterError(f"cannot read the filter {text!r}; {_HELP}. Example: j_blueprint in shop by ante 2")
    place, pack_kind = _place(found["place"], text)
    fields: dict[str, Any] = {
        "text": text,
        "negated": bool(found["negated"]),
        "place": place,
        "pack_kind": pack_kind,
    }
    fields["count"] = int(found["count"] or 1)
    if fields["count"] < 1:
        raise FilterError(f"in the filter {text!r}: the count must be 1 or more")
    if found["by"]:
        fields["last_ante"] = int(found["ante"])
        fields["first_ante"] = 1 if found["by"].lower() == "by" else int(found["ante"])
    elif found["low"]:
        fields["first_ante"], fields["last_ante"] = int(found["low"]), int(found["high"] or found["low"])
    if found["slot"]:
        if place not in ("shop", "pack", "packs"):
            raise FilterError(f"in the filter {text!r}: only shop, pack and packs have slots")
        fields["first_slot"] = int(found["slot"])
        fields["last_slot"] = int(found["slot_end"] or found["slot"])
    for name, low, high in (("ante", "first_ante", "last_ante"), ("slot", "first_slot", "last_slot")):
        if low in fields and (fields[low] < 1 or fields[high] < fields[low]):
            raise FilterError(f"in the filter {text!r}: {name}s count from 1 and go upwards")
    if place == "soul" and (found["count"] or found["by"] or found["low"]):
        raise FilterError(f"in the filter {text!r}: 'in soul' takes no count and no antes")
    return Want(**fields, **_what(found["what"].strip(), place, text))


def _place(word: str, text: str) -> tuple[str, int]:
    word = word.lower().strip()
    for number, kind in enumerate(_PACK_KINDS):
        if word in (f"{kind} pack", f"{kind} packs"):
            return "pack", number
    aliases = {"vouchers": "voucher", "tags": "tag", "bosses": "boss", "shops": "shop", "any": "anywhere"}
    word = aliases.get(word, word)
    if word not in PLACES:
        kinds = ", ".join(f"{kind} pack" for kind in _PACK_KINDS)
        raise FilterError(
            f"in the filter {text!r}: unknown place {word!r}; allowed: {', '.join(PLACES)}, {kinds}"
        )
    return word, _ANY


def _what(what: str, place: str, text: str) -> dict:
    kind = {"boss": BLINDS, "tag": TAGS, "packs": PACKS}.get(place)
    try:
        if kind is not None:
            number = kind.find(what)
            if kind is PACKS:  # variants of one name differ only in art
                return {"ids": tuple(n for n, name in enumerate(PACKS.names) if name == PACKS.names[number])}
            return {"ids": (number,)}
        fields: dict = {}
        words = what.split()
        while len(words) > 1 and words[0].lower() in (*_EDITION_WORDS, *_STICKERS):
            word = words.pop(0).lower()
            if word in _STICKERS:
                fields["stickers"] = (*fields.get("stickers", ()), word)
            else:
                fields["edition"] = EDITIONS.keys.index(_EDITION_WORDS[word])
        fields |= _thing(" ".join(words))
    except UnknownNameError as error:
        raise FilterError(f"in the filter {text!r}: {error}") from None
    if place in ("soul", "voucher") and (fields.keys() - {"ids"}):
        raise FilterError(f"in the filter {text!r}: editions, stickers and cards are not found in {place}")
    if place == "shop" and fields.get("ids") and all(HIDDEN[number] for number in fields["ids"]):
        raise FilterError(f"in the filter {text!r}: The Soul and Black Hole come only from packs")
    vouchers = any(number >= FIRST_VOUCHER for number in fields.get("ids", ()))
    if vouchers != (place == "voucher"):
        where = "vouchers are found in voucher" if vouchers else "only vouchers are found in voucher"
        raise FilterError(f"in the filter {text!r}: {where}")
    legendary = all(
        number < FIRST_CONSUMABLE and JOKERS.row(number)["rarity"] == 4
        for number in fields.get("ids", (0,))
        if number
    )
    if fields.get("ids") and legendary != (place == "soul"):
        where = (
            "legendary jokers come only from The Soul: use 'in soul'"
            if legendary
            else "'in soul' is for legendary jokers"
        )
        raise FilterError(f"in the filter {text!r}: {where}")
    return fields


def _thing(word: str) -> dict:
    """The fields of a joker, consumable, voucher, group or playing card."""
    lower = word.lower()
    rows = list(enumerate(ITEMS.rows, start=1))
    if lower in ("joker", "jokers", "any joker"):
        return {"ids": tuple(number for number, row in rows if row.get("rarity") in (1, 2, 3))}
    if lower in _RARITIES:
        return {"ids": tuple(number for number, row in rows if row.get("rarity") == _RARITIES[lower])}
    if lower in _SETS:
        return {"ids": tuple(number for number, row in rows if row.get("set") == _SETS[lower])}
    if lower == "card":
        return {"is_card": True}
    card = _CARD.fullmatch(word)
    if card:
        suit, rank, enhancement, edition, seal = card.groups()
        front = f"{suit.upper()}_{'T' if rank == '10' else rank.upper()}"
        fields: dict = {"is_card": True, "front": FRONT_ID[front]}
        if enhancement:
            fields["enhancement"] = ENHANCEMENTS.find(enhancement[1:])
        if edition:
            fields["edition"] = EDITIONS.find(edition[1:])
        if seal:
            fields["seal"] = SEALS.find(seal[1:])
        return fields
    return {"ids": (ITEMS.find(word),)}


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class WantArrays:
    """Parsed filters as arrays, so that filters of the same places share one compiled program. W filters."""

    ids: Array  # bool[W, IDS]
    numbers: Array  # int32[W, 15], see `as_arrays`


def as_arrays(wants: Sequence[Want], antes: int) -> WantArrays:
    """Filters as arrays; `antes` is the number of antes searched."""
    ids, numbers = np.zeros((len(wants), IDS), bool), np.zeros((len(wants), 14), np.int32)
    for row, want in enumerate(wants):
        ids[row, list(want.ids)] = True
        stickers = [int(name in want.stickers) for name in _STICKERS]
        numbers[row] = [
            want.negated, want.count, want.first_ante, want.last_ante or antes, want.first_slot,
            want.last_slot or np.iinfo(np.int32).max, want.pack_kind, want.is_card, want.front,
            want.enhancement, want.edition, *stickers,
        ]  # fmt: skip
    seals = np.array([want.seal for want in wants], np.int32)
    return WantArrays(jnp.asarray(ids), jnp.asarray(np.concatenate([numbers, seals[:, None]], axis=1)))


def matches(report: SeedReport, soul: Array, wants: WantArrays, places: tuple[str, ...]) -> Array:
    """Whether one seed satisfies every filter.

    Args:
      report: of one seed (no batch axis).
      soul: int32[], item id of the legendary joker that the first The Soul gives.
      wants: the filters. places: their places (static).

    Returns:
      bool[].
    """
    good = jnp.bool_(True)
    for row, place in enumerate(places):
        hits = _hits(report, soul, wants.ids[row], wants.numbers[row], place)
        enough = hits >= wants.numbers[row, 1]
        good = good & (enough != (wants.numbers[row, 0] != 0))
    return good


def _hits(report: SeedReport, soul: Array, ids: Array, numbers: Array, place: str) -> Array:
    """How many things fit a filter. -> int32[]"""
    first_ante, last_ante, first_slot, last_slot, pack_kind = (numbers[n] for n in range(2, 7))
    ante = jnp.arange(1, report.boss.shape[0] + 1)
    in_ante = (ante >= first_ante) & (ante <= last_ante)

    def count(fits: Array, slots: bool = True) -> Array:
        """Counts True in bool[A, N], N slots of an ante."""
        slot = jnp.arange(1, fits.shape[1] + 1)
        in_slot = (slot >= first_slot) & (slot <= last_slot) if slots else True
        return jnp.sum(fits & in_ante[:, None] & in_slot, dtype=jnp.int32)

    if place == "soul":
        return ids[soul].astype(jnp.int32)
    if place == "boss":
        return count(ids[report.boss][:, None], slots=False)
    if place == "voucher":
        return count(ids[report.voucher][:, None], slots=False)
    if place == "tag":
        return count(ids[report.tags], slots=False)
    if place == "packs":
        return count(ids[report.packs])
    hits = jnp.int32(0)
    if place in ("shop", "anywhere"):
        fits = _fits(report.shop, ids, numbers)
        hits = hits + count(fits.reshape(fits.shape[0], -1))
    if place in ("pack", "anywhere"):
        kind = gen.pack_kind(report.packs)[..., None]
        fits = _fits(report.cards, ids, numbers) & ((pack_kind < 0) | (kind == pack_kind))
        per_pack = jnp.sum(fits, axis=-1, dtype=jnp.int32)
        slot = jnp.arange(1, per_pack.shape[1] + 1)
        inside = in_ante[:, None] & (slot >= first_slot) & (slot <= last_slot)
        hits = hits + jnp.sum(jnp.where(inside, per_pack, 0))
    return hits


def _fits(item: gen.Item, ids: Array, numbers: Array) -> Array:
    is_card, front, enhancement, edition = (numbers[n] for n in range(7, 11))
    seal = numbers[14]
    fits = jnp.where(is_card != 0, item.front >= 0, ids[item.id])
    for value, wanted in (
        (item.front, front),
        (item.enhancement, enhancement),
        (item.edition, edition),
        (item.seal, seal),
    ):
        fits = fits & ((wanted < 0) | (value == wanted))
    for n, sticker in enumerate((item.eternal, item.perishable, item.rental)):
        fits = fits & (sticker | (numbers[11 + n] == 0))
    return fits
