"""Comparing a recorded state with the run, fact by fact."""

import functools
import math
import re
from typing import Any

import jax
import numpy as np

import jaxtro
from jaxtro.env import rng
from jaxtro.tables import streams as table
from jaxtro.view import num_name

# Only compared while they mean the same in recordings and here (trace_v1, section 3).
_NOT_COMPARED = {"rng_full", "note"}
_CARD_FLAGS = ("enh", "ed", "seal", "perma", "debuff", "down", "forced")
_ITEM_FLAGS = ("ed", "eternal", "perish", "rental", "debuff", "down", "pinned")
_ROUNDED = 13


class Facts:
    """Collects the facts that differ between a recorded state and the run."""

    def __init__(self, partial: bool) -> None:
        self.partial = partial
        self.differences: list[tuple[str, Any, Any]] = []

    def same(self, name: str, expected: Any, got: Any) -> None:
        """Compares one fact; unknown ones (null) are left out."""
        if expected is None or _equal(expected, got):
            return
        self.differences.append((name, expected, got))


def _equal(expected: Any, got: Any) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return bool(expected) == bool(got)
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        return expected == got or math.isclose(expected, got, rel_tol=1e-12)
    return bool(expected == got)


def _plain(card: Any) -> dict[str, Any]:
    return {"c": card} if isinstance(card, str) else dict(card)


def _key(key: str) -> str:
    # The art variant of a normal Buffoon pack is not always seeded (rng.md 11).
    return re.sub(r"^(p_buffoon_normal)_[12]$", r"\1", key)


def _item(facts: Facts, name: str, expected: dict[str, Any], got: dict[str, Any]) -> None:
    """A card on offer, a joker or a consumable."""
    expected, got = _plain(expected), _plain(got)
    if "c" in expected or "c" in got:
        _card(facts, name, expected, got)
        facts.same(f"{name}.cost", expected.get("cost"), got.get("cost"))
        return
    facts.same(f"{name}.key", _key(expected["key"]), _key(got["key"]))
    if facts.differences:
        return
    for flag in _ITEM_FLAGS:
        if flag in expected or not facts.partial:
            wanted = expected.get(flag) or (0 if flag == "perish" and expected.get(flag) == 0 else None)
            have = got.get(flag)
            if wanted != have and not (wanted in (None, False) and have in (None, False)):
                facts.differences.append((f"{name}.{flag}", expected.get(flag), have))
    for number in ("sell", "cost"):
        facts.same(f"{name}.{number}", expected.get(number), got.get(number))
    if "num" in expected and expected["key"].startswith("j_"):
        _numbers(facts, name, expected, got)


def _numbers(facts: Facts, name: str, expected: dict[str, Any], got: dict[str, Any]) -> None:
    """The numbers that a joker stores, as far as the run models them."""
    wanted, have = expected["num"], got.get("num", {})
    named = num_name(expected["key"])
    if named and named[0]:
        facts.same(f"{name}.num.{named[0]}", wanted.get(named[0], named[1]), have.get(named[0], named[1]))
    for number in ("yorick_discards", "extra_value"):
        if number in wanted or (number in have and "sell" in expected and not facts.partial):
            facts.same(f"{name}.num.{number}", wanted.get(number, 0), have.get(number, 0))


def _card(facts: Facts, name: str, expected: Any, got: Any, ignore: tuple[str, ...] = ()) -> None:
    expected, got = _plain(expected), _plain(got)
    if expected.get("down") and "c" not in expected:
        facts.same(f"{name}.down", True, got.get("down", False))
        return
    facts.same(f"{name}.c", expected.get("c"), got.get("c"))
    for flag in _CARD_FLAGS:
        if flag in ignore:
            continue
        if (expected.get(flag) or None) != (got.get(flag) or None):
            facts.differences.append((f"{name}.{flag}", expected.get(flag), got.get(flag)))


def _list(facts: Facts, name: str, expected: list[Any], got: list[Any], one: Any, **options: Any) -> None:
    if len(expected) != len(got):
        short = [entry.get("key", entry.get("c")) if isinstance(entry, dict) else entry for entry in got]
        facts.differences.append((name, expected, short))
        return
    for number, (wanted, have) in enumerate(zip(expected, got, strict=True)):
        one(facts, f"{name}[{number}]", wanted, have, **options)


def compare_state(expected: dict[str, Any], got: dict[str, Any], partial: bool) -> list[tuple[str, Any, Any]]:
    """The facts of a recorded state that differ: (field, expected, got)."""
    facts = Facts(partial)
    phase = expected.get("phase", got["phase"])
    facts.same("phase", expected.get("phase"), got["phase"])
    for name, value in expected.items():
        if value is None or name in _NOT_COMPARED or name in ("rng", "used_jokers", "phase"):
            continue
        have = got.get(name)
        if name in ("hand", "deck", "discard"):
            # Face-down cards are told of the hand only; forced marks only where a trace has them.
            ignore = () if name == "hand" else ("down", "forced", "debuff") if name == "deck" else ("down",)
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
    if facts.partial and voucher in (state.get("vouchers") or ()) and got["next_voucher"] is None:
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


# --- random streams ----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def _uses() -> Any:
    """States of a stream after 0..63 uses."""

    def run(seed: jax.Array, stream: jax.Array, ante: jax.Array, level: jax.Array) -> jax.Array:
        first = rng.stream_start(stream, ante, level, seed)
        return jax.lax.scan(lambda state, _: (rng.step_stream(state), state), first, None, length=_LONGEST)[1]

    return jax.jit(run)


_LONGEST = 400


@functools.lru_cache(maxsize=4096)
def stream_states(seed: str, key: str, ante: int, level: int) -> np.ndarray:
    """The numbers of a stream after 0, 1, 2 ... uses."""
    code = jaxtro.encode_seed(seed)
    return np.asarray(_uses()(code, np.int32(table.STREAM_ID[key]), np.int32(ante), np.int32(level)))


def _times(states: np.ndarray, state: float) -> int | None:
    found = np.flatnonzero(np.round(states, _ROUNDED) == round(state, _ROUNDED))
    return int(found[0]) if len(found) else None


def times_used(seed: str, key: str, number: float) -> int | None:
    """How often a stream of the whole run was used, from its number; None = cannot be told."""
    return _times(stream_states(seed, key, 1, 1), number)


def stream_count(streams: Any, seed: str, key: str, ante: int, level: int) -> int | None:
    """How often the run has used a stream (or one of its retry levels); None = cannot be told."""
    stream = table.STREAM_ID[key]
    ring = ante % table.ANTES_KEPT if table.BY_ANTE[stream] else 0
    if level == 1:
        return _times(stream_states(seed, key, ante, 1), float(streams.states[table.SLOT[stream] + ring]))
    row = int(table.RETRY_SLOT[stream]) + ring
    if level - 2 < streams.retry_counts.shape[1]:
        return int(streams.retry_counts[row, level - 2])
    return int(np.sum(streams.retry_deep[row] >= level))


def compare_streams(
    expected: dict[str, float], streams: Any, before: Any, seed: str, complete: bool
) -> list[tuple[str, Any, Any]]:
    """Streams whose number differs, as (field, uses expected, uses made).

    Args:
      expected: stream text -> number after its latest use. streams: of the run. before: one step earlier.
      complete: every stream that the step changed is listed.
    """
    differences: list[tuple[str, Any, Any]] = []
    listed = set()
    for text, number in expected.items():
        parsed = table.parse_key(text)
        if parsed is None:  # streams of the mod loader (oracle/README.md)
            continue
        key, ante, level = parsed
        listed.add((key, ante, level))
        wanted, made = (
            _times(stream_states(seed, key, ante, level), number),
            stream_count(streams, seed, key, ante, level),
        )
        if wanted != made or wanted is None:
            differences.append((f"rng.{text} (uses)", wanted if wanted is not None else number, made))
    if complete and before is not None:
        for slot in np.flatnonzero(streams.states != before.states):
            stream = int(np.searchsorted(table.SLOT, slot, side="right") - 1)
            ring = int(slot - table.SLOT[stream])
            used = any(
                name == table.STREAM_KEYS[stream]
                and level == 1
                and (not table.BY_ANTE[stream] or ante % table.ANTES_KEPT == ring)
                for name, ante, level in listed
            )
            if not used and not _started(streams, before, stream):
                differences.append((f"rng.{table.STREAM_KEYS[stream]} (uses)", "not used", "used"))
    return differences


def _started(streams: Any, before: Any, stream: int) -> bool:
    """Whether the streams of a new ante were started in this step: that changes numbers without a use."""
    return bool(table.BY_ANTE[stream]) and int(streams.highest_ante) != int(before.highest_ante)
