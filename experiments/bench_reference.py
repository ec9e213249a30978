"""The public environment beside ours: `python experiments/bench_reference.py 256 1024` prints its rows as JSON.

A process of its own: pgx does not run with 64-bit numbers, which importing jaxtro switches on.
"""

import json
import sys
from typing import Any

import jax
import jax.numpy as jnp
from bench_timing import STEPS, compiled_loop, rates

REFERENCE = "sparrow_mahjong"


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
        compiled, compile_s = compiled_loop(run, states)
        rate, share = rates(compiled, states, batch)
        rows.append(
            {"what": f"pgx {REFERENCE}", "batch": batch, "steps_per_s": rate, "games_per_s": rate * share,
             "compile_s": compile_s}
        )  # fmt: skip
    return rows


if __name__ == "__main__":
    print(json.dumps(bench_reference(tuple(int(batch) for batch in sys.argv[1:]))))
