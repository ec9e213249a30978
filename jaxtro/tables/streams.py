"""The random streams of the game (rng.md 4): texts, slots in the state, retry rows."""

import re

import numpy as np

from jaxtro.tables import _load

_ROWS = _load.read("streams")["rows"]
STREAM_KEYS: tuple[str, ...] = tuple(row["key"] for row in _ROWS)
STREAM_ID = {key: number for number, key in enumerate(STREAM_KEYS)}

ANTES_KEPT = 3  # the ante never falls below (highest so far) - 2, so three rows are exact (rng.md 13)


def _layout() -> dict[str, np.ndarray]:
    count = len(STREAM_KEYS)
    width = max(len(key.replace("{a}", "")) for key in STREAM_KEYS)
    prefix, suffix = np.zeros((count, width), np.uint8), np.zeros((count, width), np.uint8)
    prefix_len, suffix_len = np.zeros(count, np.int32), np.zeros(count, np.int32)
    by_ante = np.zeros(count, bool)
    slot, retry_slot = np.zeros(count, np.int32), np.full(count, -1, np.int32)
    next_slot = next_retry = 0
    for number, row in enumerate(_ROWS):
        head, mark, tail = row["key"].partition("{a}")
        by_ante[number] = bool(mark)
        for text, array, length in ((head, prefix, prefix_len), (tail, suffix, suffix_len)):
            array[number, : len(text)] = np.frombuffer(text.encode(), np.uint8)
            length[number] = len(text)
        rows = ANTES_KEPT if mark else 1
        slot[number], next_slot = next_slot, next_slot + rows
        if row["retry"]:
            retry_slot[number], next_retry = next_retry, next_retry + rows
    arrays: dict[str, np.ndarray] = dict(
        prefix=prefix, prefix_len=prefix_len, suffix=suffix, suffix_len=suffix_len,
        by_ante=by_ante, slot=slot, retry_slot=retry_slot,
        sizes=np.array([next_slot, next_retry]),
    )  # fmt: skip
    for array in arrays.values():
        array.setflags(write=False)
    return arrays


_LAYOUT = _layout()
PREFIX, PREFIX_LEN = _LAYOUT["prefix"], _LAYOUT["prefix_len"]
SUFFIX, SUFFIX_LEN = _LAYOUT["suffix"], _LAYOUT["suffix_len"]
BY_ANTE: np.ndarray = _LAYOUT["by_ante"]  # bool[114]: the text holds the ante
SLOT: np.ndarray = _LAYOUT["slot"]  # int32[114]: first slot of the stream in `Streams.states`
RETRY_SLOT: np.ndarray = _LAYOUT["retry_slot"]  # int32[114]: same for retry rows, -1 = never retried
NUM_SLOTS, NUM_RETRY_SLOTS = (int(size) for size in _LAYOUT["sizes"])


def parse_key(text: str) -> tuple[str, int, int] | None:
    """Splits a full stream text such as "Joker2sho1_resample3".

    Returns:
      (stream key "Joker2sho{a}", ante 1, retry level 3), level 1 for the stream itself and ante 1 where the
      text holds none; None when the game has no such stream.
    """
    base, _, level = text.partition("_resample")
    if "_resample" in text and not level.isdigit():
        return None
    for key in STREAM_KEYS:
        found = re.fullmatch(re.escape(key).replace(r"\{a\}", r"(-?\d+)"), base)
        if found:
            return key, int(found[1]) if found.groups() else 1, int(level or 1)
    return None
