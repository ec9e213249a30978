"""All random streams of a run: one number per key, stepped at every use (rng.md 1, 4, 13).

A stream's text is its key, the ante for ante-keyed ones, and the seed. Streams of the last three antes are
kept in a ring (row = ante mod 3); that is exact because the ante can fall by at most two. Retry streams
(`<key>_resample2`, 3, ...) are not stored as numbers: how often each was stepped is enough to get its state
back, and they are few.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.bits import lowest, to_bits
from jaxtro.env.calls import in_one_kernel
from jaxtro.env.compaction import compacted
from jaxtro.env.lookups import element
from jaxtro.env.loops import once_where, while_loop
from jaxtro.env.rng.generator import first_float, generator_seed, step_stream
from jaxtro.env.rng.hash import KeyTexts, hash_gapped, hash_keys, hash_seed, key_texts
from jaxtro.env.writes import put
from jaxtro.tables import streams as table

RETRY_LEVELS = 12  # levels 2..13 have a counter each
NOT_STARTED = -1.0  # stands in the slots of streams that were not started
RETRIES_AT_ONCE = 4  # levels that `retry_uniforms` looks at
DEEP_PICKS = 4  # picks that went deeper, each with its depth
# A text of the stream table, or a (traced) row of it.
StreamKey = str | int | Array

_RESAMPLE = np.frombuffer(b"_resample", np.uint8)


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
      retry_deep: uint16[98, 4], depths of the picks that went beyond level 13.
      highest_ante: int32[], antes above it have not been entered, nor those below the first whose slots are -1.
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
    """Decimal text of an integer in `width` places with gaps: uint8[width] and bool[width]."""
    powers = jnp.asarray([10**power for power in reversed(range(width - 1))], jnp.int32)
    size = jnp.abs(number)
    digits = ((size // powers) % 10 + ord("0")).astype(jnp.uint8)
    there = (size >= powers) | (powers == 1)
    minus = jnp.full(1, ord("-"), jnp.uint8)
    return jnp.concatenate([minus, digits]), jnp.concatenate([(number < 0)[None], there])


def stream_text(stream: Array | int, ante: Array, level: Array | int, seed: Array) -> tuple[Array, Array]:
    """The full text of a stream, with gaps.

    Args:
      stream: int32[], row of the stream table. Give the plain number where it is known: the text gets shorter.
      ante: int32[], -999..999; not used by streams of the whole run.
      level: int32[], 1 for the stream itself (a plain 1 where it is known, as above), 2, 3, ... for its retries.
      seed: uint8[8].

    Returns:
      uint8[N] and bool[N], which of the bytes are there.
    """

    def part(texts: np.ndarray, lengths: np.ndarray) -> tuple[Array, Array]:
        if isinstance(stream, int):
            length = int(lengths[stream])
            return jnp.asarray(texts[stream, :length]), jnp.ones(length, bool)
        width = jnp.arange(texts.shape[1], dtype=jnp.int32)
        return element(texts, stream), width < element(lengths, stream)

    parts = [part(table.PREFIX, table.PREFIX_LEN)]
    if not isinstance(stream, int) or table.BY_ANTE[stream]:
        ante_text, ante_there = _digits(jnp.asarray(ante, jnp.int32), 4)
        parts.append((ante_text, ante_there & jnp.asarray(table.BY_ANTE)[stream]))
    parts.append(part(table.SUFFIX, table.SUFFIX_LEN))
    if not (isinstance(level, int) and level == 1):
        level = jnp.asarray(level, jnp.int32)
        level_text, level_there = _digits(level, 6)
        retried = level > 1
        parts.append((jnp.asarray(_RESAMPLE), jnp.broadcast_to(retried, _RESAMPLE.shape)))
        parts.append((level_text, level_there & retried))
    parts.append((seed, seed != 0))
    texts, there = zip(*parts, strict=True)
    return jnp.concatenate(texts), jnp.concatenate(there)


_RETRY_PREFIX = table.PREFIX[:, : table.PREFIX_LEN[table.RETRY_SLOT >= 0].max()]


def _retry_text(stream: Array, ante: Array, level: Array, seed: Array) -> tuple[Array, Array]:
    """`stream_text` of a retry (level 2, 3, ...), for the streams that have any: nothing stands behind their ante."""
    prefix = element(jnp.asarray(_RETRY_PREFIX), stream)
    there = jnp.arange(prefix.shape[0]) < element(jnp.asarray(table.PREFIX_LEN), stream)
    ante_text, ante_there = _digits(ante, 4)
    level_text, level_there = _digits(level, 6)
    by_ante = element(jnp.asarray(table.BY_ANTE), stream)
    texts = (prefix, ante_text, jnp.asarray(_RESAMPLE), level_text, seed)
    present = (there, ante_there & by_ante, jnp.ones(_RESAMPLE.shape, bool), level_there, seed != 0)
    return jnp.concatenate(texts), jnp.concatenate(present)


def stream_start(stream: Array | int, ante: Array, level: Array | int, seed: Array) -> Array:
    """The number a stream starts with: the hash of its text. -> float64[]"""
    return hash_gapped(*stream_text(stream, ante, level, seed))


@functools.cache
def _texts(which: tuple[int, ...]) -> KeyTexts:
    return key_texts([table.STREAM_KEYS[stream] for stream in which])


@functools.cache
def _start_slowly(which: tuple[int, ...]) -> Callable[..., Array]:
    """The starts of streams at an ante of any number of digits, in a loop over their texts."""
    rows = np.array(which, np.int32)
    starts = jax.vmap(stream_start, in_axes=(0, None, None, None))
    return compacted(lambda ante, seed: starts(jnp.asarray(rows), ante, 1, seed))


def _start_many(which: Sequence[int], ante: Array, seed: Array) -> Array:
    which = tuple(which)
    started = hash_keys(_texts(which), ante, seed)
    by_ante = table.BY_ANTE[list(which)]
    if not by_ante.any():
        return started
    # Almost all antes have one digit.
    others = (ante < 0) | (ante > 9)
    return jnp.where(others & by_ante, _start_slowly(which)(others, ante, seed), started)


def _chosen(keys: Sequence[str] | None) -> list[int]:
    """Rows of the stream table, shortest texts first, as neighbours are hashed together."""
    chosen = table.STREAM_KEYS if keys is None else keys
    return [table.STREAM_ID[key] for key in sorted(chosen, key=lambda key: len(key.replace("{a}", "1")))]


def start_streams(seed: Array, ante: Array | int = 1, keys: Sequence[str] | None = None) -> Streams:
    """The streams of a new run.

    Args:
      seed: uint8[8] of `jaxtro.encode_seed`.
      ante: int32[], the first ante (1 in every run of the game).
      keys: the stream keys that will be used, for programs that need only a few (seed search); all if None.

    Returns:
      `Streams` with the chosen streams of this ante started. Starting them together here and in `enter_ante` takes
      a few wide loops; starting each at its first draw would put a hash beside every draw of the compiled step.
    """
    ante = jnp.asarray(ante, jnp.int32)
    which = _chosen(keys)
    states = jnp.full(table.NUM_SLOTS, NOT_STARTED, jnp.float64)
    if which:
        slots = slot_of(np.array(which), ante)
        states = put(states, slots, _start_many(which, ante, seed))
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
    """Starts the ante-keyed streams of an ante that was never reached before; else changes nothing.

    That is one higher than any before, or one below the first (Hieroglyph, Petroglyph).
    """
    ante = jnp.asarray(ante, jnp.int32)
    which = [stream for stream in _chosen(keys) if table.BY_ANTE[stream]]
    new = ante > streams.highest_ante
    states, counts, deep = streams.states, streams.retry_counts, streams.retry_deep
    if which:
        slots = slot_of(np.array(which), ante)
        fresh = _start_many(which, ante, streams.seed)
        starts = new | (states[slots] == NOT_STARTED)
        states = put(states, slots, jnp.where(starts, fresh, states[slots]))
    retried = [int(table.RETRY_SLOT[stream]) for stream in which if table.RETRY_SLOT[stream] >= 0]
    if retried:
        rows = jnp.asarray(retried, jnp.int32) + ante % table.ANTES_KEPT
        counts = put(counts, rows, jnp.where(new, 0, counts[rows]))
        deep = put(deep, rows, jnp.where(new, 0, deep[rows]))
    return replace(
        streams,
        states=states,
        retry_counts=counts,
        retry_deep=deep,
        highest_ante=jnp.maximum(streams.highest_ante, ante),
    )


def _row_of(first: np.ndarray, stream: Array | np.ndarray | int, ante: Array) -> Array:
    # Both columns in one number: a traced row is looked up once.
    column = first * 2 + table.BY_ANTE
    found = element(jnp.asarray(column), stream) if isinstance(stream, Array) else column[stream]
    return (found >> 1) + jnp.where(found & 1, ante % table.ANTES_KEPT, 0).astype(jnp.int32)


def slot_of(stream: Array | np.ndarray | int, ante: Array) -> Array:
    """Where `Streams.states` keeps a stream (or each of several) at an ante."""
    return _row_of(table.SLOT, stream, ante)


def stream_id(key: StreamKey) -> Array | int:
    """Row of the stream table for a key such as "rarity{a}sho"; traced rows pass through."""
    return table.STREAM_ID[key] if isinstance(key, str) else key


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Peeked:
    """Uses of streams that were looked at and not yet made.

    Attributes:
      slots: int32[K]. states: float64[K], the numbers after the use. u: float64[K], the floats.
    """

    slots: Array
    states: Array
    u: Array


def peek(streams: Streams, keys: Sequence[str] | Array, ante: Array) -> Peeked:
    """Looks at the next use of K different streams at once, in one wide computation.

    Args:
      keys: K texts of the stream table, or int32[K] rows of it.
    """
    rows = keys if isinstance(keys, Array) else np.array([table.STREAM_ID[key] for key in keys])
    slots = slot_of(rows, ante)
    states = step_stream(element(streams.states, slots))
    return Peeked(slots, states, first_float(generator_seed(states, streams.seed_hash)))


def commit(streams: Streams, peeked: Peeked, when: Sequence[Array | bool]) -> Streams:
    """Makes those of the peeked uses whose `when` is True; the K streams must differ where it is."""
    if len(when) != peeked.slots.shape[0]:
        raise ValueError(f"{peeked.slots.shape[0]} uses were peeked at, `when` tells of {len(when)}")
    slots = jnp.where(jnp.stack([jnp.asarray(used) for used in when]), peeked.slots, table.NUM_SLOTS)
    return replace(streams, states=put(streams.states, slots, peeked.states))


def step(streams: Streams, key: StreamKey, ante: Array, when: Array | bool = True) -> tuple[Array, Streams]:
    """Uses a stream once: the seed of this use's generator (float64[]), and the streams after it.

    Args:
      streams: the run's streams.
      key: text of the stream table, or a traced row of it (int32[]).
      ante: int32[], the current ante.
      when: bool[]; where False nothing is stepped and the number means nothing.
    """
    slot = slot_of(stream_id(key), ante)
    old = element(streams.states, slot)
    new = step_stream(old)
    states = put(streams.states, slot, jnp.where(when, new, old))
    return generator_seed(new, streams.seed_hash), replace(streams, states=states)


def stream_state(streams: Streams, key: StreamKey, ante: Array) -> Array:
    """The number of a stream, for loops that carry it alone: `draw_from` draws, `set_stream_state` ends."""
    return element(streams.states, slot_of(stream_id(key), ante))


@in_one_kernel
def draw_from(state: Array, seed_hash: Array, when: Array | bool = True) -> tuple[Array, Array]:
    """One use of a stream given by its number. -> float64[] in [0, 1), the number afterwards"""
    new = step_stream(state)
    return first_float(generator_seed(new, seed_hash)), jnp.where(when, new, state)


def set_stream_state(streams: Streams, key: StreamKey, ante: Array, state: Array) -> Streams:
    """Puts the number of a stream back."""
    return replace(streams, states=put(streams.states, slot_of(stream_id(key), ante), state))


def uniform(
    streams: Streams, key: StreamKey, ante: Array, when: Array | bool = True
) -> tuple[Array, Streams]:
    """u(key) of rng.md: one float64 in [0, 1); arguments as for `step`."""
    slot = slot_of(stream_id(key), ante)
    u, state = draw_from(element(streams.states, slot), streams.seed_hash, when)
    return u, replace(streams, states=put(streams.states, slot, state))


def peek_successive(
    streams: Streams, key: StreamKey, ante: Array, count: int, needed: Array | bool = True
) -> tuple[Array, Array]:
    """Looks at the next `count` uses of one stream; `use_successive` makes some of them.

    With `needed` False in every game of a batch nothing is computed.

    Returns:
      float64[count]: the floats, and float64[count]: the states after 1, 2, ... uses.
    """
    state = element(streams.states, slot_of(stream_id(key), ante))

    def look(now: tuple[Array, Array]) -> tuple[Array, Array]:
        states = [step_stream(now[1][0])]
        for _ in range(count - 1):
            states.append(step_stream(states[-1]))
        stacked = jnp.stack(states)
        return first_float(generator_seed(stacked, streams.seed_hash)), stacked

    start = jnp.zeros(count, jnp.float64), jnp.broadcast_to(state, (count,))
    u, states = once_where(jnp.asarray(needed), look, start)
    return u, states


def use_successive(streams: Streams, key: StreamKey, ante: Array, states: Array, times: Array) -> Streams:
    """Makes the first `times` (int32[], 0..count) of the uses that `peek_successive` looked at."""
    slot = slot_of(stream_id(key), ante)
    value = jnp.where(times > 0, element(states, jnp.maximum(times, 1) - 1), element(streams.states, slot))
    return replace(streams, states=put(streams.states, slot, value))


def _retry_counts(counts: Array, deep: Array, row: Array, levels: Array) -> Array:
    """How often some retry levels (2, 3, ...) of a retry row were stepped. int32[L] -> int32[L]"""
    counts = element(counts, row).astype(jnp.int32)
    counted = jnp.where(levels[:, None] == 2 + jnp.arange(RETRY_LEVELS), counts, 0)
    deep = element(deep, row) >= levels[:, None]
    return jnp.where(levels < 2 + RETRY_LEVELS, jnp.sum(counted, axis=1), jnp.sum(deep, axis=1)).astype(
        jnp.int32
    )


def _retried(stream: Array, ante: Array, levels: Array, seed: Array, seed_hash: Array, times: Array) -> Array:
    """The floats of some levels of a stream that were stepped so many times before, for the games with a retry."""

    def one(level: Array, times: Array) -> Array:
        return while_loop(
            lambda carry: carry[1] > 0,
            lambda carry: (step_stream(carry[0]), carry[1] - 1),
            (step_stream(hash_gapped(*_retry_text(stream, ante, level, seed))), times),
        )[0]

    return first_float(generator_seed(jax.vmap(one)(levels, times), seed_hash))


_RETRIED = compacted(_retried)


def retry_uniforms(
    streams: Streams, stream: Array | int, ante: Array, level: Array, when: Array | bool = True
) -> Array:
    """The floats of the next uses of a retry level and the levels behind it; `note_retries` records those made.

    In a batch only the games with `when` are computed. Several levels are computed at once, as most of what a retry
    costs in a batch is the number of its kernels.

    Returns:
      float64[RETRIES_AT_ONCE].
    """
    return _retry_floats(
        streams.retry_counts,
        streams.retry_deep,
        streams.seed,
        streams.seed_hash,
        jnp.asarray(stream, jnp.int32),
        jnp.asarray(ante, jnp.int32),
        jnp.asarray(level, jnp.int32),
        jnp.asarray(when),
    )


@in_one_kernel
def _retry_floats(
    counts: Array,
    deep: Array,
    seed: Array,
    seed_hash: Array,
    stream: Array,
    ante: Array,
    level: Array,
    when: Array,
) -> Array:
    row = _row_of(table.RETRY_SLOT, stream, ante)
    levels = level + jnp.arange(RETRIES_AT_ONCE, dtype=jnp.int32)
    times = _retry_counts(counts, deep, row, levels)
    return _RETRIED(when, stream, ante, levels, seed, seed_hash, times)


def note_retries(streams: Streams, stream: Array | int, ante: Array, depth: Array) -> Streams:
    """Records a pick that used the retry levels 2..depth (depth 1: none)."""
    row = _row_of(table.RETRY_SLOT, stream, ante)
    counts, deep = element(streams.retry_counts, row), element(streams.retry_deep, row)
    levels = jnp.arange(2, 2 + RETRY_LEVELS, dtype=jnp.int32)
    used = (levels <= depth).astype(jnp.uint8)
    full = jnp.any((counts == 255) & (used == 1))
    beyond = depth >= 2 + RETRY_LEVELS
    free = to_bits(deep == 0)
    lost = beyond & ((free == 0) | (depth >= 65535))
    here = beyond & ~lost & (jnp.arange(DEEP_PICKS) == lowest(free))
    return replace(
        streams,
        retry_counts=put(streams.retry_counts, row, jnp.where(counts == 255, counts, counts + used)),
        retry_deep=put(streams.retry_deep, row, jnp.where(here, depth.astype(jnp.uint16), deep)),
        overflow=streams.overflow | full | lost,
    )
