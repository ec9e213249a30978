"""Timing a loop of steps; without jaxtro, as the reference runs in a process without 64-bit numbers."""

import time
from typing import Any

import jax

STEPS = 32  # of every game in one timed call
CALLS = 5


def compiled_loop(run: Any, carry: Any) -> tuple[Any, float]:
    """The compiled loop, and the seconds for tracing and compiling it."""
    start = time.perf_counter()
    compiled = jax.jit(run).lower(carry, jax.random.key(0)).compile()
    return compiled, time.perf_counter() - start


def rates(compiled: Any, carry: Any, batch: int) -> tuple[float, float]:
    """Steps per second (the median call), games ended per step."""
    carry, _ = compiled(carry, jax.random.key(0))  # games are at many different points from here on
    times, ended = [], 0
    for number in range(CALLS):
        start = time.perf_counter()
        carry, done = jax.block_until_ready(compiled(carry, jax.random.key(1 + number)))
        times.append(time.perf_counter() - start)
        ended += int(done)
    seconds = sorted(times)[len(times) // 2]
    return batch * STEPS / seconds, ended / (batch * STEPS * CALLS)
