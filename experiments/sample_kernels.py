"""Which compiled kernels a step spends its time in, from samples of the running program (Linux, CPU).

    pip install pyelftools
    taskset -c 0 python experiments/sample_kernels.py --num-envs 2048

Runs the loop of `profile_step.py` under `perf record` and finds the kernel of every sample. XLA's own profiler adds
about as much to each kernel as most take, so it shows what runs often; this shows what is slow. XLA tells `perf`
nothing about the code that it makes: the kernels are found in memory by the code in the object files of the compiled
program. Kernels whose code is the same are one to XLA and here, too; those that are too short to be found count as
unknown. On more than one core XLA's threads also look for work in each other's queues, which counts as runtime.
"""

import bisect
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import tyro
from jax.experimental import serialize_executable
from profile_step import LoopArgs, compiled_loop, names_of, part_of

_ELF = b"\x7fELF\x02\x01\x01"
_LARGEST_OBJECT = 1 << 22
_WINDOW = 16  # bytes of code that are looked up at a time; functions start at multiples of it
_PER_SECOND = 2000


@dataclass(frozen=True)
class Args(LoopArgs):
    """Command line of the sampling profile."""

    seconds: float = 15.0
    """How long the loop runs under perf."""
    top: int = 40
    """Kernels to list."""


@dataclass(frozen=True)
class Code:
    """A section of an object file: its bytes, and its functions as (first byte, size, name)."""

    data: bytes
    functions: list[tuple[int, int, str]]


def code_of(program: bytes) -> Iterator[Code]:
    """The code in the object files of a serialized program."""
    from elftools.elf.elffile import ELFFile

    at = program.find(_ELF)
    while at >= 0:
        elf = ELFFile(io.BytesIO(program[at : at + _LARGEST_OBJECT]))
        functions: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
        symbols: Any = elf.get_section_by_name(".symtab")
        for symbol in symbols.iter_symbols():
            if symbol["st_info"]["type"] == "STT_FUNC" and isinstance(symbol["st_shndx"], int):
                functions[symbol["st_shndx"]].append((symbol["st_value"], symbol["st_size"], symbol.name))
        for section, found in functions.items():
            yield Code(elf.get_section(section).data(), found)
        at = program.find(_ELF, at + len(_ELF))


def kernels_in_memory(program: bytes) -> list[tuple[int, int, str]]:
    """Where this process has the kernels of a program that it runs: (first address, last, name), sorted."""
    places: dict[bytes, list[int]] = defaultdict(list)
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            addresses, rights, *rest = line.split()
            if "x" not in rights or len(rest) > 3:  # code of a file
                continue
            first, last = (int(address, 16) for address in addresses.split("-"))
            memory.seek(first)
            code = memory.read(last - first)
            for at in range(0, len(code) - _WINDOW, _WINDOW):
                places[code[at : at + _WINDOW]].append(first + at)
    found = []
    for section in code_of(program):
        votes: Counter[int] = Counter()
        for at in range(0, min(len(section.data), 1 << 12) - _WINDOW, _WINDOW):
            seen = places.get(section.data[at : at + _WINDOW], ())
            if len(seen) <= 4:  # others are in too many kernels to tell
                votes.update(address - at for address in seen)
        if votes:
            start = votes.most_common(1)[0][0]
            found += [(start + first, start + first + size, name) for first, size, name in section.functions]
    return sorted(found)


def samples(run: Callable[[], None], seconds: float) -> tuple[list[tuple[int, str]], int]:
    """Runs a function again and again under perf. -> the samples (address, its symbol if perf knows it), runs made"""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "perf.data")
        command = ["perf", "record", "-F", str(_PER_SECOND), "-o", file, "-p", str(os.getpid())]
        perf = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        end, runs = time.perf_counter() + seconds, 0
        while time.perf_counter() < end and perf.poll() is None:
            run()
            runs += 1
        perf.send_signal(signal.SIGINT)
        _, errors = perf.communicate()
        if not Path(file).exists():
            raise RuntimeError(f"perf recorded nothing: {errors.strip()}")
        script = ["perf", "script", "-i", file, "-F", "ip,sym"]
        lines = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [line.split(maxsplit=1) for line in lines if line.strip()]
    return [(int(address, 16), (symbol or ["?"])[0]) for address, *symbol in found], runs


def sample(args: Args) -> dict[str, Any]:
    """Compiles, runs and adds up."""
    # A program from the cache is written down without its object files.
    jax.config.update("jax_enable_compilation_cache", False)
    steps = 32
    compiled, games = compiled_loop(args.num_envs, steps, args.blind_scale)
    keys = iter(jax.random.split(jax.random.key(2), 100_000))

    def run() -> None:
        nonlocal games
        games, _ = jax.block_until_ready(compiled(games, next(keys)))

    run()
    table = kernels_in_memory(serialize_executable.serialize(compiled)[0])
    firsts = [first for first, _, _ in table]
    start = time.process_time()
    found, runs = samples(run, args.seconds)
    microseconds = 1e6 * (time.process_time() - start) / max(runs * steps * args.num_envs, 1)
    names = names_of(compiled.as_text() or "")
    parts: Counter[str] = Counter()
    kernels: Counter[tuple[str, str]] = Counter()
    for address, symbol in found:
        at = bisect.bisect_right(firsts, address) - 1
        if at >= 0 and address < table[at][1]:
            kernel = re.sub(r"_kernel$", "", table[at][2])
            part = part_of(names.get(kernel, ""))
            kernels[kernel, "/".join(names.get(kernel, "").split("/")[-4:])] += 1
        else:
            part = "unknown kernels" if symbol.startswith("[unknown]") else "runtime"
            kernels["-", symbol[:100]] += 1
        parts[part] += 1
    count = max(len(found), 1)
    return {
        "num_envs": args.num_envs, "blind_scale": args.blind_scale, "samples": len(found),
        "cpu_us_per_game_step": microseconds,
        "parts": [{"part": part, "share": number / count} for part, number in parts.most_common()],
        "kernels": [
            {"kernel": kernel, "made_from": made_from, "share": number / count}
            for (kernel, made_from), number in kernels.most_common(args.top)
        ],
    }  # fmt: skip


def problem(args: Args) -> str | None:
    """What keeps this from running, if anything."""
    if args.num_envs < 1 or not args.blind_scale >= 0 or not args.seconds > 0 or args.top < 0:
        return "--num-envs is 1 or more, --seconds more than 0, --blind-scale and --top 0 or more"
    if jax.default_backend() != "cpu":
        return "it finds CPU kernels only; start it with JAX_PLATFORMS=cpu"
    if shutil.which("perf") is None:
        return "it needs Linux's perf (package linux-perf or linux-tools)"
    try:
        import elftools  # noqa: F401
    except ImportError:
        return "it needs pyelftools: pip install pyelftools"
    return None


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    args = tyro.cli(Args, description=__doc__, args=argv)
    if (wrong := problem(args)) is not None:
        print(f"sample_kernels: {wrong}", file=sys.stderr)
        return 2
    report = sample(args)
    if args.json:
        print(json.dumps(report))
        return 0
    print(f"{report['cpu_us_per_game_step']:.2f} us of CPU a game step, {report['samples']} samples")
    for row in report["parts"]:
        us = row["share"] * report["cpu_us_per_game_step"]
        print(f"{row['part']:<18}{us:>8.2f} us {row['share']:>6.1%}")
    for row in report["kernels"]:
        us = row["share"] * report["cpu_us_per_game_step"]
        print(f"{us:>8.3f} us {row['share']:>6.2%}  {row['kernel']}  {row['made_from']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
