"""Trains an agent with PPO on the device.

    python experiments/ppo.py --num-envs 4096
    python experiments/ppo.py --num-envs 4096 --total-steps 2000000 --out-dir runs/first
    python experiments/ppo.py --out-dir runs/first --resume

With --resume every option that is not given is as in the training so far. Sizes that are not given are chosen for the
machine: a small network on CPUs, a large one on accelerators. The output folder gets config.json, metrics.jsonl,
TensorBoard events, checkpoints (`last`, and `best` by the evaluation seeds), curves.png and evaluation.json. Ctrl-C
saves and stops; --resume goes on bit for bit (on the same kind and number of devices). The first start compiles the
game, which takes some minutes; later ones find it in the compile cache.
"""

import contextlib
import json
import sys
import time
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import jax
import tyro
from tqdm import tqdm

import jaxtro
from jaxtro.agents.checkpoint import CheckpointError, latest_step, read_meta, write_json
from jaxtro.agents.metrics_log import draw_curves
from jaxtro.agents.network import SIZES, NetworkConfig, Size, of_size
from jaxtro.agents.ppo import PPOConfig
from jaxtro.agents.saved_policy import BEST, LAST, load_policy
from jaxtro.agents.seed_lists import COUNT
from jaxtro.agents.training import (
    Curriculum,
    InterruptedTraining,
    TrainConfig,
    Trainer,
    check_resumable,
    seed_folders,
    train,
    write_config,
)
from jaxtro.compile_cache import enable_compile_cache
from jaxtro.devices import available_cores, use_cores
from jaxtro.env.reward import Weights

CPU_GAMES = 1024


@dataclass(frozen=True)
class RewardWeights:
    """Weights of the reward's terms (jaxtro.env.reward)."""

    progress: float = 1.0  # rise of log(score / target) within a blind, 0 to 1
    blind: float = 1.0  # a blind beaten
    win: float = 10.0  # the boss of the last ante beaten
    loss: float = 0.0  # a lost run
    ante: float = 0.0  # an ante gained
    money: float = 0.0  # a dollar gained
    action: float = 0.01  # taken off for every action: else some trainings end in sorting the hand for ever


@dataclass(frozen=True)
class Args:
    """Command line of the training."""

    num_envs: int | None = None
    """Games in parallel, of all devices together, for each seed. Default: 1024 for each host on CPUs, 4096 for each
    accelerator."""
    total_steps: int = 20_000_000
    """Decisions of all games of a seed together."""
    out_dir: Path = Path("runs/ppo")
    """Folder for everything that is written."""
    resume: bool = False
    """Go on from the last checkpoint of --out-dir, with its options where none are given."""
    seed: int = 0
    """Of the network, the games and the actions."""
    num_seeds: int = 1
    """Trainings side by side in one program, with the seeds from --seed on; each writes to OUT_DIR/seed_N."""
    deck: str = "b_red"
    """Deck, by key or name."""
    stake: str = "stake_white"
    """Stake, by key or name."""
    init_from: Path | None = None
    """Folder of a training or cloning run whose network training starts from."""
    max_steps: int = 1500
    """Decisions after which a run is cut off."""
    eval_every: int = 20
    """Updates between two evaluations, 0 = only at the end."""
    eval_seeds: int = 256
    """Seeds of the evaluation list to play each time (at most 1000)."""
    final_seeds: int = 1000
    """Seeds of the test list for the report at the end."""
    save_every: int = 10
    """Updates between two checkpoints."""
    cores: int | None = None
    """Without an accelerator: how many cores to split the games over. Default: all that divide them evenly; a resumed
    run has as many as before. Another number is another training."""
    distributed: bool = False
    """Several hosts: start the same command on each, with an --out-dir that all of them share. On a cluster that JAX
    knows they find each other; else give the three options below."""
    coordinator: str | None = None
    """Address of the first host, HOST:PORT."""
    num_hosts: int | None = None
    """How many hosts there are."""
    host_id: int | None = None
    """Which of them this is, from 0."""
    quiet: bool = False
    """No progress bar."""
    network: Size = "auto"
    """Sizes of the network; auto: small on CPUs, large on accelerators (with --init-from: that network's)."""
    entity: int | None = None
    """Width of an entity, instead of the size's."""
    hidden: int | None = None
    """Width of the trunk, instead of the size's."""
    dtype: Literal["float32", "bfloat16"] | None = None
    """What the network computes in, instead of the size's."""
    exact_plays: bool | None = None
    """Tell the network the best play and what each poker hand would score: dearer decisions (docs/agents.md)."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """The learner."""
    reward: RewardWeights = field(default_factory=RewardWeights)
    """Weights of the reward's terms."""
    curriculum: Curriculum = field(default_factory=Curriculum)
    """Easier games at the start."""


def config_of(args: Args) -> TrainConfig:
    """The configuration of the training, with what the machine decides filled in.

    Raises:
      ValueError: for unknown names and numbers that make no training.
    """
    jaxtro.make_params(args.deck, args.stake)
    on_cpu = jax.default_backend() == "cpu"
    devices = jax.device_count()
    default = CPU_GAMES * jax.process_count() if on_cpu else 4096 * devices
    num_envs = args.num_envs if args.num_envs is not None else default
    for name, value in (
        ("num-envs", num_envs),
        ("total-steps", args.total_steps),
        ("max-steps", args.max_steps),
        ("num-seeds", args.num_seeds),
        ("eval-seeds", args.eval_seeds),
        ("final-seeds", args.final_seeds),
    ):
        if value < 1:
            raise ValueError(f"--{name} is {value}: give 1 or more")
    if num_envs % devices:
        raise ValueError(f"--num-envs {num_envs} cannot be split evenly over {devices} devices")
    network = of_size(args.network)
    if args.eval_every < 0:
        raise ValueError(f"--eval-every is {args.eval_every}: give 0 (only at the end) or more")
    if args.network == "auto" and args.init_from is not None:
        network = load_policy(args.init_from).config
    given = {
        name: getattr(args, name) for name in ("entity", "hidden", "dtype") if getattr(args, name) is not None
    }
    if args.exact_plays is not None:
        given["exact"] = args.exact_plays
    network = replace(network, **given)
    weights = Weights(**{f.name: getattr(args.reward, f.name) for f in fields(RewardWeights)})
    return TrainConfig(
        num_envs=num_envs, total_steps=args.total_steps, seed=args.seed, num_seeds=args.num_seeds,
        deck=args.deck, stake=args.stake, max_steps=args.max_steps, eval_every=args.eval_every,
        eval_seeds=min(args.eval_seeds, COUNT), save_every=max(1, args.save_every), network=network,
        ppo=args.ppo, curriculum=args.curriculum, weights=weights,
    )  # fmt: skip


def args_of_training(args: Args) -> Args:
    """The options that the training in `args.out_dir` was started with.

    Raises:
      CheckpointError: if there is no checkpoint.
    """
    config = read_meta(args.out_dir / LAST)[1]["config"]
    network = NetworkConfig.from_dict(config["network"])
    own = {name: getattr(network, name) for name in ("entity", "hidden", "dtype", "exact")}
    size: Any = next((name for name, one in SIZES.items() if replace(one, **own) == network), "auto")
    same: dict[str, Any] = {name: config[name] for name in (
        "num_envs", "total_steps", "seed", "num_seeds", "deck", "stake", "max_steps", "eval_every", "eval_seeds",
        "save_every",
    )}  # fmt: skip
    return replace(
        args, **same, **{name: getattr(network, name) for name in ("entity", "hidden", "dtype")}, network=size,
        exact_plays=network.exact,
        ppo=PPOConfig(**config["ppo"]), curriculum=Curriculum(**config["curriculum"]),
        reward=RewardWeights(**{f.name: config["weights"][f.name] for f in fields(RewardWeights)}),
    )  # fmt: skip


def join_hosts(args: Args) -> None:
    """Connects this host with the others, where there are some.

    Raises:
      ValueError: if it is not known who they are.
    """
    named = (args.coordinator, args.num_hosts, args.host_id)
    if not args.distributed:
        if any(value is not None for value in named):
            raise ValueError("--coordinator, --num-hosts and --host-id are for --distributed; give that, too")
        return
    if any(value is None for value in named) and any(value is not None for value in named):
        raise ValueError(
            "give all of --coordinator, --num-hosts and --host-id, or none of them on a known cluster"
        )
    try:
        jax.distributed.initialize(*named)
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"--distributed: {error} (give --coordinator HOST:PORT, --num-hosts and --host-id)"
        ) from error


def choose_cores(args: Args) -> None:
    """Splits the games over the cores of a CPU: as many as pay; a resumed run has as many as before.

    Raises:
      ValueError: for a number of cores that cannot be.
    """
    if args.distributed:
        if args.cores is not None:
            raise ValueError("--cores is for one host; with --distributed the hosts are the devices")
        return
    if args.resume:
        before = devices_before(args.out_dir)
        if args.cores not in (None, before) and args.out_dir.is_dir():
            raise ValueError(
                f"--cores {args.cores}: the run has {before} device(s); leave it out to go on bit for bit"
            )
        found = use_cores(count=before)
        if jax.default_backend() == "cpu" and found != before:
            print(
                f"ppo: {found} device(s) instead of {before}: it does not go on bit for bit", file=sys.stderr
            )
        return
    if args.cores is not None and not 1 <= args.cores <= available_cores():
        raise ValueError(f"--cores {args.cores}: give 1 to {available_cores()}, as many as there are here")
    use_cores(max(args.num_envs or CPU_GAMES, 1), args.cores)


def devices_before(folder: Path) -> int:
    """How many devices a run was started with; 1 where its `config.json` does not say (older versions)."""
    # A run that is missing or damaged is told of later.
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        return max(1, int(json.loads((folder / "config.json").read_text()).get("devices", 1)))
    return 1


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    args = tyro.cli(Args, description=__doc__, args=argv)
    enable_compile_cache()
    try:
        join_hosts(args)
        choose_cores(args)
        if args.resume:
            if args.init_from is not None:
                raise ValueError("--init-from starts a training and --resume goes on with one; leave one out")
            args = tyro.cli(Args, description=__doc__, args=argv, default=args_of_training(args))
        config = config_of(args)
        folder = args.out_dir
        if args.resume:
            check_resumable(folder, config)
        elif any(latest_step(folder / name) is not None for name in (LAST, BEST)):
            raise CheckpointError(
                f"{folder} holds a training run already; give --resume to go on with it, or another --out-dir"
            )
        init = None if args.init_from is None else load_policy(args.init_from)
        if init is not None and init.config != config.network:
            raise CheckpointError(
                f"{args.init_from} has another network than the options say; leave them out"
            )
        if not args.resume:
            write_config(folder, config, {
                "device": jax.devices()[0].device_kind, "devices": jax.device_count(), "jax": jax.__version__,
                "init_from": None if args.init_from is None else str(args.init_from),
            })  # fmt: skip
        return _train(args, config, folder, None if init is None else init.params)
    except InterruptedTraining as stop:
        print(f"ppo: {stop}", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("ppo: stopped; what came after the last checkpoint is not kept", file=sys.stderr)
        return 130
    except (CheckpointError, ValueError, RuntimeError, OSError) as error:
        print(f"ppo: {error}", file=sys.stderr)
        return 2


def _train(args: Args, config: TrainConfig, folder: Path, init_params: Any) -> int:
    devices = jax.devices()
    say = print
    say(
        f"{config.num_envs} games of {config.num_seeds} seed(s) on {len(devices)} x {devices[0].device_kind}, "
        f"{config.updates} updates of {config.steps_per_update:,} decisions each; compiling first"
    )
    start = time.perf_counter()
    trainer = Trainer(jaxtro.AutoReset(jaxtro.make()), config)
    done = read_meta(folder / LAST)[1]["steps"] if args.resume else 0
    bar = tqdm(
        total=config.updates * config.steps_per_update * config.num_seeds,
        initial=done * config.num_seeds,
        unit="step",
        unit_scale=True,
        disable=args.quiet,
    )

    def on_update(figures: dict[str, Any]) -> None:
        bar.update(config.steps_per_update * config.num_seeds)
        bar.set_postfix_str(
            f"blinds {figures['blinds_per_game']:.2f} ante {figures['mean_ante']:.2f} "
            f"won {figures['win_rate']:.1%} KL {figures['kl']:.4f} entropy {figures['entropy']:.2f}"
        )

    try:
        train(trainer, folder, args.resume, init_params, say=bar.write, on_update=on_update)
    finally:
        bar.close()
    say(f"Trained in {time.perf_counter() - start:,.0f} s. Evaluation on the test seeds:")
    for one in seed_folders(folder, config):
        report = trainer.evaluate(trainer.put(load_policy(one).params), min(args.final_seeds, COUNT), "test")
        write_json(one / "evaluation.json", report)
        say(json.dumps(report) if config.num_seeds == 1 else f"{one.name}: {json.dumps(report)}")
    if jax.process_index() != 0:
        return 0
    title = f"PPO, {config.num_envs} games, {config.deck}, {config.stake}"
    say(f"Curves: {draw_curves(seed_folders(folder, config), title, folder / 'curves.png')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
