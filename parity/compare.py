"""Comparing a recorded state with the run, fact by fact; the random streams are in `parity.streams`.

Facts are compared exactly, numbers to the last bit and true and false as such.
"""

import re
from typing import Any

from jaxtro.view import num_name

# Only compared while they mean the same in recordings and here (trace_v1, section 3); `rng` and `used_jokers` are
# compared by parity.trace_check.
_NOT_COMPARED = {"rng_full", "note", "rng", "used_jokers", "phase"}
_CARD_FLAGS = ("enh", "ed", "seal", "perma", "debuff", "down", "forced")
_ITEM_FLAGS = ("ed", "eternal", "perish", "rental", "debuff", "down", "pinned")

# Null says "none" in these fields, "not recorded" in all others (trace_v1, sections 3 and 4).
_NULL_IS_NONE = {
    "chips", "hands_left", "discards_left", "hands_played", "discards_used", "shop", "pack", "last_tarot_planet",
    "blind.on_deck", "blind.key", "blind.target", "blind.disabled", "counters.next_voucher",
}  # fmt: skip

Difference = tuple[str, Any, Any]  # field, expected, got


class Facts:
    """Collects the facts that differ between a recorded state and the run.

    Attributes:
      unknown: what a state does not have is unknown; else it means "no" or 0.
      real: recorded from the real game, with its bookkeeping.
    """

    def __init__(self, unknown: bool, real: bool) -> None:
        self.unknown = unknown
        self.real = real
        self.differences: list[Difference] = []

    def same(self, name: str, expected: Any, got: Any) -> bool:
        """Compares one fact and tells whether it is the same; unknown ones are left out."""
        unknown = expected is None and (self.unknown or name not in _NULL_IS_NONE)
        if unknown or _equal(expected, got):
            return True
        self.differences.append((name, expected, got))
        return False

    def flag(self, name: str, expected: Any, got: Any) -> None:
        """Compares a mark that is left out where there is none."""
        if not _equal(None if expected is False else expected, None if got is False else got):
            self.differences.append((name, expected, got))


def _equal(expected: Any, got: Any) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got  # 1 == True in Python
    return bool(expected == got)


def _plain(card: Any) -> dict[str, Any]:
    return {"c": card} if isinstance(card, str) else dict(card)


def _key(key: str) -> str:
    # The art variant of a normal Buffoon pack is not always seeded (rng.md 11).
    return re.sub(r"^(p_buffoon_normal)_[12]$", r"\1", key)


def _item(facts: Facts, name: str, expected: Any, got: Any) -> None:
    """A card on offer, a joker or a consumable."""
    expected, got = _plain(expected), _plain(got)
    if "c" in expected or "c" in got:
        _card(facts, name, expected, got)
        facts.same(f"{name}.cost", expected.get("cost"), got.get("cost"))
        return
    if not facts.same(f"{name}.key", _key(expected["key"]), _key(got["key"])):
        return  # what another item is like says nothing
    for flag in _ITEM_FLAGS:
        if flag in expected or not facts.unknown:
            facts.flag(f"{name}.{flag}", expected.get(flag), got.get(flag))
    for number in ("sell", "cost"):
        facts.same(f"{name}.{number}", expected.get(number), got.get(number))
    if expected["key"].startswith("j_") and ("num" in expected or not facts.unknown):
        _numbers(facts, name, expected, got)


def _numbers(facts: Facts, name: str, expected: dict[str, Any], got: dict[str, Any]) -> None:
    """The numbers that a joker stores, as far as the run models them."""
    wanted, have = expected.get("num", {}), got.get("num", {})
    named = num_name(expected["key"])
    if named and named[0]:
        facts.same(f"{name}.num.{named[0]}", wanted.get(named[0], named[1]), have.get(named[0], named[1]))
    for number in ("yorick_discards", "extra_value"):
        if number in wanted or (number in have and "sell" in expected and not facts.unknown):
            facts.same(f"{name}.num.{number}", wanted.get(number, 0), have.get(number, 0))


def _card(facts: Facts, name: str, expected: Any, got: Any, ignore: tuple[str, ...] = ()) -> None:
    expected, got = _plain(expected), _plain(got)
    if expected.get("down") and "c" not in expected:
        facts.same(f"{name}.down", True, got.get("down", False))
        return
    if not facts.same(f"{name}.c", expected.get("c"), got.get("c")):
        return
    for flag in _CARD_FLAGS:
        if flag not in ignore:
            facts.flag(f"{name}.{flag}", expected.get(flag), got.get(flag))


def _list(facts: Facts, name: str, expected: list[Any], got: list[Any], one: Any, **options: Any) -> None:
    if len(expected) != len(got):
        facts.differences.append((name, _short(expected), _short(got)))
        return
    for number, (wanted, have) in enumerate(zip(expected, got, strict=True)):
        one(facts, f"{name}[{number}]", wanted, have, **options)


def _short(entries: list[Any]) -> list[Any]:
    return [entry.get("key", entry.get("c")) if isinstance(entry, dict) else entry for entry in entries]


def compare_state(expected: dict[str, Any], got: dict[str, Any], partial: bool) -> list[Difference]:
    """The facts of a recorded state that differ.

    Args:
      partial: the trace is a recording of the real game: fields missing from a state are unknown, unless the
        state comes from a save file (`rng_full`), which has everything.
    """
    facts = Facts(unknown=partial and not expected.get("rng_full"), real=partial)
    phase = expected.get("phase", got["phase"])
    facts.same("phase", expected.get("phase"), got["phase"])
    for name, value in expected.items():
        if name in _NOT_COMPARED:
            continue
        have = got.get(name)
        if value is None:
            facts.same(name, None, have)
        elif name in ("hand", "deck", "discard"):
            # Face-down cards are told of the hand only; forced marks only where a trace has them.
            ignore = () if name == "hand" else ("down", "forced") if name == "deck" else ("down",)
            _list(facts, name, value, have or [], _card, ignore=ignore)
        elif name in ("jokers", "consumables"):
            _list(facts, name, value, have or [], _item)
        elif name == "shop":
            _offers(facts, value, have)
        elif name == "pack":
            have = have or {"choices_left": None, "cards": []}
            facts.same("pack.choices_left", value.get("choices_left"), have["choices_left"])
            if value.get("cards") is not None:
                _list(facts, "pack.cards", value["cards"], have["cards"], _item)
        elif name == "counters":
            _counters(facts, value, have, expected)
        elif name == "blinds":
            if phase in ("BLIND_SELECT", "SELECTING_HAND"):
                _nested(facts, name, value, have)
        elif isinstance(value, dict):
            _nested(facts, name, value, have)
        else:
            facts.same(name, value, have)
    return facts.differences


def _counters(facts: Facts, expected: dict[str, Any], got: Any, state: dict[str, Any]) -> None:
    """The real game may still name the ante's voucher after it was redeemed (trace_v1, oracle/README.md 2)."""
    voucher = expected.get("next_voucher")
    if facts.real and voucher in (state.get("vouchers") or ()) and got["next_voucher"] is None:
        expected = {name: value for name, value in expected.items() if name != "next_voucher"}
    _nested(facts, "counters", expected, got)


def _offers(facts: Facts, expected: dict[str, Any], got: dict[str, Any] | None) -> None:
    if got is None:
        facts.differences.append(("shop", "a shop", None))
        return
    for area in ("cards", "vouchers", "packs"):
        if expected.get(area) is not None:
            _list(facts, f"shop.{area}", expected[area], got[area], _item)
    for number in ("reroll_cost", "free_rerolls"):
        facts.same(f"shop.{number}", expected.get(number), got[number])


def _nested(facts: Facts, name: str, expected: dict[str, Any], got: Any) -> None:
    for inner, value in expected.items():
        if isinstance(value, dict):
            _nested(facts, f"{name}.{inner}", value, (got or {}).get(inner))
        else:
            facts.same(f"{name}.{inner}", value, (got or {}).get(inner))
