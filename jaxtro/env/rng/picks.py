"""Picking elements and pool slots (rng.md 2)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env.bits import lowest, members_of, to_bits
from jaxtro.env.calls import in_one_kernel
from jaxtro.env.loops import while_loop
from jaxtro.env.reductions import any_of
from jaxtro.env.rng.generator import to_index
from jaxtro.env.rng.streams import StreamKey, Streams, note_retries, retry_uniforms, stream_id, uniform
from jaxtro.tables.streams import RETRY_SLOT


def pick(
    streams: Streams,
    key: StreamKey,
    ante: Array,
    count: Array | int,
    when: Array | bool = True,
) -> tuple[Array, Streams]:
    """Picks one of `count` elements; counts from 0. -> int32[]"""
    u, streams = uniform(streams, key, ante, when)
    return to_index(u, jnp.asarray(count).astype(jnp.float64)), streams


@in_one_kernel
def nth_member(member: Array, u: Array) -> Array:
    """The place of the member that a float picks; N if there is none. bool[N], float64[] -> int32[]"""
    members = members_of(member)
    return members.places(to_index(u, members.count.astype(jnp.float64)), 1)[0]


def pick_where(
    streams: Streams,
    key: StreamKey,
    ante: Array,
    member: Array,
    when: Array | bool = True,
) -> tuple[Array, Streams]:
    """Picks among the places where `member` (bool[N]) is True, in order, as from a list without the rest.

    Returns:
      int32[]: the place, and the streams. With no member nothing is drawn and the place is N.
    """
    u, streams = uniform(streams, key, ante, jnp.asarray(when) & any_of(member))
    return nth_member(member, u), streams


def pool_pick(
    streams: Streams,
    key: StreamKey,
    ante: Array,
    is_open: Callable[[Array], Array],
    some_open: Array,
    count: Array | int,
    when: Array | bool = True,
) -> tuple[Array, Streams]:
    """Picks an open slot of an ordered pool, trying again on the retry streams as long as it takes.

    Args:
      streams: the run's streams.
      key: stream text or traced row of the stream table, of a stream with retries.
      ante: int32[].
      is_open: tells of a slot (int32[], from 0) whether the pool has its item now; False for a hole.
      some_open: bool[], whether any slot of the pool is open.
      count: int32[], size of the pool with its holes.
      when: bool[]; where False nothing is drawn and the slot means nothing.

    Returns:
      int32[]: the slot from 0, or -1 for the pool's fallback when every slot is closed (one draw is made).

    Raises:
      ValueError: for a stream without retries.
    """
    stream, when = stream_id(key), jnp.asarray(when)
    if not isinstance(stream, Array) and RETRY_SLOT[stream] < 0:
        raise ValueError(f"the stream {key!r} has no retries")
    size = jnp.where(some_open, jnp.asarray(count), 1).astype(jnp.float64)
    u, streams = uniform(streams, stream, ante, when)
    first = to_index(u, size)

    def again(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        _, depth, closed = carry
        slots = to_index(retry_uniforms(streams, stream, ante, depth + 1, closed), size)
        found = to_bits(jax.vmap(is_open)(slots))
        used = jnp.minimum(lowest(found), slots.shape[0] - 1)
        slot = jnp.sum(jnp.where(jnp.arange(slots.shape[0]) == used, slots, 0), dtype=jnp.int32)
        return slot, depth + 1 + used, found == 0

    closed = when & some_open & ~is_open(first)
    slot, depth, _ = while_loop(lambda carry: carry[2], again, (first, jnp.int32(1), closed))
    streams = note_retries(streams, stream, ante, depth)
    return jnp.where(some_open, slot, -1), streams
