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
from jaxtro.env.rng.picks import pick, pick_where, pool_pick
from jaxtro.env.rng.streams import (
    Streams,
    enter_ante,
    retry_uniform,
    start_streams,
    step,
    stream_start,
    uniform,
)

__all__ = [
    "Streams", "enter_ante", "first_float", "generator_seed", "hash_seed", "hash_text", "next_float", "pick",
    "pick_where", "pool_pick", "retry_uniform", "seed_generator", "shuffle", "start_streams", "step",
    "step_generator", "step_stream", "stream_start", "to_index", "uniform", "warm_generator",
]  # fmt: skip
