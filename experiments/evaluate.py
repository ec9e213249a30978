"""Plays fixed seeds with an agent and reports how it did.

    python experiments/evaluate.py planner
    python experiments/evaluate.py runs/ppo --list test
    python experiments/evaluate.py runs/ppo --versus planner --seeds 500
    python experiments/evaluate.py search:runs/ppo --search.simulations 32 --seeds 64

An agent is `random`, `greedy` (the exact best play, buys nothing), `planner` (the planning expert), the output
folder of a training or cloning run, or `search:` and such a folder: the network looks ahead with the rules of the game
(mctx, in runs where everything hidden is drawn anew; needs `pip install 'jaxtro[search]'`). There are two fixed lists
of 1000 seeds: `evaluation` to choose on, `test` to report; no training meets either. The win is read from the state of
the game.
"""

import csv
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import numpy as np
import tyro
from tqdm import tqdm

import jaxtro
from jaxtro.agents.agent import Agent
from jaxtro.agents.checkpoint import CheckpointError, write_json
from jaxtro.agents.evaluation import Player, paired, timed_play
from jaxtro.agents.experts import GreedyAgent, PlannerAgent, RandomAgent
from jaxtro.agents.results import Runs, summary
from jaxtro.agents.saved_policy import load_policy
from jaxtro.agents.search import SearchAgent
from jaxtro.agents.seed_lists import COUNT, seed_list
from jaxtro.compile_cache import enable_compile_cache
from jaxtro.devices import use_cores
from jaxtro.tables import BLINDS

SEARCH = "search:"
EXPERTS: dict[str, type] = {"random": RandomAgent, "greedy": GreedyAgent, "planner": PlannerAgent}


@dataclass(frozen=True)
class Search:
    """How far `search:FOLDER` looks."""

    simulations: int = 16
    """Nodes of a search."""
    candidates: int = 8
    """Actions that a node offers, drawn from the policy."""
    worlds: int = 4
    """Runs with other hidden things that are searched for each decision."""


@dataclass(frozen=True)
class Args:
    """Command line of the evaluation."""

    agent: Annotated[str, tyro.conf.Positional]
    """random, greedy, planner, the folder of a run, or search:FOLDER."""
    versus: str | None = None
    """A second agent, for a paired comparison on the same seeds."""
    seeds: int = COUNT
    """How many seeds of the list, at most 1000."""
    list: Literal["evaluation", "test"] = "evaluation"
    """Which list."""
    deck: str = "b_red"
    """Deck, by key or name."""
    stake: str = "stake_white"
    """Stake, by key or name."""
    cores: int | None = None
    """Without an accelerator: how many cores to split the games over. Default: all that divide them evenly."""
    batch: int = 256
    """Games at a time."""
    max_steps: int = 2000
    """Decisions after which a run is given up."""
    temperature: float | None = None
    """How a network's actions are drawn: 1 as its policy says, 0 the likeliest; not given: as its training had it."""
    key: int = 0
    """Of the agent's own draws."""
    search: Search = field(default_factory=Search)
    """For search:FOLDER."""
    out_dir: Path | None = None
    """Folder for evaluation.json, runs.csv and antes.png."""
    json: bool = False
    """Print one JSON object."""


def agent_of(name: str, args: Args) -> Agent:
    """An agent by name or folder.

    Raises:
      CheckpointError: if it is neither. ImportError: if search is asked for without mctx.
    """
    if name in EXPERTS:
        return EXPERTS[name]()
    folder = name.removeprefix(SEARCH)
    if not Path(folder).is_dir():
        raise CheckpointError(
            f"{name!r} is no agent ({', '.join(EXPERTS)}, {SEARCH}FOLDER) and no folder of a training run"
        )
    saved = load_policy(Path(folder), args.temperature)
    if not name.startswith(SEARCH):
        return saved
    return SearchAgent(
        jaxtro.make(), saved.params, saved.config, name=f"search_{saved.name}", **asdict(args.search)
    )


def played(args: Args, name: str) -> tuple[Runs, dict[str, Any]]:
    """One agent's runs and the figures of its table."""
    agent = agent_of(name, args)
    seeds = seed_list(args.list, args.seeds)
    player = Player(jaxtro.make(), agent, min(args.batch, args.seeds))
    with tqdm(total=args.seeds, unit="run", desc=agent.name, disable=args.json) as bar:

        def progress(over: int) -> None:
            bar.update(max(0, over - bar.n))

        params = jaxtro.make_params(args.deck, args.stake)
        runs, seconds = timed_play(
            player, seeds, params, key=args.key, max_steps=args.max_steps, progress=progress
        )
    figures = summary(runs) | {
        "agent": agent.name, "list": args.list, "deck": args.deck, "stake": args.stake, "seconds": seconds,
        "games_per_second": len(runs) / seconds, "device": jax.devices()[0].device_kind, "batch": player.batch,
        "max_steps": args.max_steps, "key": args.key, "temperature": args.temperature,
    }  # fmt: skip
    return runs, figures


def lines_of(figures: dict[str, Any]) -> list[str]:
    """The report as text."""
    low, high = figures["win_rate_low"], figures["win_rate_high"]
    lines = [
        f"{figures['agent']}: {figures['runs']} runs ({figures['list']} seeds, {figures['deck']}, {figures['stake']})",
        f"  won {figures['wins']} = {figures['win_rate']:.1%} (95 %: {low:.1%} to {high:.1%})",
        f"  ante: mean {figures['mean_ante']:.2f}, median {figures['median_ante']:g}; blinds beaten "
        f"{figures['blinds_beaten']:.2f}; actions {figures['actions']:.0f} a run",
        f"  {figures['games_per_second']:.2f} runs/s on {figures['device']}, compiling included",
    ]
    if figures["finished"] < figures["runs"]:
        lines.append(f"  {figures['runs'] - figures['finished']} runs were given up at the limit of actions")
    lost = ", ".join(
        f"{BLINDS.names[BLINDS.keys.index(key)]} {count}" for key, count in figures["lost_to"].items()
    )
    return [*lines, f"  lost to: {lost or '-'}"]


def write_files(folder: Path, runs: Runs, figures: dict[str, Any]) -> None:
    """evaluation.json, runs.csv, antes.png.

    Raises:
      OSError: if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "evaluation.json", figures)
    with (folder / "runs.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["seed", "won", "finished", "ante", "blinds", "actions", "money", "lost_to"])
        rows = zip(
            runs.seed, runs.won, runs.finished, runs.ante, runs.blinds, runs.actions, runs.money, runs.lost_to,
            strict=True,
        )  # fmt: skip
        table.writerows(
            [value.item() if isinstance(value, np.generic) else value for value in row] for row in rows
        )
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 3))
    antes = np.arange(1, max(8, int(runs.ante.max())) + 1)
    axis.bar(antes, [int(((runs.ante == ante) & ~runs.won).sum()) for ante in antes], label="lost")
    axis.bar(antes, [int(((runs.ante == ante) & runs.won).sum()) for ante in antes], label="won")
    axis.set(xlabel="last ante", ylabel="runs", title=f"{figures['agent']}: won {figures['win_rate']:.1%}")
    axis.legend()
    figure.tight_layout()
    figure.savefig(folder / "antes.png", dpi=90)
    plt.close(figure)


def show(args: Args, report: dict[str, Any]) -> None:
    """Prints the report."""
    if args.json:
        print(json.dumps(report))
        return
    for figures in report["agents"]:
        print("\n".join(lines_of(figures)))
    for name, row in report.get("paired", {}).items():
        if isinstance(row, dict):
            interval = f"95 %: {row['low']:+.3f} to {row['high']:+.3f}"
            print(
                f"  {name}: {args.agent} is {row['difference']:+.3f} against {args.versus} ({interval}), "
                f"better on {row['better']} seeds, worse on {row['worse']}"
            )


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    args = tyro.cli(Args, description=__doc__, args=argv)
    enable_compile_cache()
    try:
        use_cores(count=args.cores)
        if args.batch < 1 or args.max_steps < 1:
            raise ValueError("--batch and --max-steps must be 1 or more")
        if args.temperature is not None and not args.temperature >= 0:
            raise ValueError(f"--temperature is {args.temperature}: give 0 or more")
        seed_list(args.list, args.seeds)
        jaxtro.make_params(args.deck, args.stake)
        names = [args.agent] + ([args.versus] if args.versus else [])
        for name in names:
            agent_of(name, args)
        if args.out_dir is not None:
            args.out_dir.mkdir(parents=True, exist_ok=True)
        both = [played(args, name) for name in names]
        report: dict[str, Any] = {"agents": [figures for _, figures in both]}
        if args.versus:
            report["paired"] = paired(both[0][0], both[1][0])
        show(args, report)
        if args.out_dir is not None:
            for number, (runs, figures) in enumerate(both, start=1):
                write_files(
                    args.out_dir / f"{number}_{figures['agent']}" if args.versus else args.out_dir,
                    runs,
                    figures,
                )
            if args.versus:
                write_json(args.out_dir / "paired.json", report)
    except KeyboardInterrupt:
        print("evaluate: stopped", file=sys.stderr)
        return 130
    except (CheckpointError, ValueError, OSError, ImportError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
