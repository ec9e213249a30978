"""The public environment beside ours: `python experiments/bench_reference.py 255:1 1024:2` prints its rows as JSON.

Each batch is timed on one device, and split over as many as the number behind it says; with XLA's own options and,
where `--options` has any (as JSON), with those, too.

A process of its own: pgx does not run with 64-bit numbers, which importing jaxtro switches on.
"""

import argparse
import json
from typing import Any

import jax
import jax.numpy as jnp
from bench_timing import STEPS, compiled_loop, rates

REFERENCE = "sparrow_mahjong"


def bench_reference(sizes: list[tuple[int, int]], options: dict[str, Any]) -> list[dict[str, Any]]:
    """The same loop for pgx sparrow_mahjong.

    Args:
      sizes: batches and the devices to split them over, beside once on one device.
      options: for XLA, that our own loop is compiled with.

    Raises:
      ImportError: if pgx is not installed.
    """
    import pgx
    from pgx.experimental import auto_reset

    env, rows = pgx.make(REFERENCE), []
    step = auto_reset(env.step, env.init)
    for batch, parts in [(batch, parts) for batch, devices in sizes for parts in sorted({1, devices})]:

        def run(states: Any, key: jax.Array, here: int = batch // parts) -> Any:
            def one(states: Any, key: jax.Array) -> Any:
                chosen, moved = jax.random.split(key)
                logits = jnp.where(states.legal_action_mask, 0.0, -1e9)
                actions = jax.random.categorical(chosen, logits, axis=-1)
                states = jax.vmap(step)(states, actions, jax.random.split(moved, here))
                return states, jnp.sum(states.terminated)

            states, done = jax.lax.scan(one, states, jax.random.split(key, STEPS))
            return states, jnp.sum(done)

        states = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.key(1), batch))
        for told in ({}, options) if options else ({},):
            compiled, compile_s = compiled_loop(run, states, parts, told)
            rate, share = rates(compiled, states, batch)
            rows.append(
                {"what": f"pgx {REFERENCE}", "batch": batch, "devices": parts, "options": told, "steps_per_s": rate,
                 "games_per_s": rate * share, "compile_s": compile_s}
            )  # fmt: skip
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="+", help="batch:devices")
    parser.add_argument("--options", type=json.loads, default={}, help="for XLA, as JSON")
    args = parser.parse_args()
    wanted = [(int(batch), int(devices)) for batch, devices in (text.split(":") for text in args.sizes)]
    jax.config.update("jax_num_cpu_devices", max(devices for _, devices in wanted))
    print(json.dumps(bench_reference(wanted, args.options)))
