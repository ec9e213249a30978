"""All random streams of a run: one number per key, stepped at every use (rng.md 1, 4, 13).

A stream's text is its key, the ante for ante-keyed ones, and the seed. Streams of the last three antes are
kept in a ring (row = ante mod 3); that is exact because the ante can fall by at most two. Retry streams
(`<key>_resample2`, 3, ...) are not stored as numbers: how often each was stepped is enough to get its state
back, and they are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.rng.generator import first_float, generator_seed, step_stream
from jaxtro.env.rng.hash import hash_seed, hash_text
from jaxtro.tables import streams as table

# Longest text: 26 bytes of Voucher_fromtag_resample9 + digits of the level, and the seed.
MAX_TEXT = 48
RETRY_LEVELS = 12  # levels 2..13 have a counter each
DEEP_PICKS = 6  # picks that went deeper, each with its depth
_RESAMPLE = np.frombuffer(b"_resample", np.uint8)
MIN_ANTE, MAX_ANTE = -99, 999


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Streams:
    """Random state of one run.

    Attributes:
      seed: uint8[8], the seed text.
      seed_hash: float64[], its hash.
      states: float64[252], number of each stream; ante-keyed ones have three slots. Slots of streams that
        were not started are -1.
      retry_counts: uint8[98, 12], how often retry level 2..13 of a pool stream was stepped.
      retry_deep: uint16[98, 6], depths of the picks that went beyond level 13.
      highest_ante: int32[], antes above it have not been entered.
      overflow: bool[], sticky: more retries than the counters hold, so later draws may be inexact.
    """

    seed: Array
    seed_hash: Array
    states: Array
    retry_counts: Array
    retry_deep: Array
    highest_ante: Array
    overflow: Array


def _digits(number: Array, width: int) -> tuple[Array, Array]:
    """Decimal text of an integer: uint8[width], left aligned, and its length."""
    size = jnp.abs(number)
    minus = (number < 0).astype(jnp.int32)
    count = 1 + sum((size >= 10**power).astype(jnp.int32) for power in range(1, width))
    place = jnp.arange(width, dtype=jnp.int32) - minus
    powers = jnp.asarray([10**power for power in range(width)], jnp.int32)
    digit = (size // powers[jnp.clip(count - 1 - place, 0, width - 1)]) % 10
    text = jnp.where(place < 0, ord("-"), digit + ord("0"))
    return text.astype(jnp.uint8), count + minus


def stream_text(stream: Array, ante: Array, level: Array, seed: Array) -> tuple[Array, Array]:
    """The full text of a stream.

    Args:
      stream: int32[], row of the stream table.
      ante: int32[], -99..999; not used by streams of the whole run.
      level: int32[], 1 for the stream itself, 2, 3, ... for its retries.
      seed: uint8[8].

    Returns:
      uint8[48] and its length.
    """
    stream = jnp.asarray(stream, jnp.int32)
    ante_text, ante_len = _digits(jnp.asarray(ante, jnp.int32), 4)
    level_text, level_len = _digits(jnp.asarray(level, jnp.int32), 5)
    retried = jnp.asarray(level, jnp.int32) > 1
    by_ante = jnp.asarray(table.BY_ANTE)[stream]
    parts = (
        (jnp.asarray(table.PREFIX)[stream], jnp.asarray(table.PREFIX_LEN)[stream]),
        (ante_text, jnp.where(by_ante, ante_len, 0)),
        (jnp.asarray(table.SUFFIX)[stream], jnp.asarray(table.SUFFIX_LEN)[stream]),
        (jnp.asarray(_RESAMPLE), jnp.where(retried, len(_RESAMPLE), 0)),
        (level_text, jnp.where(retried, level_len, 0)),
        (seed, jnp.sum(seed != 0, dtype=jnp.int32)),
    )
    place = jnp.arange(MAX_TEXT, dtype=jnp.int32)
    text, start = jnp.zeros(MAX_TEXT, jnp.uint8), jnp.int32(0)
    for part, length in parts:
        here = place - start
        inside = (here >= 0) & (here < length)
        text = jnp.where(inside, part[jnp.clip(here, 0, part.shape[0] - 1)], text)
        start = start + length
    return text, start


def stream_start(stream: Array, ante: Array, level: Array, seed: Array) -> Array:
    """The number a stream starts with: the hash of its text. -> float64[]"""
    return hash_text(*stream_text(stream, ante, level, seed))


def _start_many(which: Sequence[int], antes: Sequence[Array], seed: Array) -> Array:
    hashes = jax.vmap(stream_start, in_axes=(0, 0, None, None))
    return hashes(jnp.asarray(which, jnp.int32), jnp.stack(antes), jnp.int32(1), seed)


def _chosen(keys: Sequence[str] | None) -> list[int]:
    return [table.STREAM_ID[key] for key in keys] if keys is not None else list(range(len(table.STREAM_KEYS)))


def start_streams(seed: Array, ante: Array | int = 1, keys: Sequence[str] | None = None) -> Streams:
    """The streams of a new run.

    Args:
      seed: uint8[8] of `jaxtro.encode_seed`.
      ante: int32[], the first ante (1 in every run of the game).
      keys: the stream keys that will be used, for programs that need only a few (seed search); all if None.

    Returns:
      `Streams` with the chosen streams of this ante and of the two below it started. Starting them together
      here and in `enter_ante` is one wide hash; starting each at its first draw would put a hash beside
      every draw of the compiled step.
    """
    ante = jnp.asarray(ante, jnp.int32)
    which, antes, slots = [], [], []
    for stream in _chosen(keys):
        for back in range(table.ANTES_KEPT if table.BY_ANTE[stream] else 1):
            which.append(stream)
            antes.append(ante - back)
            slots.append(slot_of(stream, ante - back))
    states = jnp.full(table.NUM_SLOTS, -1.0, jnp.float64)
    if which:
        states = states.at[jnp.stack(slots)].set(_start_many(which, antes, seed))
    return Streams(
        seed=seed,
        seed_hash=hash_seed(seed),
        states=states,
        retry_counts=jnp.zeros((table.NUM_RETRY_SLOTS, RETRY_LEVELS), jnp.uint8),
        retry_deep=jnp.zeros((table.NUM_RETRY_SLOTS, DEEP_PICKS), jnp.uint16),
        highest_ante=ante,
        overflow=jnp.bool_(False),
    )


def enter_ante(streams: Streams, ante: Array, keys: Sequence[str] | None = None) -> Streams:
    """Starts the ante-keyed streams of an ante that is higher than any before; else changes nothing."""
    ante = jnp.asarray(ante, jnp.int32)
    which = [stream for stream in _chosen(keys) if table.BY_ANTE[stream]]
    new = ante > streams.highest_ante
    states, counts, deep = streams.states, streams.retry_counts, streams.retry_deep
    if which:
        slots = jnp.stack([slot_of(stream, ante) for stream in which])
        fresh = _start_many(which, [ante] * len(which), streams.seed)
        states = states.at[slots].set(jnp.where(new, fresh, states[slots]))
    retried = [int(table.RETRY_SLOT[stream]) for stream in which if table.RETRY_SLOT[stream] >= 0]
    if retried:
        rows = jnp.asarray(retried, jnp.int32) + ante % table.ANTES_KEPT
        counts = counts.at[rows].set(jnp.where(new, 0, counts[rows]))
        deep = deep.at[rows].set(jnp.where(new, 0, deep[rows]))
    return replace(
        streams,
        states=states,
        retry_counts=counts,
        retry_deep=deep,
        highest_ante=jnp.maximum(streams.highest_ante, ante),
    )


def _row_of(first: np.ndarray, stream: Array | int, ante: Array) -> Array:
    ring = jnp.where(jnp.asarray(table.BY_ANTE)[stream], ante % table.ANTES_KEPT, 0)
    return jnp.asarray(first)[stream] + ring.astype(jnp.int32)


def slot_of(stream: Array | int, ante: Array) -> Array:
    """Where `Streams.states` keeps a stream at an ante."""
    return _row_of(table.SLOT, stream, ante)


def stream_id(key: str | Array) -> Array | int:
    """Row of the stream table for a key such as "rarity{a}sho"; traced rows pass through."""
    return table.STREAM_ID[key] if isinstance(key, str) else key


def step(
    streams: Streams, key: str | Array, ante: Array, when: Array | bool = True
) -> tuple[Array, Streams]:
    """Uses a stream once: the seed of this use's generator (float64[]), and the streams after it.

    Args:
      streams: the run's streams.
      key: text of the stream table, or a traced row of it (int32[]).
      ante: int32[], the current ante.
      when: bool[]; where False nothing is stepped and the number means nothing.
    """
    slot = slot_of(stream_id(key), ante)
    old = streams.states[slot]
    new = step_stream(old)
    states = streams.states.at[slot].set(jnp.where(when, new, old), mode="promise_in_bounds")
    return generator_seed(new, streams.seed_hash), replace(streams, states=states)


def uniform(
    streams: Streams, key: str | Array, ante: Array, when: Array | bool = True, rare: bool = False
) -> tuple[Array, Streams]:
    """u(key) of rng.md: one float64 in [0, 1); arguments as for `step`.

    With `rare` the arithmetic sits in a loop of at most one turn, so that a batch in which no game draws
    skips it; for draws that most games do not make (rentals, Illusion, the cards of one kind of pack).
    """
    if not rare:
        d, streams = step(streams, key, ante, when)
        return first_float(d), streams
    slot = slot_of(stream_id(key), ante)

    def draw(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        new = step_stream(carry[1])
        return jnp.bool_(False), new, first_float(generator_seed(new, streams.seed_hash))

    start = (jnp.asarray(when), streams.states[slot], jnp.float64(0))
    _, new, u = lax.while_loop(lambda carry: carry[0], draw, start)
    return u, replace(streams, states=streams.states.at[slot].set(new, mode="promise_in_bounds"))


def retry_count(streams: Streams, row: Array, level: Array) -> Array:
    """How often a retry level (2, 3, ...) of a retry row was stepped. -> int32[]"""
    counted = streams.retry_counts[row, jnp.clip(level - 2, 0, RETRY_LEVELS - 1)].astype(jnp.int32)
    deep = jnp.sum(streams.retry_deep[row] >= level, dtype=jnp.int32)
    return jnp.where(level < 2 + RETRY_LEVELS, counted, deep)


def retry_uniform(streams: Streams, stream: Array, ante: Array, level: Array) -> Array:
    """The float of the next use of a retry stream; `note_retries` records the use."""
    times = retry_count(streams, _row_of(table.RETRY_SLOT, stream, ante), level)
    start = step_stream(stream_start(stream, ante, level, streams.seed))
    state, _ = lax.while_loop(
        lambda carry: carry[1] > 0,
        lambda carry: (step_stream(carry[0]), carry[1] - 1),
        (start, times),
    )
    return first_float(generator_seed(state, streams.seed_hash))


def note_retries(streams: Streams, stream: Array, ante: Array, depth: Array) -> Streams:
    """Records a pick that used the retry levels 2..depth (depth 1: none)."""
    row = _row_of(table.RETRY_SLOT, stream, ante)
    counts, deep = streams.retry_counts[row], streams.retry_deep[row]
    levels = jnp.arange(2, 2 + RETRY_LEVELS, dtype=jnp.int32)
    used = (levels <= depth).astype(jnp.uint8)
    full = jnp.any((counts == 255) & (used == 1))
    beyond = depth >= 2 + RETRY_LEVELS
    first_free = jnp.argmin(deep != 0)
    lost = beyond & ((deep[first_free] != 0) | (depth >= 65535))
    here = beyond & ~lost & (jnp.arange(DEEP_PICKS) == first_free)
    return replace(
        streams,
        retry_counts=streams.retry_counts.at[row].set(
            jnp.where(counts == 255, counts, counts + used), mode="promise_in_bounds"
        ),
        retry_deep=streams.retry_deep.at[row].set(
            jnp.where(here, depth.astype(jnp.uint16), deep), mode="promise_in_bounds"
        ),
        overflow=streams.overflow | full | lost,
    )
