"""Cards, jokers and states as text, for people."""

from collections.abc import Iterator
from typing import Any

from jaxtro.tables import BLINDS, CHALLENGES, ITEMS, PACKS, TAGS

_NAMES = {
    key: name
    for kind in (ITEMS, PACKS, TAGS, BLINDS, CHALLENGES)
    for key, name in zip(kind.keys, kind.names, strict=True)
    if key
}


def name_of(key: str) -> str:
    """The display name of a key."""
    return _NAMES.get(key, key)


def card_text(card: Any) -> str:
    """A playing card: "KH gold red-seal"."""
    card = {"c": card} if isinstance(card, str) else card
    if "key" in card:
        return item_text(card)
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


def item_text(item: Any) -> str:
    """A joker, consumable, voucher, pack or playing card."""
    if isinstance(item, str):
        return card_text(item)
    if "key" not in item:
        return card_text(item)
    marks = [item["ed"]] if item.get("ed") else []
    marks += [name for name in ("eternal", "rental", "pinned") if item.get(name)]
    if item.get("perish") is not None:
        marks.append(f"perishes in {item['perish']}")
    marks += [text for name, text in (("debuff", "debuffed"), ("down", "face down")) if item.get(name)]
    text = name_of(item["key"]) + (f" ({', '.join(marks)})" if marks else "")
    return text + (f" ${item['cost']}" if item.get("cost") is not None else "")


def items_text(items: list[Any]) -> str:
    """Several things, with commas; - for none."""
    return ", ".join(item_text(item) for item in items) if items else "-"


def state_lines(state: dict[str, Any]) -> Iterator[str]:
    """A state in a few lines; what is not known is left out."""
    get: Any = state.get
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
        yield "  hand: " + " ".join(card_text(card) for card in get("hand"))
    if get("jokers"):
        yield "  jokers: " + items_text(get("jokers"))
    if get("consumables"):
        yield "  consumables: " + items_text(get("consumables"))
    if phase == "SHOP" and get("shop"):
        shop = get("shop")
        reroll = f"; reroll ${shop['reroll_cost']}" if shop.get("reroll_cost") is not None else ""
        offers = "; ".join(items_text(shop.get(area) or []) for area in ("cards", "vouchers", "packs"))
        yield f"  shop: {offers}{reroll}"
    if get("pack"):
        yield f"  pack: {items_text(get('pack').get('cards') or [])}; picks left {get('pack').get('choices_left')}"
    if get("tags"):
        yield "  tags: " + ", ".join(name_of(tag) for tag in get("tags"))
