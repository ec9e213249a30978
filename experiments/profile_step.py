"""Where the time of a step goes: self time, kernels and program size by handler, stage and other parts.

    python experiments/profile_step.py --num-envs 1024
    python experiments/profile_step.py --num-envs 1024 --blind-scale 0 --json

Runs the loop of `bench.py` (random legal policy, automatic resets) under the profiler and adds up what each kernel
took under the name of the part that it was compiled from. Self time is that of kernels without those inside them. The
numbers are those of a profiled run, which is a little slower than the benchmark.
"""

import json
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import tyro

import jaxtro
from jaxtro.agents.random_policy import random_action
from jaxtro.compile_cache import enable_compile_cache
from jaxtro.env.step import SCOPE

_PART = re.compile(rf"{SCOPE}(\w+)")


@dataclass(frozen=True)
class LoopArgs:
    """What both profiles of the loop take."""

    num_envs: int = 1024
    """Games at a time."""
    blind_scale: float = 1.0
    """Factor of the blind targets (0 = every play wins, so that all parts of the rule book occur)."""
    json: bool = False
    """Print JSON instead of a table."""


@dataclass(frozen=True)
class Args(LoopArgs):
    """Command line of the profile."""

    steps: int = 32
    """Steps of every game in the profiled call."""
    top: int = 0
    """Also list so many of the kernels that take longest, and of those that run most often."""
    program: Path | None = None
    """Also write the compiled program (XLA's text) to this file, to look up what a kernel does."""


def names_of(program: str) -> dict[str, str]:
    """What each instruction of a compiled program was made from; empty where it does not say.

    Inside of a kernel (`calls.in_one_kernel`) names begin anew: there it is the name of what calls it, if that names a
    part and the instruction does not.
    """
    found: dict[str, str] = {}
    inside: dict[str, str] = {}  # the computation of each instruction
    callers: dict[str, str] = {}  # an instruction that calls a computation
    computation = ""
    for line in program.splitlines():
        begins = re.match(r"(?:ENTRY )?%(\S+) .*\{$", line)
        if begins is not None:
            computation = begins.group(1)
        match = re.match(r"\s*(?:ROOT )?%(\S+) = ", line)
        if match is None:
            continue
        name = re.search(r'op_name="([^"]*)"', line)
        found[match.group(1)] = name.group(1) if name else ""
        inside[match.group(1)] = computation
        for called in re.findall(r"(?:to_apply|body|condition|calls)=%([\w.\-]+)", line):
            callers[called] = match.group(1)
    return {instruction: _named(instruction, found, inside, callers) for instruction in found}


def _named(instruction: str, found: dict[str, str], inside: dict[str, str], callers: dict[str, str]) -> str:
    caller: str | None = instruction
    while caller is not None and _PART.search(found[caller]) is None:
        caller = callers.get(inside[caller])
    return found[instruction if caller is None else caller]


def part_of(name: str) -> str:
    """The part that a name stands in; "other" if it says none."""
    match = _PART.search(name)
    return match.group(1) if match else "other"


def kernel_times(folder: Path) -> Iterator[tuple[str, float]]:
    """The kernels of a recorded profile with their self times in microseconds."""
    for path in folder.rglob("*.xplane.pb"):
        for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
            for line in plane.lines:
                events = []
                for event in line.events:
                    names = dict(event.stats)
                    if "hlo_op" in names:
                        events.append((event.start_ns, -event.duration_ns, str(names["hlo_op"])))
                yield from _self_times(sorted(events))


def _self_times(events: list[tuple[float, float, str]]) -> Iterator[tuple[str, float]]:
    """Of events (start, -duration, name) of one thread, each without those inside it."""
    open_events: list[list[Any]] = []  # end, name, self time
    for start, minus, name in events:
        while open_events and open_events[-1][0] <= start:
            _, ended, own = open_events.pop()
            yield ended, own / 1000
        if open_events:
            open_events[-1][2] += minus
        open_events.append([start - minus, name, -minus])
    for _, ended, own in open_events:
        yield ended, own / 1000


def compiled_loop(num_envs: int, steps: int, blind_scale: float) -> tuple[Any, Any]:
    """The loop (games, key) -> games, ended games, compiled, and games to start with."""
    env = jaxtro.AutoReset(jaxtro.make())

    def run(games: Any, key: jax.Array) -> Any:
        def one(games: Any, key: jax.Array) -> Any:
            with jax.named_scope(SCOPE + "legal_actions"):
                legal = jax.vmap(env.legal_actions)(games)
            with jax.named_scope(SCOPE + "policy"):
                actions = jax.vmap(random_action)(jax.random.split(key, num_envs), legal)
            _, games, _, terminated, truncated, _ = jax.vmap(env.step)(games, actions)
            return games, jnp.sum(terminated | truncated)

        games, done = jax.lax.scan(one, games, jax.random.split(key, steps))
        return games, jnp.sum(done)

    params = jaxtro.make_params(blind_scale=blind_scale)
    options = jaxtro.compiler_options()
    reset = jax.jit(jax.vmap(env.reset, in_axes=(0, None)), compiler_options=options)
    games = reset(jax.random.split(jax.random.key(1), num_envs), params)[1]
    program = jax.jit(run, compiler_options=options).lower(games, jax.random.key(0))
    return program.compile(), games


def profile(args: Args) -> dict[str, Any]:
    """Compiles, runs and adds up."""
    compiled, games = compiled_loop(args.num_envs, args.steps, args.blind_scale)
    program = compiled.as_text() or ""
    if args.program is not None:
        args.program.write_text(program)
    games, _ = jax.block_until_ready(compiled(games, jax.random.key(0)))
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            jax.block_until_ready(compiled(games, jax.random.key(1)))
        kernels = list(kernel_times(Path(folder)))
    return summed(kernels, names_of(program), args)


def summed(kernels: list[tuple[str, float]], names: dict[str, str], args: Args) -> dict[str, Any]:
    """The report: a row for each part, sorted by time."""
    time: dict[str, float] = defaultdict(float)
    runs: dict[str, int] = defaultdict(int)
    size: dict[str, int] = defaultdict(int)
    of_kernel: dict[str, float] = defaultdict(float)
    times_run: dict[str, int] = defaultdict(int)
    for made_from in names.values():
        size[part_of(made_from)] += 1
    for name, own in kernels:
        part = part_of(names.get(name, ""))
        time[part] += own
        runs[part] += 1
        of_kernel[name] += own
        times_run[name] += 1
    total, moves = sum(time.values()), args.num_envs * args.steps
    rows = [
        {
            "part": part, "us_per_game_step": time[part] / moves, "share": time[part] / total if total else 0.0,
            "kernels_per_step": runs[part] / args.steps, "instructions": size[part],
        }
        for part in sorted(size, key=lambda part: -time[part])
    ]  # fmt: skip
    longest = sorted(of_kernel, key=lambda name: -of_kernel[name])[: args.top]
    most_run = sorted(times_run, key=lambda name: -times_run[name])[: args.top]
    return {
        "num_envs": args.num_envs, "steps": args.steps, "blind_scale": args.blind_scale,
        "device": jax.devices()[0].device_kind, "us_per_game_step": total / moves,
        "kernels_per_step": len(kernels) / args.steps, "instructions": len(names), "parts": rows,
        "kernels": [
            {
                "kernel": name, "us_per_game_step": of_kernel[name] / moves, "per_step": times_run[name] / args.steps,
                "made_from": names.get(name, ""),
            }
            for name in dict.fromkeys([*longest, *most_run])
        ],
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    args = tyro.cli(Args, description=__doc__, args=argv)
    if args.num_envs < 1 or args.steps < 1 or not args.blind_scale >= 0:
        print("profile_step: --num-envs and --steps are 1 or more, --blind-scale 0 or more", file=sys.stderr)
        return 2
    enable_compile_cache()
    report = profile(args)
    if args.json:
        print(json.dumps(report))
        return 0
    print(
        f"{report['us_per_game_step']:.2f} us of kernels a game step, {report['kernels_per_step']:.0f} kernels a step "
        f"of {args.num_envs} games, {report['instructions']} instructions"
    )
    print(f"{'part':<18}{'us/step':>9}{'share':>8}{'kernels':>9}{'size':>8}")
    for row in report["parts"]:
        print(
            f"{row['part']:<18}{row['us_per_game_step']:>9.2f}{row['share']:>8.1%}{row['kernels_per_step']:>9.0f}"
            f"{row['instructions']:>8}"
        )
    for row in report["kernels"]:
        made_from = "/".join(row["made_from"].split("/")[-7:])
        print(
            f"{row['us_per_game_step']:>9.3f} us {row['per_step']:>7.1f} a step  {row['kernel']}  {made_from}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
