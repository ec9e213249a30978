"""Benchmark of whole games: a random legal policy with automatic resets, and a public environment beside it."""

import resource
import time
from typing import Any

import jax
import jax.numpy as jnp

import jaxtro
from jaxtro.agents.random_policy import random_action

STEPS = 32  # of every game in one timed call
CALLS = 5
REFERENCE = "sparrow_mahjong"


def _peak_bytes() -> int:
    """Peak memory: of the device where it can tell, else of this process so far."""
    stats = jax.devices()[0].memory_stats() or {}
    return int(stats.get("peak_bytes_in_use", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def _compiled(run: Any, carry: Any) -> tuple[Any, float]:
    """The compiled loop, and the seconds for tracing and compiling it."""
    start = time.perf_counter()
    compiled = jax.jit(run).lower(carry, jax.random.key(0)).compile()
    return compiled, time.perf_counter() - start


def _rates(compiled: Any, carry: Any, batch: int) -> tuple[float, float]:
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


def bench_run(batches: tuple[int, ...], scales: tuple[float, ...]) -> list[dict[str, Any]]:
    """Steps and games per second of the whole game, resets included.

    Args:
      batches: numbers of games. scales: factors of the blind targets (1 = the real game, 0 = every play wins).
    """
    rows = []
    env = jaxtro.AutoReset(jaxtro.make())
    shape = jax.eval_shape(env.reset, jax.random.key(0))[1].state
    state_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shape))
    for batch in batches:

        def run(games: Any, key: jax.Array, batch: int = batch) -> Any:
            def one(games: Any, key: jax.Array) -> Any:
                legal = jax.vmap(env.legal_actions)(games)
                actions = jax.vmap(random_action)(jax.random.split(key, batch), legal)
                _, games, _, terminated, truncated, _ = jax.vmap(env.step)(games, actions)
                return games, jnp.sum(terminated | truncated)

            games, done = jax.lax.scan(one, games, jax.random.split(key, STEPS))
            return games, jnp.sum(done)

        reset = jax.jit(jax.vmap(env.reset, in_axes=(0, None)))
        compiled = None
        for scale in scales:
            params = jaxtro.make_params(blind_scale=scale)
            games = reset(jax.random.split(jax.random.key(1), batch), params)[1]
            if compiled is None:
                compiled, compile_s = _compiled(run, games)
            rate, share = _rates(compiled, games, batch)
            rows.append(
                {
                    "what": "random legal policy", "batch": batch, "blind_scale": scale, "steps_per_s": rate,
                    "games_per_s": rate * share, "steps_per_game": 1 / share if share else None,
                    "compile_s": compile_s, "state_bytes": state_bytes, "peak_bytes": _peak_bytes(),
                }
            )  # fmt: skip
    return rows


def bench_reference(batches: tuple[int, ...]) -> list[dict[str, Any]]:
    """The same loop for pgx sparrow_mahjong.

    Raises:
      ImportError: if pgx is not installed.
    """
    import pgx
    from pgx.experimental import auto_reset

    env, rows = pgx.make(REFERENCE), []
    step = auto_reset(env.step, env.init)
    for batch in batches:

        def run(states: Any, key: jax.Array, batch: int = batch) -> Any:
            def one(states: Any, key: jax.Array) -> Any:
                chosen, moved = jax.random.split(key)
                logits = jnp.where(states.legal_action_mask, 0.0, -1e9)
                actions = jax.random.categorical(chosen, logits, axis=-1)
                states = jax.vmap(step)(states, actions, jax.random.split(moved, batch))
                return states, jnp.sum(states.terminated)

            states, done = jax.lax.scan(one, states, jax.random.split(key, STEPS))
            return states, jnp.sum(done)

        states = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.key(1), batch))
        compiled, compile_s = _compiled(run, states)
        rate, share = _rates(compiled, states, batch)
        rows.append(
            {"what": f"pgx {REFERENCE}", "batch": batch, "steps_per_s": rate, "games_per_s": rate * share,
             "compile_s": compile_s}
        )  # fmt: skip
    return rows
