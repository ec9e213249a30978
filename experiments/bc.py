"""Clones an expert: plays games with it on the device, fits a network to what it does, and measures the network's play.

    python experiments/bc.py --expert planner --samples 200000 --out-dir runs/bc
    python experiments/bc.py --expert planner --dagger-rounds 2 --out-dir runs/dagger
    python experiments/bc.py --import-records steps.jsonl --out-dir runs/from_file
    python experiments/ppo.py --init-from runs/bc --out-dir runs/bc_ppo

The output folder gets config.json, metrics.jsonl, a checkpoint (`best`) and evaluation.json with the agreement on
held-out decisions (top-1: the likeliest action is the expert's; top-3: each part of the expert's action is among the
three likeliest there; top-1 also by phase) and the play on the evaluation seeds. Records and the checkpoint are written
in every round, so a run that is stopped has what it got; the last round counts. With --dagger-rounds the student
plays, too, and the expert says what it would have done.
"""

import json
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from evaluate import EXPERTS, lines_of
from tqdm import tqdm

import jaxtro
from jaxtro.agents.bc import CloneConfig, Steps, by_device, fit, make_collect, returns_of
from jaxtro.agents.checkpoint import CheckpointError, latest_step, save_checkpoint, write_json
from jaxtro.agents.evaluation import Player
from jaxtro.agents.metrics_log import MetricsLog
from jaxtro.agents.network import NetworkConfig, PolicyValue, Size, of_size
from jaxtro.agents.records import RecordError, read_records, write_records
from jaxtro.agents.results import summary
from jaxtro.agents.saved_policy import BEST, LAST, SavedPolicy, init_params
from jaxtro.agents.seed_lists import seed_list
from jaxtro.compile_cache import enable_compile_cache, keep
from jaxtro.devices import mesh_for, over_games, use_cores

LENGTH = 64  # decisions of each game in one call
GAMMA = 0.997


@dataclass(frozen=True)
class Args:
    """Command line of the cloning."""

    expert: Literal["random", "greedy", "planner"] = "planner"
    """Who is cloned."""
    samples: int = 200_000
    """Decisions to collect (each DAgger round collects as many)."""
    num_envs: int = 256
    """Games at a time."""
    cores: int | None = None
    """Without an accelerator: how many cores to split the games over. Default: all that divide them evenly."""
    dagger_rounds: int = 0
    """Further rounds in which the student plays half of the games and the expert labels all of them."""
    out_dir: Path = Path("runs/bc")
    """Folder for everything that is written."""
    seed: int = 0
    """Of the games and the network."""
    deck: str = "b_red"
    """Deck, by key or name."""
    stake: str = "stake_white"
    """Stake, by key or name."""
    max_steps: int = 1500
    """Decisions after which a run is cut off."""
    network: Size = "auto"
    """Sizes of the network; auto: small on CPUs, large on accelerators."""
    exact_plays: bool = True
    """Tell the network the best play and what each poker hand would score (docs/agents.md)."""
    temperature: float = 0.25
    """How the clone draws its actions when it plays: 1 as its policy says, 0 the likeliest, which can go in circles."""
    eval_seeds: int = 256
    """Seeds of the evaluation list to play at the end."""
    import_records: Path | None = None
    """JSON lines to learn from, instead of playing."""
    export_records: Path | None = None
    """Also write what was collected as JSON lines."""
    fit: CloneConfig = field(default_factory=CloneConfig)
    """The fit."""


class Collector:
    """Games that go on from one collection to the next."""

    def __init__(self, args: Args, config: NetworkConfig) -> None:
        self.args, self.env = args, jaxtro.AutoReset(jaxtro.make())
        params = jaxtro.make_params(args.deck, args.stake, max_steps=args.max_steps)
        keys = jax.random.split(jax.random.PRNGKey(args.seed), args.num_envs)
        mesh = mesh_for(args.num_envs)
        reset = over_games(jax.vmap(self.env.reset, in_axes=(0, None)), mesh, whole=(1,))
        self.carry = keep(jax.jit(reset), "reset of games", self.env.about, mesh.size)(keys, params)
        play = make_collect(self.env, EXPERTS[args.expert](), LENGTH, config, args.dagger_rounds > 0)
        about = (self.env.about, args.expert, LENGTH, config, args.dagger_rounds > 0, mesh.size)
        split = over_games(by_device(play), mesh, whole=(2, 3))
        self._collect = keep(jax.jit(split, donate_argnums=0), "collection", *about)
        self.calls, self.devices = 0, mesh.size

    def collect(self, student: Any, share: float, what: str) -> tuple[Steps, np.ndarray]:
        """Decisions [M] and the returns behind them. share: of the games that the student plays."""
        args, parts = self.args, []
        calls = -(-args.samples // (args.num_envs * LENGTH))
        for _ in tqdm(range(calls), desc=what, unit="call"):
            key = jax.random.fold_in(jax.random.PRNGKey(args.seed + 1), self.calls)
            self.calls += 1
            keys = jax.random.split(key, self.devices)
            self.carry, steps = self._collect(self.carry, keys, student, jnp.float32(share))
            parts.append(jax.device_get(steps))
        whole = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
        return whole, returns_of(whole, GAMMA)


def joined(one: Any, other: Any) -> Any:
    """Two sets of decisions as one."""
    return jax.tree.map(lambda a, b: np.concatenate([a, b]), one, other)


def clone(args: Args, config: NetworkConfig) -> dict[str, Any]:
    """Collects, fits, measures; returns the report."""
    net, log = PolicyValue(config), MetricsLog(args.out_dir, tensorboard=False)
    params = init_params(config, jax.random.PRNGKey(args.seed))
    report: dict[str, Any] = {"expert": args.expert}
    collector = None
    if args.import_records is not None:
        steps = read_records(args.import_records)
        returns = returns_of(steps, GAMMA)
        report["expert"] = str(args.import_records)
    else:
        collector = Collector(args, config)
        start = time.perf_counter()
        steps, returns = collector.collect(params, 0.0, f"{args.expert} plays")
        report["collect_seconds"] = time.perf_counter() - start
    for number in range(args.dagger_rounds + 1):
        if number and collector is not None:
            more, later = collector.collect(params, 0.5, f"round {number}: the student plays")
            steps, returns = joined(steps, more), np.concatenate([returns, later])
        if args.export_records is not None:
            print(f"{write_records(args.export_records, steps)} records in {args.export_records}")
        for fitted, figures in fit(net, params, steps, returns, args.fit, args.seed + number):  # noqa: B007
            log.write({"steps": figures["epoch"] + number * args.fit.epochs, "round": number} | figures)
            print(
                f"round {number}, epoch {figures['epoch']}: loss {figures['loss']:.3f}, top-1 {figures['top1']:.1%}, "
                f"top-3 {figures['top3']:.1%} of held-out decisions"
            )
        params = fitted
        report |= figures
        meta = {
            "config": {"network": config.as_dict()}, "steps": len(returns), "expert": report["expert"],
            "temperature": args.temperature,
        }  # fmt: skip
        save_checkpoint(args.out_dir / BEST, number + 1, {"params": params}, meta)
    log.close()
    student = SavedPolicy("clone", params, config, args.temperature)
    player = Player(jaxtro.make(), student, min(256, args.eval_seeds))
    seeds = seed_list("evaluation", args.eval_seeds)
    runs = player.play(seeds, jaxtro.make_params(args.deck, args.stake), max_steps=args.max_steps)
    return report | {"play": summary(runs)}


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    args = tyro.cli(Args, description=__doc__, args=argv)
    enable_compile_cache()
    try:
        use_cores(max(args.num_envs, 1), args.cores)
        jaxtro.make_params(args.deck, args.stake)
        for name in ("samples", "num_envs", "eval_seeds", "max_steps"):
            if getattr(args, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} must be 1 or more")
        seed_list("evaluation", args.eval_seeds)
        if not args.temperature >= 0:
            raise ValueError("--temperature must be 0 or more")
        if args.dagger_rounds < 0:
            raise ValueError("--dagger-rounds must be 0 or more")
        if args.export_records is not None and not args.export_records.absolute().parent.is_dir():
            raise ValueError(f"{args.export_records}: there is no such folder to write to")
        if args.import_records is not None and args.dagger_rounds:
            raise ValueError(
                "--dagger-rounds needs an expert that plays; it does not go with --import-records"
            )
        if any(latest_step(args.out_dir / name) is not None for name in (BEST, LAST)):
            raise CheckpointError(f"{args.out_dir} holds a run already; give another --out-dir")
        config = replace(of_size(args.network), exact=args.exact_plays)
        args.out_dir.mkdir(parents=True, exist_ok=True)
        write_json(
            args.out_dir / "config.json",
            {"network": config.as_dict(), "devices": jax.device_count(), "options": str(args)},
        )
        report = clone(args, config)
        write_json(args.out_dir / "evaluation.json", report)
    except KeyboardInterrupt:
        print("bc: stopped", file=sys.stderr)
        return 130
    except (CheckpointError, RecordError, ValueError, OSError) as error:
        print(f"bc: {error}", file=sys.stderr)
        return 2
    play = report["play"] | {
        "agent": "clone", "list": "evaluation", "deck": args.deck, "stake": args.stake, "games_per_second": 0.0,
        "device": jax.devices()[0].device_kind,
    }  # fmt: skip
    print("\n".join(line for line in lines_of(play) if "runs/s" not in line))
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
