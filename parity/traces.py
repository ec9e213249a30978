"""Reading trace_v1 files and turning their lines into actions of the environment."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jaxtro.env.actions import Kind
from jaxtro.env.debug import Number
from jaxtro.env.generation import default_locks
from jaxtro.env.state import HAND_CAPACITY
from jaxtro.tables import (
    BLINDS,
    CHALLENGES,
    DECKS,
    EDITIONS,
    ENHANCEMENTS,
    HANDS,
    ITEMS,
    PACKS,
    SEALS,
    STAKES,
)
from jaxtro.tables.pools import BOSS_POOL, FRONT_ID, HAND_WALK

SCHEMA = "trace_v1"
_SMODS_1827B = "1827b"  # a version of the mod loader that chooses other bosses (oracle/README.md 1)
_SORT_MODES = {"rank": 0, "suit": 1, "rank-asc": 2, "suit-asc": 3}
_PLAIN = {
    "select": Kind.SELECT, "skip": Kind.SKIP, "reroll_boss": Kind.REROLL_BOSS, "cash_out": Kind.CASH_OUT,
    "reroll": Kind.REROLL, "next_round": Kind.NEXT_ROUND,
}  # fmt: skip


class TraceError(ValueError):
    """A trace that cannot be replayed; the text says which line and why."""


@dataclass
class Op:
    """One thing to do in a replay: an action, or a debug overwrite.

    Attributes:
      kind: `Kind`, or -1 for the others. slot, to, cards: as in `Action`; slots of the shop count what is there.
      number, value: of a `set`, number -1 = none. add: fields of an `add`, empty = none.
    """

    kind: int = -1
    slot: int = 0
    to: int = 0
    cards: tuple[int, ...] = ()
    number: int = -1
    value: float = 0.0
    add: dict[str, int] = field(default_factory=dict)


@dataclass
class Settings:
    """What a recording's installation decides.

    Attributes:
      locked: keys of items that its profile has not unlocked.
      boss_order: int8[28], the bosses as its boss stream indexes them.
      to_do_order: int8[12], the poker hands as its To Do Lists draw them.
      sort_by_age: equal cards of the hand stand by age, as in the reference engine.
      boss_from_trace: its mod loader chooses other bosses from the same draws, so each boss is taken from the
        recorded states (oracle/README.md 1, item 2).
    """

    locked: tuple[str, ...] = ()
    boss_order: np.ndarray = field(default_factory=lambda: np.asarray(BOSS_POOL))
    to_do_order: np.ndarray = field(default_factory=lambda: np.asarray(HAND_WALK))
    sort_by_age: bool = False
    boss_from_trace: bool = False


@dataclass
class Trace:
    """A trace: where it comes from, its header, its lines."""

    path: str
    header: dict[str, Any]
    lines: list[dict[str, Any]]


def is_trace(data: Any) -> bool:
    """Whether parsed JSON lines are a trace_v1 file."""
    return (
        isinstance(data, list)
        and bool(data)
        and isinstance(data[0], dict)
        and data[0].get("schema") == SCHEMA
    )


def read_trace(path: str, data: list[dict[str, Any]]) -> Trace:
    """A trace from its lines.

    Raises:
      TraceError: for a header or a line that is not as trace_v1 says.
    """
    header, lines = data[0], data[1:]
    missing = {"deck", "stake", "seed"} - set(header)
    if missing:
        raise TraceError(f"the header lacks {', '.join(sorted(missing))}")
    if not lines or lines[0].get("a", {}).get("m") != "start":
        raise TraceError("the first line after the header must be the action start")
    for line in lines:
        if not isinstance(line.get("a"), dict) or "m" not in line["a"]:
            raise TraceError(f"line {line.get('i')}: no action")
    return Trace(path, header, lines)


def setup(header: dict[str, Any]) -> tuple[int, int, int]:
    """Ids of deck, stake and challenge.

    Raises:
      UnknownNameError: for a name that the tables do not have.
    """
    challenge = header.get("challenge")
    deck = DECKS.find("b_challenge" if challenge else header["deck"])
    return deck, STAKES.find(header["stake"]), CHALLENGES.find(challenge) if challenge else 0


def boss_order(keys: list[str] | tuple[str, ...]) -> np.ndarray:
    """The bosses named first, then all others in key order."""
    first = [BLINDS.find(key) for key in keys]
    return np.array(first + [boss for boss in BOSS_POOL.tolist() if boss not in first], np.int8)


def hand_order(names: list[str]) -> np.ndarray:
    """The poker hands named first, then all others as the game walks them."""
    first = [HANDS.find(name) for name in names]
    return np.array(first + [hand for hand in HAND_WALK.tolist() if hand not in first], np.int8)


def settings_of(header: dict[str, Any]) -> Settings:
    """The settings that a header tells.

    `profile`: a text that says "default unlocks" (except items it names), or a list of locked items.
    """
    settings = Settings()
    profile = header.get("profile")
    if isinstance(profile, list):
        settings.locked = tuple(profile)
    elif isinstance(profile, str) and "default unlocks" in profile:
        settings.locked = default_locks()
        if "except Acrobat" in profile:
            settings.locked = tuple(key for key in settings.locked if key != "j_acrobat")
        if "Polychrome undiscovered" in profile:
            editions = set(EDITIONS.keys[1:]) - {"e_polychrome"}
            settings.locked = tuple(key for key in settings.locked if key not in editions)
    settings.sort_by_age = "reference engine" in str(header.get("game_version", ""))
    if _SMODS_1827B in str(header.get("game_version", "")):
        settings.boss_from_trace = True
    if header.get("boss_order"):
        settings.boss_order = boss_order(header["boss_order"])
    if header.get("todo_order"):
        settings.to_do_order = hand_order(header["todo_order"])
    return settings


def _moves(kind: Kind, order: list[int]) -> list[Op]:
    """Single moves that give new[k] = old[order[k]]."""
    if sorted(order) != list(range(len(order))):
        raise TraceError(f"rearrange: {order} is no permutation")
    now, moves = list(range(len(order))), []
    for place, wanted in enumerate(order):
        source = now.index(wanted)
        if source != place:
            moves.append(Op(int(kind), slot=source, to=place))
            now.insert(place, now.pop(source))
    return moves


def _cards(values: Any) -> tuple[int, ...]:
    cards = tuple(int(value) for value in values or ())
    if any(not 0 <= card < HAND_CAPACITY for card in cards) or len(set(cards)) != len(cards):
        raise TraceError(f"cards {list(cards)}: give different places of the hand")
    return cards


def _added(params: dict[str, Any]) -> dict[str, int]:
    """Fields of `debug.Added` for an `add`."""
    key = str(params["key"])
    added = {"item": 0, "pack": 0, "front": -1, "enhancement": 0, "edition": 0, "seal": 0}
    added |= {name: bool(params.get(name)) for name in ("eternal", "perishable", "rental")}
    if key in ITEMS.keys:
        added["item"] = ITEMS.keys.index(key)
    elif key in PACKS.keys:
        added["pack"] = PACKS.keys.index(key)
    else:
        text = key.upper().replace("10", "T")
        front = text if text in FRONT_ID else f"{text[-1:]}_{text[:1]}"
        if front not in FRONT_ID:
            raise TraceError(f"add: unknown key {key!r}")
        added["front"] = FRONT_ID[front]
    for name, kind in (("enhancement", ENHANCEMENTS), ("edition", EDITIONS), ("seal", SEALS)):
        if params.get(name):
            text = str(params[name])
            added[name] = kind.find({"HOLO": "holo", "poly": "polychrome"}.get(text, text))
    return added


def ops_of(action: dict[str, Any]) -> list[Op]:
    """What a line's action is for the environment; usually one op, several for rearrangements.

    Raises:
      TraceError: for an action or parameter that trace_v1 does not have.
    """
    method, params = action["m"], action.get("p") or {}
    if method in _PLAIN:
        return [Op(int(_PLAIN[method]))]
    if method in ("play", "discard"):
        return [Op(int(Kind.PLAY if method == "play" else Kind.DISCARD), cards=_cards(params["cards"]))]
    if method == "sort":
        if params.get("mode", "rank") not in _SORT_MODES:
            raise TraceError(f"sort: unknown mode {params['mode']!r}; known: {', '.join(_SORT_MODES)}")
        return [Op(int(Kind.SORT), slot=_SORT_MODES[params.get("mode", "rank")])]
    if method == "rearrange":
        for name, kind in (
            ("hand", Kind.MOVE_HAND), ("jokers", Kind.MOVE_JOKER), ("consumables", Kind.MOVE_CONSUMABLE),
        ):  # fmt: skip
            if params.get(name) is not None:
                return _moves(kind, [int(value) for value in params[name]])
        raise TraceError("rearrange: give hand, jokers or consumables")
    if method == "use":
        return [Op(int(Kind.USE), slot=int(params["consumable"]), cards=_cards(params.get("cards")))]
    if method == "sell":
        kind = Kind.SELL_JOKER if "joker" in params else Kind.SELL_CONSUMABLE
        return [Op(int(kind), slot=int(params["joker" if "joker" in params else "consumable"]))]
    if method == "buy":
        for name, kind in (("card", Kind.BUY_CARD), ("voucher", Kind.BUY_VOUCHER), ("pack", Kind.BUY_PACK)):
            if params.get(name) is not None:
                return [Op(int(kind), slot=int(params[name]))]
        raise TraceError("buy: give card, voucher or pack")
    if method == "pack":
        if params.get("skip"):
            return [Op(int(Kind.SKIP_PACK))]
        return [Op(int(Kind.PICK), slot=int(params["card"]), cards=_cards(params.get("targets")))]
    if method == "set":
        known = {number.name.lower(): int(number) for number in Number}
        unknown = set(params) - set(known)
        if unknown:
            raise TraceError(f"set: unknown {sorted(unknown)}; known: {sorted(known)}")
        return [Op(number=known[name], value=float(value)) for name, value in params.items()]
    if method == "add":
        return [Op(add=_added(params))]
    raise TraceError(f"unknown action {method!r}")
