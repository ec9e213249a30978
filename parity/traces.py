"""Reading trace_v1 files and turning their lines into actions of the environment."""

from dataclasses import dataclass, field
from typing import Any

import jaxtro
from jaxtro.env.actions import Kind
from jaxtro.env.debug import Number
from jaxtro.env.state import HAND_CAPACITY
from jaxtro.tables import BLINDS, CHALLENGES, DECKS, EDITIONS, ENHANCEMENTS, ITEMS, PACKS, SEALS, STAKES
from jaxtro.tables.pools import FRONT_ID
from parity.errors import InputError

SCHEMA = "trace_v1"
_SORT_MODES = {"rank": 0, "suit": 1, "rank-asc": 2, "suit-asc": 3}
_PLAIN = {
    "select": Kind.SELECT, "skip": Kind.SKIP, "reroll_boss": Kind.REROLL_BOSS, "cash_out": Kind.CASH_OUT,
    "reroll": Kind.REROLL, "next_round": Kind.NEXT_ROUND,
}  # fmt: skip
_AREAS = {"hand": Kind.MOVE_HAND, "jokers": Kind.MOVE_JOKER, "consumables": Kind.MOVE_CONSUMABLE}
_BUYS = {"card": Kind.BUY_CARD, "voucher": Kind.BUY_VOUCHER, "pack": Kind.BUY_PACK}
_SALES = {"joker": Kind.SELL_JOKER, "consumable": Kind.SELL_CONSUMABLE}
_MOST_PLACES = 128  # no area has more
_LARGEST, _LARGEST_CHIPS = 2**31 - 1, 1e300  # numbers to set


@dataclass
class Op:
    """One thing to do in a replay: an action, or a debug overwrite.

    Attributes:
      kind: `Kind`, or -1 for the others. slot, to, cards: as in `Action`; slots of the shop count what is there.
      number, value: of a `set`, number -1 = none. add: fields of an `add`, empty = none.
      area, size: of the first op of a rearrangement: what is arranged, and how many things the trace has there.
    """

    kind: int = -1
    slot: int = 0
    to: int = 0
    cards: tuple[int, ...] = ()
    number: int = -1
    value: float = 0.0
    add: dict[str, int] = field(default_factory=dict)
    area: str = ""
    size: int = 0


@dataclass
class Trace:
    """A trace: where it comes from, its header, its lines, and what each line after the start does."""

    path: str
    header: dict[str, Any]
    lines: list[dict[str, Any]]
    plan: list[list[Op]]


def is_trace(data: Any) -> bool:
    """Whether parsed JSON lines are a trace_v1 file."""
    return (
        isinstance(data, list)
        and bool(data)
        and isinstance(data[0], dict)
        and data[0].get("schema") == SCHEMA
    )


def read_trace(path: str, data: list[Any]) -> Trace:
    """A trace from its lines.

    Raises:
      InputError, UnknownNameError: for a header or a line that is not as trace_v1 says.
    """
    header, lines = data[0], data[1:]
    setup(header)
    plan = []
    for number, line in enumerate(lines):
        where = f"line {number + 2} of the file"
        action = line.get("a") if isinstance(line, dict) else None
        if not isinstance(action, dict) or not isinstance(action.get("m"), str):
            raise InputError(
                f'{where}: an action {{"i": step, "a": {{"m": method, "p": params}}, "s": state}} must stand here'
            )
        if not isinstance(line.get("i", number), int):
            raise InputError(f"{where}: the step i must be a number, not {line['i']!r}")
        if (number == 0) != (action["m"] == "start"):
            raise InputError(f"{where}: the first action, and no other, must be start")
        try:
            plan.append(ops_of(action))
            _check_state(line.get("s"))
        except ValueError as error:
            raise InputError(f"{where}: {error}") from error
    if not lines:
        raise InputError("there is no line after the header; the first action must be start")
    return Trace(path, header, lines, plan[1:])


def setup(header: dict[str, Any]) -> tuple[int, int, int]:
    """Ids of deck, stake and challenge of a header.

    Raises:
      InputError, UnknownNameError: for a header that names no run.
    """
    missing = [name for name in ("deck", "stake", "seed") if name not in header]
    if missing:
        raise InputError(f"the header lacks {', '.join(missing)}")
    for name in ("deck", "stake", "seed", "challenge"):
        if not isinstance(header.get(name) or "", str):
            raise InputError(f"the header's {name} must be a text, not {header[name]!r}")
    try:
        jaxtro.encode_seed(header["seed"])
    except ValueError as error:
        raise InputError(str(error)) from error
    challenge = header.get("challenge")
    deck = DECKS.find("b_challenge" if challenge else header["deck"])
    return deck, STAKES.find(header["stake"]), CHALLENGES.find(challenge) if challenge else 0


def _part(state: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of a state that must be an object, empty where it is unknown."""
    part = state.get(name)
    if part is not None and not isinstance(part, dict):
        raise InputError(f"the state's {name} must be an object, not {part!r}")
    return part or {}


def _check_state(state: Any) -> None:
    """Refuses a state that a replay cannot look at; the comparison looks at the rest."""
    if state is None:
        return
    if not isinstance(state, dict):
        raise InputError(f"the state must be an object or null, not {state!r}")
    for blind in (_part(_part(state, "blinds"), "Boss"), _part(state, "blind")):
        if blind.get("key") is not None and blind["key"] not in BLINDS.keys[1:]:
            raise InputError(f"unknown blind {blind['key']!r}")
    for name, number in _part(state, "rng").items():
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise InputError(f"the number of stream {name} must be a number, not {number!r}")


# --- actions -----------------------------------------------------------------------------------------------


def _place(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_PLACES:
        raise InputError(f"{what} {value!r}: give a place, counted from 0")
    return value


def _need(params: dict[str, Any], name: str, method: str) -> Any:
    if params.get(name) is None:
        raise InputError(f"{method}: give {name}")
    return params[name]


def _one_of(params: dict[str, Any], kinds: dict[str, Kind], method: str) -> list[Op]:
    """The op of an action on one thing, told by the parameter that is not null."""
    given = [name for name in kinds if params.get(name) is not None]
    if len(given) != 1:
        raise InputError(f"{method}: give one of {', '.join(kinds)}")
    return [Op(int(kinds[given[0]]), slot=_place(params[given[0]], f"{method} {given[0]}"))]


def _moves(area: str, order: Any) -> list[Op]:
    """Single moves that give new[k] = old[order[k]]."""
    if not isinstance(order, list):
        raise InputError(f"rearrange {area}: give a list of all places, not {order!r}")
    order = [_place(value, f"rearrange {area}") for value in order]
    if sorted(order) != list(range(len(order))):
        raise InputError(f"rearrange {area}: {order} is no permutation")
    now, moves = list(range(len(order))), [Op(area=area, size=len(order))]
    for place, wanted in enumerate(order):
        source = now.index(wanted)
        if source != place:
            moves.append(Op(int(_AREAS[area]), slot=source, to=place))
            now.insert(place, now.pop(source))
    return moves


def _cards(values: Any, method: str) -> tuple[int, ...]:
    if not isinstance(values or [], list):
        raise InputError(f"{method}: cards {values!r}: give a list of places of the hand")
    cards = tuple(_place(value, f"{method} card") for value in values or ())
    if any(card >= HAND_CAPACITY for card in cards) or len(set(cards)) != len(cards):
        raise InputError(f"{method}: cards {list(cards)}: give different places of the hand")
    return cards


def _added(params: dict[str, Any]) -> dict[str, int]:
    """Fields of `debug.Added` for an `add`."""
    key = str(_need(params, "key", "add"))
    added = {"item": 0, "pack": 0, "front": -1, "enhancement": 0, "edition": 0, "seal": 0}
    added |= {name: bool(params.get(name)) for name in ("eternal", "perishable", "rental")}
    if key in ITEMS.keys[1:]:
        added["item"] = ITEMS.keys.index(key)
    elif key in PACKS.keys[1:]:
        added["pack"] = PACKS.keys.index(key)
    else:
        text = key.upper().replace("10", "T")
        front = text if text in FRONT_ID else f"{text[-1:]}_{text[:1]}"
        if front not in FRONT_ID:
            raise InputError(f"add: unknown key {key!r}")
        added["front"] = FRONT_ID[front]
    for name, kind in (("enhancement", ENHANCEMENTS), ("edition", EDITIONS), ("seal", SEALS)):
        if params.get(name):
            text = str(params[name])
            added[name] = kind.find({"HOLO": "holo", "poly": "polychrome"}.get(text, text))
    return added


def _set(params: dict[str, Any]) -> list[Op]:
    known = {number.name.lower(): int(number) for number in Number}
    unknown = set(params) - set(known)
    if unknown or not params:
        raise InputError(f"set: give some of {', '.join(sorted(known))}, not {sorted(unknown) or 'nothing'}")
    for name, value in params.items():
        largest = _LARGEST_CHIPS if name == "chips" else _LARGEST
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= largest:
            raise InputError(f"set {name}: {value!r} is no number that a run can hold")
    return [Op(number=known[name], value=float(value)) for name, value in params.items()]


def ops_of(action: dict[str, Any]) -> list[Op]:
    """What a line's action is for the environment; usually one op, several for rearrangements.

    Raises:
      InputError: for an action or parameter that trace_v1 does not have.
    """
    method, params = action["m"], action.get("p") or {}
    if not isinstance(params, dict):
        raise InputError(f"{method}: the parameters must be an object, not {params!r}")
    if method == "start":
        return []
    if method in _PLAIN:
        return [Op(int(_PLAIN[method]))]
    if method in ("play", "discard"):
        kind = Kind.PLAY if method == "play" else Kind.DISCARD
        return [Op(int(kind), cards=_cards(_need(params, "cards", method), method))]
    if method == "sort":
        mode = str(params.get("mode", "rank"))
        if mode not in _SORT_MODES:
            raise InputError(f"sort: unknown mode {mode!r}; known: {', '.join(_SORT_MODES)}")
        return [Op(int(Kind.SORT), slot=_SORT_MODES[mode])]
    if method == "rearrange":
        given = [name for name in _AREAS if params.get(name) is not None]
        if len(given) != 1:
            raise InputError(f"rearrange: give one of {', '.join(_AREAS)}")
        return _moves(given[0], params[given[0]])
    if method == "use":
        slot = _place(_need(params, "consumable", method), "use consumable")
        return [Op(int(Kind.USE), slot=slot, cards=_cards(params.get("cards"), method))]
    if method == "sell":
        return _one_of(params, _SALES, method)
    if method == "buy":
        return _one_of(params, _BUYS, method)
    if method == "pack":
        if params.get("skip"):
            return [Op(int(Kind.SKIP_PACK))]
        slot = _place(_need(params, "card", "pack (without skip)"), "pack card")
        return [Op(int(Kind.PICK), slot=slot, cards=_cards(params.get("targets"), method))]
    if method == "set":
        return _set(params)
    if method == "add":
        return [Op(add=_added(params))]
    raise InputError(f"unknown action {method!r}")
