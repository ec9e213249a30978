"""Benchmark of whole games: a random legal policy with automatic resets."""

import resource
from typing import Any

import jax
import jax.numpy as jnp
from bench_timing import STEPS, compiled_loop, rates

import jaxtro
from jaxtro.agents.random_policy import random_action
from jaxtro.devices import mesh_for


def _peak_bytes() -> int:
    """Peak memory: of the device where it can tell, else of this process so far."""
    stats = jax.devices()[0].memory_stats() or {}
    return int(stats.get("peak_bytes_in_use", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def bench_run(batches: tuple[int, ...], scales: tuple[float, ...], cores: int | None) -> list[dict[str, Any]]:
    """Steps and games per second of the whole game, resets included.

    Args:
      batches: numbers of games. scales: factors of the blind targets (1 = the real game, 0 = every play wins).
      cores: devices to split the games over; None = all that divide them evenly and pay.
    """
    rows = []
    env = jaxtro.AutoReset(jaxtro.make())
    shape = jax.eval_shape(env.reset, jax.random.key(0))[1].state
    state_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shape))
    for batch in batches:
        devices = mesh_for(batch, cores).size

        def run(games: Any, key: jax.Array, here: int = batch // devices) -> Any:
            def one(games: Any, key: jax.Array) -> Any:
                # The observation is carried along, so that the compiler cannot leave it out.
                legal = jax.vmap(env.legal_actions)(games[1])
                actions = jax.vmap(random_action)(jax.random.split(key, here), legal)
                observation, states, _, terminated, truncated, _ = jax.vmap(env.step)(games[1], actions)
                return (observation, states), jnp.sum(terminated | truncated)

            games, done = jax.lax.scan(one, games, jax.random.split(key, STEPS))
            return games, jnp.sum(done)

        options = jaxtro.compiler_options()
        reset = jax.jit(jax.vmap(env.reset, in_axes=(0, None)), compiler_options=options)
        compiled = None
        for scale in scales:
            params = jaxtro.make_params(blind_scale=scale)
            games = reset(jax.random.split(jax.random.key(1), batch), params)
            if compiled is None:
                compiled, compile_s = compiled_loop(run, games, devices, options)
            rate, share = rates(compiled, games, batch)
            rows.append(
                {
                    "what": "random legal policy", "batch": batch, "devices": devices, "blind_scale": scale,
                    "steps_per_s": rate, "games_per_s": rate * share, "steps_per_game": 1 / share if share else None,
                    "compile_s": compile_s, "state_bytes": state_bytes, "peak_bytes": _peak_bytes(),
                }
            )  # fmt: skip
    return rows
