"""Cold and warm start: `python experiments/bench.py start` runs this program once for each start.

`python experiments/bench_start.py 4096` prints the seconds of one start as JSON: those of importing and making the
environment, of the first `reset` and of the first `step` to their results, on one device. The process takes more than
their sum: Python's own start, and making the arguments. Programs are kept as our command lines keep them
(`compile_cache.keep`), so the folder in `JAX_COMPILATION_CACHE_DIR` tells whether a start is cold.

A process of its own for each start: what JAX has traced and XLA has loaded stays in a process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

PARTS = ("import_s", "reset_s", "step_s", "process_s")


def start(batch: int) -> dict[str, float]:
    """Seconds of one start in this process. batch: games of a `vmap`; 1: a single game, without."""
    begin = time.perf_counter()
    import jax

    import jaxtro
    from jaxtro.compile_cache import enable_compile_cache, keep

    enable_compile_cache()
    env, params = jaxtro.make(), jaxtro.make_params()
    import_s = time.perf_counter() - begin
    action = jaxtro.make_action(jaxtro.Kind.SELECT)
    if batch == 1:
        reset, step, keys, actions = env.reset, env.step, jax.random.key(0), action
    else:
        reset, step = jax.vmap(env.reset, in_axes=(0, None)), jax.vmap(env.step)
        keys = jax.random.split(jax.random.key(0), batch)
        actions = jax.tree.map(lambda value: jax.numpy.repeat(value[None], batch, 0), action)
    jax.block_until_ready((keys, params, actions))
    before = time.perf_counter()
    _, states = jax.block_until_ready(keep(jax.jit(reset), "reset", env.about)(keys, params))
    between = time.perf_counter()
    jax.block_until_ready(keep(jax.jit(step), "step", env.about)(states, actions))
    after = time.perf_counter()
    return {"import_s": import_s, "reset_s": between - before, "step_s": after - between}


def _process(batch: int, folder: str) -> dict[str, float]:
    """One start, and the seconds of its whole process. folder: of the compile cache."""
    command, begin = [sys.executable, __file__, str(batch)], time.perf_counter()
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": folder, "JAX_ENABLE_COMPILATION_CACHE": "true"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1]) | {"process_s": time.perf_counter() - begin}


def bench_start(batches: tuple[int, ...], repeat: int) -> list[dict[str, Any]]:
    """Seconds of cold starts (each with an empty cache) and of warm ones (the second with that cache).

    Args:
      batches: games of the `vmap` on one device; 1: a single game, without. repeat: starts of either kind.
    """
    rows = []
    for batch in batches:
        found: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
        for _ in range(repeat):
            with tempfile.TemporaryDirectory() as folder:
                for kind in found:
                    found[kind].append(_process(batch, folder))
        for kind, starts in found.items():
            medians = {part: statistics.median(each[part] for each in starts) for part in PARTS}
            spread = {"least_step_s": min(each["step_s"] for each in starts),
                      "most_step_s": max(each["step_s"] for each in starts)}  # fmt: skip
            rows.append({"what": f"{kind} start", "batch": batch, "starts": repeat} | medians | spread)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("batch", type=int, help="games of the vmap; 1: a single game, without")
    print(json.dumps(start(parser.parse_args().batch)))
