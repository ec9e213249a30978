"""`python -m parity show`: a trace as a person would follow the game."""

from collections.abc import Iterator
from typing import Any

from jaxtro.tables import (
    BLINDS,
    CHALLENGES,
    ITEMS,
    PACKS,
    TAGS,
)
from parity.replay import replay
from parity.trace_view import state_view
from parity.traces import Settings, Trace, settings_of

_NAMES = {
    key: name
    for kind in (ITEMS, PACKS, TAGS, BLINDS, CHALLENGES)
    for key, name in zip(kind.keys, kind.names, strict=True)
    if key
}


def name_of(key: str) -> str:
    """The display name of a key."""
    return _NAMES.get(key, key)


def _card(card: Any) -> str:
    """A playing card: "KH gold red-seal"."""
    card = {"c": card} if isinstance(card, str) else card
    if "key" in card:
        return _item(card)
    if "c" not in card:
        return "??"
    suit, rank = card["c"].split("_")
    marks = [card[name] for name in ("enh", "ed") if card.get(name)]
    marks += [f"{card['seal']} seal"] if card.get("seal") else []
    marks += [f"+{card['perma']} chips"] if card.get("perma") else []
    marks += [
        text
        for name, text in (("debuff", "debuffed"), ("down", "face down"), ("forced", "forced"))
        if card.get(name)
    ]
    text = f"{rank.replace('T', '10')}{suit}" + (f" ({', '.join(marks)})" if marks else "")
    return text + (f" ${card['cost']}" if card.get("cost") is not None else "")


def _item(item: Any) -> str:
    if isinstance(item, str):
        return _card(item)
    if "key" not in item:
        return _card(item)
    marks = [item["ed"]] if item.get("ed") else []
    marks += [name for name in ("eternal", "rental", "pinned") if item.get(name)]
    if item.get("perish") is not None:
        marks.append(f"perishes in {item['perish']}")
    marks += [text for name, text in (("debuff", "debuffed"), ("down", "face down")) if item.get(name)]
    text = name_of(item["key"]) + (f" ({', '.join(marks)})" if marks else "")
    return text + (f" ${item['cost']}" if item.get("cost") is not None else "")


def _many(items: list[Any]) -> str:
    return ", ".join(_item(item) for item in items) if items else "-"


def _picked(before: dict[str, Any], area: str, places: list[int]) -> str:
    cards = before.get(area) or []
    return " ".join(_card(cards[place]) if place < len(cards) else f"#{place}" for place in places)


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
    return _item(items[place]) if items and place < len(items) else f"#{place}"


def state_lines(state: dict[str, Any]) -> Iterator[str]:
    """A state in a few lines; what is not known is left out."""
    get = state.get
    phase = get("phase", "?")
    head = [phase.replace("_", " ").lower()]
    for name in ("ante", "round"):
        head += [f"{name} {get(name)}"] if get(name) is not None else []
    head += [f"${get('money')}"] if get("money") is not None else []
    blind = get("blind") or {}
    if phase == "SELECTING_HAND":
        fought = blind.get("name") or name_of(blind.get("key") or "")
        target = f"/{blind['target']:,}" if blind.get("target") is not None else ""
        chips = f"{get('chips'):,}" if get("chips") is not None else "?"
        head.append(f"{fought} {chips}{target}" + (" (disabled)" if blind.get("disabled") else ""))
        head.append(f"{get('hands_left')} hands, {get('discards_left')} discards")
    elif phase in ("ROUND_EVAL", "GAME_OVER") and get("chips") is not None:
        head.append(f"{get('chips'):,} chips")
    yield "  " + " | ".join(head)
    if phase == "BLIND_SELECT" and get("blinds"):
        parts = []
        for which, row in get("blinds").items():
            tag = f", skip for {name_of(row['tag'])}" if row.get("tag") else ""
            parts.append(f"{which}: {name_of(row['key'])} [{row['status']}{tag}]")
        yield "  blinds: " + "; ".join(parts)
    if get("hand"):
        yield "  hand: " + " ".join(_card(card) for card in get("hand"))
    if get("jokers"):
        yield "  jokers: " + _many(get("jokers"))
    if get("consumables"):
        yield "  consumables: " + _many(get("consumables"))
    if phase == "SHOP" and get("shop"):
        shop = get("shop")
        reroll = f"; reroll ${shop['reroll_cost']}" if shop.get("reroll_cost") is not None else ""
        yield f"  shop: {_many(shop.get('cards') or [])}; {_many(shop.get('vouchers') or [])}; {_many(shop.get('packs') or [])}{reroll}"
    if get("pack"):
        yield f"  pack: {_many(get('pack').get('cards') or [])}; picks left {get('pack').get('choices_left')}"
    if get("tags"):
        yield "  tags: " + ", ".join(name_of(tag) for tag in get("tags"))


def show(
    trace: Trace,
    first: int = 0,
    last: int | None = None,
    recorded: bool = False,
    settings: Settings | None = None,
) -> Iterator[str]:
    """The lines of a trace.

    Args:
      first, last: steps to show. recorded: the recorded states alone; else the game is replayed, so that states
        which the recording does not have are shown, too.
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
    states = _recorded(trace) if recorded else _replayed(trace, settings or settings_of(header))
    for line, state in states:
        entry = trace.lines[line]
        step = entry.get("i", line)
        if step >= first and (last is None or step <= last):
            suspect = f"   [suspect: {', '.join(entry['suspect'])}]" if entry.get("suspect") else ""
            yield f"{step}. {action_text(entry['a'], before)}{suspect}"
            if state is None:
                yield "  (the recording does not have this state)" if recorded else "  (not legal here)"
            else:
                yield from state_lines(state)
        before = state or before


def _recorded(trace: Trace) -> Iterator[tuple[int, dict[str, Any] | None]]:
    for number, line in enumerate(trace.lines):
        yield number, line.get("s")


def _replayed(trace: Trace, settings: Settings) -> Iterator[tuple[int, dict[str, Any] | None]]:
    for moment in replay([trace], [settings]):
        view = None if moment.refused else state_view(moment.state, moment.derived)
        yield moment.line, view
