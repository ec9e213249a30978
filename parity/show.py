"""`python -m parity show`: a trace as a person would follow the game."""

from collections.abc import Iterator
from typing import Any

from jaxtro.play.text import card_text, item_text, name_of, state_lines
from jaxtro.view import state_view
from parity.replay import replay
from parity.settings import Settings
from parity.traces import Trace


def _picked(before: dict[str, Any], area: str, places: list[int]) -> str:
    cards = before.get(area) or []
    return " ".join(card_text(cards[place]) if place < len(cards) else f"#{place}" for place in places)


def action_text(action: dict[str, Any], before: dict[str, Any]) -> str:
    """What was done, with the names of the things it was done to."""
    method, params = action["m"], action.get("p") or {}
    if method == "start":
        return f"start: {params.get('deck', '')} deck, {params.get('stake', '')} stake, seed {params.get('seed', '')}"
    if method in ("play", "discard"):
        return f"{method} {_picked(before, 'hand', sorted(params['cards']))}"
    targets = sorted(params.get("cards") or params.get("targets") or [])
    on = f" on {_picked(before, 'hand', targets)}" if targets else ""
    for area, name in (("consumables", "consumable"), ("jokers", "joker")):
        if params.get(name) is not None:
            return f"{method} {_one(before.get(area), params[name])}{on}"
    if method == "buy":
        what, place = next((name, value) for name, value in params.items() if value is not None)
        return f"buy {_one((before.get('shop') or {}).get(what + 's'), place)}"
    if method == "pack":
        if params.get("skip"):
            return "skip the pack"
        return f"pick {_one((before.get('pack') or {}).get('cards'), params['card'])}{on}"
    if method == "set":
        return "set " + ", ".join(f"{name} to {value}" for name, value in params.items())
    if method == "add":
        return f"add {name_of(str(params.get('key')))}"
    if method in ("sort", "rearrange"):
        return f"{method} {next(iter(params), '')} {next(iter(params.values()), '')}"
    return {"cash_out": "cash out", "next_round": "next round", "reroll_boss": "reroll the boss"}.get(
        method, method
    )


def _one(items: list[Any] | None, place: int) -> str:
    return item_text(items[place]) if items and place < len(items) else f"#{place}"


def show(
    trace: Trace,
    settings: Settings,
    first: int = 0,
    last: int | None = None,
    recorded: bool = False,
) -> Iterator[str]:
    """The lines of a trace.

    Args:
      first, last: steps to show; nothing is replayed behind the last.
      recorded: the recorded states alone; else the game is replayed, so that states which the recording does not
        have are shown, too.
    """
    header = trace.header
    what = (
        f"challenge {name_of(header['challenge'])}" if header.get("challenge") else f"{header['deck']} deck"
    )
    yield f"{trace.path}: seed {header['seed']}, {what}, {header['stake']} stake"
    for name in ("source", "game_version", "profile", "note"):
        if header.get(name):
            yield f"  {name}: {header[name]}"
    before: dict[str, Any] = {}
    for line, state, missing in _recorded(trace) if recorded else _replayed(trace, settings):
        entry = trace.lines[line]
        step = entry.get("i", line)
        if last is not None and step > last:
            return
        if step >= first:
            suspect = f"   [suspect: {', '.join(entry['suspect'])}]" if entry.get("suspect") else ""
            yield f"{step}. {action_text(entry['a'], before)}{suspect}"
            if state is None:
                yield f"  ({missing})"
            else:
                yield from state_lines(state)
        if last is not None and step >= last:
            return
        before = state or before


# Index of the line, its state, and why there is none.
_States = Iterator[tuple[int, dict[str, Any] | None, str]]


def _recorded(trace: Trace) -> _States:
    for number, line in enumerate(trace.lines):
        yield number, line.get("s"), "the recording does not have this state"


def _replayed(trace: Trace, settings: Settings) -> _States:
    for moment in replay([trace], [settings]):
        view = None if moment.refused else state_view(moment.state, moment.derived)
        yield moment.line, view, moment.refused
