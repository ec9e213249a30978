"""Timing a loop of steps; without jaxtro, as the reference runs in a process without 64-bit numbers."""

import time
from typing import Any

import jax
import numpy as np

STEPS = 32  # of every game in one timed call
CALLS = 5


def compiled_loop(
    run: Any, carry: Any, devices: int = 1, options: dict[str, Any] | None = None
) -> tuple[Any, float]:
    """The compiled loop, and the seconds for tracing and compiling it.

    Args:
      run: (games, key) -> games, how many ended. carry: the games; they are split over so many devices.
      options: for XLA.
    """
    start = time.perf_counter()
    whole = run
    if devices > 1:
        mesh = jax.sharding.Mesh(np.array(jax.devices()[:devices]), ("games",))

        def part(carry: Any, key: jax.Array) -> Any:
            carry, ended = run(carry, jax.random.fold_in(key, jax.lax.axis_index("games")))
            return carry, jax.lax.psum(ended, "games")

        split, same = jax.P("games"), jax.P()
        whole = jax.shard_map(
            part, mesh=mesh, in_specs=(split, same), out_specs=(split, same), check_vma=False
        )
    compiled = jax.jit(whole, compiler_options=options).lower(carry, jax.random.key(0)).compile()
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
