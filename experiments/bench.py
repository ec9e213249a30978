"""Benchmarks.

`python experiments/bench.py`: whole games with a random legal policy, resets included: steps and games per
second, compile seconds, bytes of a state, peak memory, in the real game and with `--blind-scale 0`, where every
play wins and the games run through all antes, shops and packs. `--reference` times pgx sparrow_mahjong in the same
run (pip install pgx) and gives the ratio of steps per second.
The persistent compile cache stays off here (but for `start`), so compile seconds are those of a cold start.
`python experiments/bench.py rng`: draws per second, stream steps per second and seeds per second of a fixed
filter, each against the bare formulas on the same arrays in the same run (`ratio`), and compile times.
`python experiments/bench.py scoring`: hands scored per second with 0, 5 and 10 jokers, against the bare fold
of known amounts, and `best_play`.
`python experiments/bench.py train`: decisions per second of PPO: the rollout alone, the learner alone, both.
`python experiments/bench.py start`: seconds of a cold and of a warm start, of a single game and of a batch on one
device, up to the results of the first `reset` and the first `step`; medians of `--starts` processes each.
"""

import argparse
import functools
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from bench_run import bench_run
from bench_scoring import bench_scoring
from bench_start import bench_start
from bench_train import bench_train

import jaxtro
from jaxtro.devices import mesh_for, use_cores
from jaxtro.env import generation as gen
from jaxtro.env import rng
from jaxtro.seeds import query, search

BATCHES = {
    "run": (256, 1024, 4096),
    "rng": (256, 1024, 4096, 65536),
    "scoring": (4096,),
    "train": (256, 1024, 4096),
    "start": (1, 4096),
}
FILTER = ("j_blueprint in shop by ante 2", "tag_negative in tag at ante 2")
STREAMS = ("cdt{a}", "rarity{a}sho", "etperpoll{a}", "edisho{a}")
USES = 50  # uses of each stream in one timed call


def timed(
    function: Callable[..., Any], *args: Any, repeat: int = 5, options: dict[str, Any] | None = None
) -> tuple[float, float]:
    """Compile seconds, and the median seconds of a call; options are for XLA."""
    start = time.perf_counter()
    compiled = jax.jit(function, compiler_options=options).lower(*args).compile()
    compile_s = time.perf_counter() - start
    jax.block_until_ready(compiled(*args))
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        jax.block_until_ready(compiled(*args))
        times.append(time.perf_counter() - start)
    return compile_s, statistics.median(times)


def _bare(state: jax.Array, seed_hash: jax.Array, draw: bool) -> jax.Array:
    """The formulas alone, on numbers that stay in the loop."""

    def use(state: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        state = rng.step_stream(state)
        return state, rng.first_float(rng.generator_seed(state, seed_hash)) if draw else state

    return jax.lax.scan(use, state, None, length=USES)[1]


def _in_streams(streams: rng.Streams, ante: jax.Array, draw: bool) -> tuple[rng.Streams, jax.Array]:
    """The same uses through the run's data structure."""

    def use(streams: rng.Streams, _: None) -> tuple[rng.Streams, jax.Array]:
        if draw:
            peeked = rng.peek(streams, STREAMS, ante)
            return rng.commit(streams, peeked, (True,) * len(STREAMS)), peeked.u
        found = []
        for key in STREAMS:
            d, streams = rng.step(streams, key, ante)
            found.append(d)
        return streams, jnp.stack(found)

    return jax.lax.scan(use, streams, None, length=USES)


def bench_rng(batches: tuple[int, ...]) -> list[dict[str, Any]]:
    """Draws and stream steps per second, bare and inside `Streams`."""
    rows = []
    for batch in batches:
        seeds = jnp.asarray(jaxtro.random_seeds(0, batch))
        streams = jax.jit(jax.vmap(lambda seed: rng.start_streams(seed, 1, STREAMS)))(seeds)
        state = jnp.asarray(np.random.default_rng(0).random((batch, len(STREAMS))))
        hashes, ante = jnp.asarray(np.random.default_rng(1).random((batch, 1))), jnp.ones(batch, jnp.int32)
        uses = batch * len(STREAMS) * USES
        for name, draw in (("draws", True), ("stream steps", False)):
            bare_compile, bare = timed(functools.partial(_bare, draw=draw), state, hashes)
            real_compile, real = timed(jax.vmap(functools.partial(_in_streams, draw=draw)), streams, ante)
            rows.append(
                {
                    "what": name, "batch": batch, "per_s": uses / real, "bare_per_s": uses / bare,
                    "ratio": bare / real, "compile_s": real_compile, "bare_compile_s": bare_compile,
                }
            )  # fmt: skip
    return rows


def bench_search(batches: tuple[int, ...]) -> list[dict[str, Any]]:
    """Seeds per second of the fixed filter."""
    rules, wants, rows = gen.make_rules(), [query.parse(text) for text in FILTER], []
    plan = search.plan_for(wants, rules)
    for batch in batches:
        start = time.perf_counter()
        steps = search.search(wants, rules, plan, 0, batch)
        next(steps)
        first, times = time.perf_counter() - start, []
        for _ in range(5 if batch < 65536 else 2):
            start = time.perf_counter()
            next(steps)
            times.append(time.perf_counter() - start)
        rate = batch / statistics.median(times)
        rows.append({"what": "seeds", "batch": batch, "per_s": rate, "first_batch_s": first})
    return rows


def _reference(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the reference in the batches of our own rows, timed in a process of its own."""
    program = Path(__file__).with_name("bench_reference.py")
    sizes = sorted({(row["batch"], row["devices"]) for row in rows})
    wanted = [f"{batch}:{devices}" for batch, devices in sizes]
    command = [sys.executable, str(program), *wanted, "--options", json.dumps(jaxtro.compiler_options())]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ratio(rows: list[dict[str, Any]], reference: list[dict[str, Any]]) -> float:
    """Steps/s of the real game in the largest batch, against the reference in the same batch where it is fastest."""
    largest = max(row["batch"] for row in reference)
    ours = next(row for row in rows if row["batch"] == largest and row["blind_scale"] == 1.0)
    theirs = max(row["steps_per_s"] for row in reference if row["batch"] == largest)
    return ours["steps_per_s"] / theirs


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default="run", choices=tuple(BATCHES), help="what to measure")
    parser.add_argument(
        "--num-envs", "--batch", dest="batch", type=int, action="append",
        help=f"batch size, repeatable (default {BATCHES})",
    )  # fmt: skip
    parser.add_argument(
        "--blind-scale", type=float, action="append", help="factor of blind targets (default: 1 and 0)"
    )
    parser.add_argument("--reference", action="store_true", help="time pgx sparrow_mahjong, too")
    parser.add_argument(
        "--cores",
        type=int,
        help="cores of the CPU to split the games over in `run`, `train` and `scoring` (default: all)",
    )
    parser.add_argument("--starts", type=int, help="processes of each kind in `start` (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    batches = tuple(args.batch or BATCHES[args.what])
    if min(batches) < 1:
        parser.error("--batch must be 1 or more")
    if min(args.blind_scale or (0,)) < 0:
        parser.error("--blind-scale must be 0 or more")
    if args.starts is not None and (args.what != "start" or args.starts < 1):
        parser.error("--starts goes with `start` and must be 1 or more")
    if args.what == "start" and args.cores is not None:
        parser.error("--cores: `start` measures one device; leave it out")
    scales = tuple(args.blind_scale or (1.0, 0.0))
    try:
        if args.what != "start":  # the processes that it starts take the device
            use_cores(count=args.cores)
            for batch in batches:
                mesh_for(batch, args.cores)
    except ValueError as error:
        parser.error(f"--cores: {error}")
    what = {
        "run": lambda: bench_run(batches, scales, args.cores),
        "rng": lambda: bench_rng(batches) + bench_search(batches),
        "scoring": lambda: bench_scoring(
            batches, functools.partial(timed, options=jaxtro.compiler_options()), args.cores
        ),
        "train": lambda: bench_train(batches, args.cores),
        "start": lambda: bench_start(batches, args.starts or 5),
    }
    if args.reference and (args.what != "run" or 1.0 not in scales):
        parser.error("--reference compares the real game: it goes with `run` and a --blind-scale of 1")
    if args.reference and importlib.util.find_spec("pgx") is None:
        parser.error("--reference needs pgx, which is not installed (pip install pgx)")
    rows, ratio = what[args.what](), None
    if args.reference:
        reference = _reference(rows)
        ratio = _ratio(rows, reference)
        rows += reference
    device = jax.devices()[0]
    head = {
        "device": device.device_kind,
        "jax": jax.__version__,
        "python": platform.python_version(),
    } | ({"filter": FILTER} if args.what == "rng" else {})
    if args.json:
        print(json.dumps(head | ({"ratio": ratio} if args.reference else {}) | {"rows": rows}))
        return
    print(", ".join(f"{name} {value}" for name, value in head.items()))
    if ratio is not None:
        print(f"ratio to the reference: {ratio:.3f}")
    for row in rows:
        print("  ".join(f"{k} {v:,.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
