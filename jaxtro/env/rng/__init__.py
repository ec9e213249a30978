"""Exact randomness: text hash, streams, generator, picks. See `../shared/rules/rng.md` for the numbers."""

from jaxtro.env.rng.generator import (
    first_float,
    generator_seed,
    next_float,
    seed_generator,
    shuffle,
    step_generator,
    step_stream,
    to_index,
    warm_generator,
)
from jaxtro.env.rng.hash import hash_seed, hash_text
from jaxtro.env.rng.picks import nth_member, pick, pick_where, pool_pick
from jaxtro.env.rng.streams import (
    NOT_STARTED,
    Peeked,
    Streams,
    commit,
    draw_from,
    enter_ante,
    peek,
    peek_successive,
    retry_uniforms,
    set_stream_state,
    start_streams,
    step,
    stream_id,
    stream_start,
    stream_state,
    uniform,
    use_successive,
)

__all__ = [
    "NOT_STARTED", "Peeked", "Streams", "commit", "draw_from", "enter_ante", "first_float", "generator_seed",
    "hash_seed", "hash_text", "next_float", "nth_member", "peek", "peek_successive", "pick", "pick_where",
    "pool_pick", "retry_uniforms", "seed_generator", "set_stream_state", "shuffle", "start_streams", "step",
    "step_generator", "step_stream", "stream_id", "stream_start", "stream_state", "to_index", "uniform",
    "use_successive", "warm_generator",
]  # fmt: skip
