"""What a recording's installation decides: unlocks, orders of lists, the choice of bosses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jaxtro.env.generation import default_locks, locked_masks
from jaxtro.tables import BLINDS, EDITIONS, HANDS, ITEMS, TAGS, Kind, UnknownNameError
from jaxtro.tables.pools import BOSS_POOL, HAND_WALK
from parity.errors import InputError

_SMODS_1827B = "1827b"  # a version of the mod loader that chooses other bosses (oracle/README.md 1)
_ALL_UNLOCKED = re.compile(r"\s*(everything|all) (is )?unlocked\b", re.I)
_DEFAULT_UNLOCKS = re.compile(r"\s*default unlocks\b", re.I)
_EXCEPT = re.compile(r"\bexcept ([^;()]+)", re.I)
_UNDISCOVERED = re.compile(r"\beditions? ([^;()]+?) undiscovered", re.I)
_PROFILES = (
    'a list of the locked items; "everything unlocked"; '
    '"default unlocks only (except NAME, NAME; edition NAME undiscovered)"'
)


@dataclass
class Settings:
    """What a recording's installation decides.

    Attributes:
      locked: keys of items that its profile has not unlocked, and of editions it has not discovered.
      discovered: keys of items that it has not unlocked, yet discovered: the tags that need them are open.
      boss_order: int8[28], the bosses as its boss stream indexes them.
      to_do_order: int8[12], the poker hands as its To Do Lists draw them.
      sort_by_age: equal cards of the hand stand by age, as in the reference engine.
      boss_from_trace: its mod loader chooses other bosses from the same draws, so each boss is taken from the
        recorded states (oracle/README.md 1, item 2).
    """

    locked: tuple[str, ...] = ()
    discovered: tuple[str, ...] = ()
    boss_order: np.ndarray = field(default_factory=lambda: np.asarray(BOSS_POOL))
    to_do_order: np.ndarray = field(default_factory=lambda: np.asarray(HAND_WALK))
    sort_by_age: bool = False
    boss_from_trace: bool = False

    def closed(self) -> tuple[np.ndarray, np.ndarray]:
        """Masks of the items that are locked and of the tags that need something undiscovered."""
        items, tags = locked_masks(self.locked)
        for number, row in enumerate(TAGS.rows, start=1):
            tags[number] &= row["discovered"] not in self.discovered
        return items, tags


def _names(value: Any, what: str) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{what}: give a list of names, not {value!r}")
    return list(value)


def _order(kind: Kind, everything: np.ndarray, names: Any, what: str) -> np.ndarray:
    """The ids of the names first, then all others in their usual order."""
    first = [kind.find(name) for name in _names(names, what)]
    wrong = [kind.keys[number] for number in first if number not in everything]
    if wrong:
        raise InputError(f"{what}: {', '.join(wrong)} is not drawn from this list")
    if len(set(first)) != len(first):
        raise InputError(f"{what}: {', '.join(names)} names something twice")
    return np.array(first + [number for number in everything.tolist() if number not in first], np.int8)


def boss_order(names: Any) -> np.ndarray:
    """The bosses named first, then all others in key order.

    Raises:
      InputError, UnknownNameError: for anything but a list of different bosses.
    """
    return _order(BLINDS, np.asarray(BOSS_POOL), names, "boss order")


def hand_order(names: Any) -> np.ndarray:
    """The poker hands named first, then all others as the game walks them.

    Raises:
      InputError, UnknownNameError: for anything but a list of different hands.
    """
    return _order(HANDS, np.asarray(HAND_WALK), names, "To Do List order")


def locks(names: Any) -> tuple[str, ...]:
    """Items that are locked and editions that are undiscovered, from keys or names.

    Raises:
      InputError, UnknownNameError: for anything but a list of those.
    """
    locked = tuple(_names(names, "locked items"))
    for name in locked:
        try:
            locked_masks([name])
        except UnknownNameError as error:
            # Without the list of all 235 items.
            raise InputError(f"locked items: {str(error).split(' Allowed:')[0]}") from error
    return locked


def _split(text: str) -> list[str]:
    return [name for name in re.split(r",| and ", text) if name.strip()]


def _profile(profile: Any) -> dict[str, tuple[str, ...]]:
    """`Settings.locked` and `discovered` of a header's profile."""
    if profile is None:
        return {}
    if isinstance(profile, list):
        return {"locked": locks(profile)}
    if isinstance(profile, str) and _ALL_UNLOCKED.match(profile):
        return {}
    if not (isinstance(profile, str) and _DEFAULT_UNLOCKS.match(profile)):
        raise InputError(
            f"profile {profile!r} is not known; known: {_PROFILES}; "
            "or tell the locked items with --locked ('' for none)"
        )
    locked, discovered = default_locks(), tuple[str, ...]()
    named = locks([name for found in _EXCEPT.findall(profile) for name in _split(found)])
    unlocked = {ITEMS.keys[ITEMS.find(name)] for name in named if name.strip()}
    hidden = {
        EDITIONS.keys[EDITIONS.find(name)]
        for found in _UNDISCOVERED.findall(profile)
        for name in _split(found)
    }
    if hidden:
        # A text that says what is undiscovered says all of it: the profile of the save files has Blueprint locked,
        # yet Rare Tag, which needs Blueprint discovered, is offered in seed VEBROR8.
        locked = tuple(key for key in locked if key not in EDITIONS.keys or key in hidden)
        discovered = tuple(key for key in locked if key in ITEMS.keys)
    return {"locked": tuple(key for key in locked if key not in unlocked), "discovered": discovered}


def settings_of(header: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Settings:
    """The settings that a header tells, but for those given (fields of `Settings`).

    Raises:
      InputError, UnknownNameError: for a profile, boss order or To Do List order that means nothing.
    """
    given = dict(given or {})
    version = str(header.get("game_version", ""))
    told: dict[str, Any] = {
        "sort_by_age": "reference engine" in version,
        "boss_from_trace": _SMODS_1827B in version,
    }
    if "locked" not in given:
        told |= _profile(header.get("profile"))
    if "boss_order" not in given and header.get("boss_order") is not None:
        told["boss_order"] = boss_order(header["boss_order"])
    if "to_do_order" not in given and header.get("todo_order") is not None:
        told["to_do_order"] = hand_order(header["todo_order"])
    return Settings(**(told | given))
