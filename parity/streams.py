"""Comparing the random streams of a recorded state with those of the run.

A recording has a stream's number after its latest use. The same number of the run is compared bit for bit; how often
the stream was used is found only for the message.
"""

import functools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

import jaxtro
from jaxtro.env import rng
from jaxtro.tables import streams as table

_CHUNK = 400  # uses that one call looks at
_SEARCHED = 50 * _CHUNK  # uses after which a number counts as none of the stream's
_FIRST_RETRY = 2  # the first redraw uses the stream `<name>_resample2`

# A stream: its key in the stream table, its ante (1 for streams of the whole run), its retry level (1 = itself).
Stream = tuple[str, int, int]


def stream_name(stream: Stream) -> str:
    """The text of a stream as saves write it: "Joker2sho1_resample3"."""
    key, ante, level = stream
    text = key.replace("{a}", str(ante))
    return text if level == 1 else f"{text}_resample{level}"


@functools.lru_cache(maxsize=4096)
def parse_stream(text: str) -> Stream | None:
    """The stream of a text; None when the game has no such stream."""
    return table.parse_key(text)


# --- how often a stream was used ---------------------------------------------------------------------------


@functools.cache
def _programs() -> tuple[Any, Any]:
    """Compiled: starts of streams, and the next numbers of a stream."""

    def walk(state: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.lax.scan(lambda state, _: (rng.step_stream(state), state), state, None, length=_CHUNK)

    starts = jax.vmap(rng.stream_start, in_axes=(0, 0, 0, None))
    return jax.jit(starts), jax.jit(walk)


@functools.lru_cache(maxsize=4096)
def _numbers(seed: str, stream: Stream, chunk: int) -> tuple[float, np.ndarray]:
    """A stream's numbers after the uses of a chunk, and the number of the use behind them."""
    starts, walk = _programs()
    key, ante, level = stream
    if chunk:
        first = _numbers(seed, stream, chunk - 1)[0]
    else:
        one = [np.array([value], np.int32) for value in (table.STREAM_ID[key], ante, level)]
        first = starts(*one, jaxtro.encode_seed(seed))[0]
    after, numbers = walk(np.float64(first))
    return float(after), np.asarray(numbers)


def number_after(seed: str, stream: Stream, uses: int) -> float:
    """The number of a stream after so many uses."""
    for chunk in range(uses // _CHUNK):  # in order: each chunk goes on from the one before
        _numbers(seed, stream, chunk)
    return float(_numbers(seed, stream, uses // _CHUNK)[1][uses % _CHUNK])


def times_used(seed: str, stream: Stream, number: float) -> int | None:
    """How often a stream was used, from its number; None if it is no number of the stream's first 20,000 uses."""
    for chunk in range(_SEARCHED // _CHUNK):
        found = np.flatnonzero(_numbers(seed, stream, chunk)[1] == number)
        if len(found):
            return chunk * _CHUNK + int(found[0])
    return None


# --- the streams of a run ----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=256)
def _kept(highest_ante: int, retries: bool) -> list[tuple[str, int]]:
    """Key and ante of every slot of the streams' numbers, or of every row of the retry counters."""
    first, count = (table.RETRY_SLOT, table.NUM_RETRY_SLOTS) if retries else (table.SLOT, table.NUM_SLOTS)
    kept: list[tuple[str, int]] = [("", 0)] * count
    for number, key in enumerate(table.STREAM_KEYS):
        if first[number] < 0:
            continue
        for ring in range(table.ANTES_KEPT if table.BY_ANTE[number] else 1):
            ante = highest_ante - (highest_ante - ring) % table.ANTES_KEPT if table.BY_ANTE[number] else 1
            kept[int(first[number]) + ring] = key, ante
    return kept


@functools.lru_cache(maxsize=256)
def _starts(seed: str, highest_ante: int) -> np.ndarray:
    """The numbers of all slots before any use."""
    kept = _kept(highest_ante, retries=False)
    rows = np.array([table.STREAM_ID[key] for key, _ in kept], np.int32)
    antes = np.array([ante for _, ante in kept], np.int32)
    return np.asarray(_programs()[0](rows, antes, np.ones_like(rows), jaxtro.encode_seed(seed)))


def used_since(streams: Any, before: Any, seed: str) -> Iterator[Stream]:
    """The streams that were used after a moment of the run, with their retry levels.

    The streams of a new ante are started when it is entered; that changes numbers, but is no use.

    Args:
      streams: of the run now. before: of that moment, None for the start of the run.
    """
    highest = int(streams.highest_ante)
    old_ante = highest if before is None else int(before.highest_ante)
    starts = _starts(seed, highest)
    for slot, (key, ante) in enumerate(_kept(highest, retries=False)):
        fresh = before is None or ("{a}" in key and ante > old_ante) or before.states[slot] == rng.NOT_STARTED
        if (
            streams.states[slot] != rng.NOT_STARTED
            and streams.states[slot] != (starts if fresh else before.states)[slot]
        ):
            yield key, ante, 1
    levels = streams.retry_counts.shape[1]
    for row, (key, ante) in enumerate(_kept(highest, retries=True)):
        counts, deep = streams.retry_counts[row].astype(int), streams.retry_deep[row]
        if not counts.any():
            continue
        if before is not None and not ("{a}" in key and ante > old_ante):
            counts = counts - before.retry_counts[row]
            deep = np.where(before.retry_deep[row] == 0, deep, 0)
        deepest = max(levels + 1, int(deep.max()))
        for level in range(_FIRST_RETRY, deepest + 1):
            if level > levels + 1 or counts[level - _FIRST_RETRY]:
                yield key, ante, level


def number_of(streams: Any, stream: Stream, seed: str) -> float | None:
    """The number of a stream of the run; None for an ante that the run no longer keeps or has not entered."""
    key, ante, level = stream
    row, by_ante = table.STREAM_ID[key], "{a}" in key
    if by_ante and not 0 <= int(streams.highest_ante) - ante < table.ANTES_KEPT:
        return None
    ring = ante % table.ANTES_KEPT if by_ante else 0
    if level == 1:
        state = float(streams.states[table.SLOT[row] + ring])
        return number_after(seed, stream, 0) if state == rng.NOT_STARTED else state
    if table.RETRY_SLOT[row] < 0:
        return None
    place = int(table.RETRY_SLOT[row]) + ring
    # The run counts the uses of retry levels instead of keeping their numbers.
    if level - _FIRST_RETRY < streams.retry_counts.shape[1]:
        uses = int(streams.retry_counts[place, level - _FIRST_RETRY])
    else:
        uses = int(np.sum(streams.retry_deep[place] >= level))
    return number_after(seed, stream, uses)


def compare_streams(
    expected: dict[str, float], streams: Any, before: Any, seed: str, complete: bool, foreign: bool = False
) -> list[tuple[str, Any, Any]]:
    """Streams whose number differs, as (field, uses expected, uses made).

    Streams of antes that the run no longer keeps (more than two below the highest) are left out.

    Args:
      expected: stream text -> number after its latest use. streams: of the run.
      before: of the run at the moment since which a used stream must be listed, None = its start.
      complete: every stream that was used since then is listed.
      foreign: streams that the game does not have (a mod loader's) may be listed.
    """
    differences: list[tuple[str, Any, Any]] = []
    listed = set()
    for text, number in expected.items():
        stream = parse_stream(text)
        if stream is None:
            if not foreign:
                differences.append((f"rng.{text}", number, "(no such stream)"))
            continue
        listed.add(stream)
        if "{a}" in stream[0] and stream[1] <= int(streams.highest_ante) - table.ANTES_KEPT:
            continue
        made = number_of(streams, stream, seed)
        if number != made:
            differences.append((f"rng.{text} (uses)", *_uses(seed, stream, number, made)))
    if complete:
        for stream in used_since(streams, before, seed):
            if stream not in listed:
                differences.append((f"rng.{stream_name(stream)} (uses)", "not used", "used"))
    return differences


def _uses(seed: str, stream: Stream, expected: float, made: float | None) -> tuple[Any, Any]:
    """How often a stream was used; the numbers themselves where that cannot be told."""
    wanted = times_used(seed, stream, expected)
    got = 0 if made is None else times_used(seed, stream, made)
    return (
        f"{expected!r}, not one of its numbers" if wanted is None else wanted,
        f"{made!r}, not one of its numbers" if got is None else got,
    )
