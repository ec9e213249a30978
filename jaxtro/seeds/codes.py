"""Text codes of generated things: key[@edition][!stickers], S_R[~enhancement][@edition][#Seal]."""

import numpy as np

from jaxtro.env.generation import Item
from jaxtro.tables import EDITIONS, ENHANCEMENTS, ITEMS, SEALS
from jaxtro.tables.pools import FRONTS

# Short forms of the sticker marks: eternal, perishable, rental.
STICKER_MARKS = (("eternal", "e"), ("perishable", "p"), ("rental", "r"))


def item_code(item: Item, at: tuple[int, ...]) -> str | None:
    """The code of one element of an `Item` of numpy arrays; None for an empty place.

    Examples: "j_joker", "j_egg@foil", "j_egg!er", "C_5", "S_T~m_bonus@foil#Gold".
    """
    number, front = int(item.id[at]), int(item.front[at])
    if number == 0 and front < 0:
        return None
    code = ITEMS.keys[number] if number else FRONTS[front]
    if item.enhancement[at]:
        code += "~" + ENHANCEMENTS.keys[int(item.enhancement[at])]
    if item.edition[at]:
        code += "@" + EDITIONS.keys[int(item.edition[at])].removeprefix("e_")
    if item.seal[at]:
        code += "#" + SEALS.keys[int(item.seal[at])]
    marks = "".join(mark for name, mark in STICKER_MARKS if getattr(item, name)[at])
    return code + ("!" + marks if marks else "")


def item_codes(item: Item, at: tuple[int, ...] = ()) -> list[str]:
    """The codes of all filled places under an index, in order."""
    shape = np.shape(item.id)[len(at) :]
    codes = (item_code(item, at + place) for place in np.ndindex(*shape))
    return [code for code in codes if code is not None]
