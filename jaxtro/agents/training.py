"""Training from start to end: rollouts and updates on all devices, evaluation, checkpoints, figures."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from orbax.checkpoint import multihost

from jaxtro.agents.batching import each_seed
from jaxtro.agents.checkpoint import CheckpointError, load_checkpoint, read_meta, save_checkpoint, write_json
from jaxtro.agents.evaluation import Player
from jaxtro.agents.metrics_log import MetricsLog
from jaxtro.agents.network import NetworkConfig, PolicyValue
from jaxtro.agents.ppo import PPOConfig, make_learn, optimiser
from jaxtro.agents.results import summary
from jaxtro.agents.rollout import Games, Tally, make_rollout, start_games
from jaxtro.agents.saved_policy import BEST, LAST, SavedPolicy
from jaxtro.agents.seed_lists import seed_list
from jaxtro.compile_cache import keep
from jaxtro.env.generation.rules import WIN_ANTE
from jaxtro.env.reward import Weights

EVALUATION_BATCH = 256
_LONGEST_COMPILE_MS = 3_600_000


@dataclass(frozen=True)
class Curriculum:
    """Values that go linearly from a start to the real game over a share of training; a change compiles nothing."""

    blind_scale: float = 1.0
    """Factor of the blind targets at the start (1 = the real game)."""
    win_ante: int = WIN_ANTE
    """Ante whose boss wins the run at the start."""
    start_ante: int = 1
    """Ante that runs begin with at the start (a later one shows hard blinds early)."""
    until: float = 0.5
    """Share of the training after which the real game is played."""

    def __post_init__(self) -> None:
        if not self.blind_scale >= 0:
            raise ValueError(f"blind_scale is {self.blind_scale}: give 0 or more")
        if not 1 <= self.start_ante <= self.win_ante <= WIN_ANTE:
            raise ValueError(
                f"start_ante {self.start_ante}, win_ante {self.win_ante}: give 1 to {WIN_ANTE}, the start not behind"
            )
        if not 0 <= self.until <= 1:
            raise ValueError(f"until is {self.until}: give a share of the training, 0 to 1")

    def values_at(self, progress: float) -> dict[str, float]:
        """Parameters of the game when a share of the training is over."""
        share = 1.0 if self.until <= 0 else min(1.0, progress / self.until)
        between = lambda start, end: start + (end - start) * share  # noqa: E731
        return {
            "blind_scale": between(self.blind_scale, 1.0),
            "win_ante": round(between(self.win_ante, WIN_ANTE)),
            "start_ante": round(between(self.start_ante, 1)),
        }


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run.

    Attributes:
      num_envs: games in parallel, of all devices together, for each seed. total_steps: decisions of all these games.
      seed: of the network, the games and the actions. num_seeds: trainings side by side, with seeds from there on.
      deck, stake: keys or names. max_steps: decisions after which a run is cut off.
      eval_every: updates between two evaluations, 0 = only at the end. eval_seeds: seeds of the evaluation list.
      save_every: updates between two checkpoints.
    """

    num_envs: int = 1024
    total_steps: int = 2_000_000
    seed: int = 0
    num_seeds: int = 1
    deck: str = "b_red"
    stake: str = "stake_white"
    max_steps: int = 1500
    eval_every: int = 20
    eval_seeds: int = 256
    save_every: int = 10
    network: NetworkConfig = field(default_factory=NetworkConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    curriculum: Curriculum = field(default_factory=Curriculum)
    weights: Weights = field(default_factory=Weights)

    @property
    def steps_per_update(self) -> int:
        """Decisions of one update, of each seed."""
        return self.num_envs * self.ppo.rollout_steps

    @property
    def updates(self) -> int:
        """Updates of the whole training, at least one."""
        return max(1, -(-self.total_steps // self.steps_per_update))

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for files."""
        return asdict(self)


# What may differ when a run is resumed: how long it goes on, and how often it reports.
_FREE = {"total_steps", "eval_every", "eval_seeds", "save_every"}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainState:
    """All that training goes on from, bit for bit. S seeds, N games of each.

    Attributes:
      params, opt_state: leading axis [S]. games: `Games`[S, N]. keys: uint32[S, 2]. update: int32[], updates done.
    """

    params: Any
    opt_state: Any
    games: Games
    keys: Array
    update: Array


class InterruptedTraining(Exception):  # noqa: N818
    """The user asked to stop; everything has been saved."""


class Trainer:
    """Compiled training on a mesh of devices.

    Attributes:
      env: `AutoReset` over `Balatro` (or over an environment with the same methods). config, net: as given.
      mesh: all devices, games are split over them.
    """

    def __init__(
        self, env: Any, config: TrainConfig, make_params: Callable[[int], Any] | None = None
    ) -> None:
        """Args: make_params: parameters of new runs from max_steps; None = those of the configuration."""
        self.env, self.config = env, config
        self.net = PolicyValue(config.network)
        devices = jax.devices()
        if config.num_envs % len(devices):
            raise ValueError(f"{config.num_envs} games cannot be split evenly over {len(devices)} devices")
        self.mesh = Mesh(np.array(devices), ("devices",))
        self._make_params = make_params or self._game_params
        self._player: Player | None = None
        split, whole = P(None, "devices"), P()
        rollout = make_rollout(env, self.net, config.ppo.rollout_steps, config.ppo.gamma)
        learn = each_seed(make_learn(self.net, config.ppo, "devices"))

        def update(
            params: Any, opt_state: Any, games: Games, keys: Array, progress: Array
        ) -> tuple[Any, Any, Games, dict[str, Array], Tally]:
            def keys_here(key: Array) -> Array:
                return jax.random.split(jax.random.fold_in(key, jax.lax.axis_index("devices")))

            of_play, of_learn = jnp.swapaxes(jax.vmap(keys_here)(keys), 0, 1)
            games, trajectory, last, tally = rollout(params, games, of_play, config.weights)
            shares = jnp.full(keys.shape[0], progress)
            params, opt_state, metrics = learn(params, opt_state, trajectory, last, of_learn, shares)
            return params, opt_state, games, metrics, jax.lax.psum(tally, "devices")

        about = (getattr(env, "about", None), config.network, config.ppo, config.weights)
        made = jax.jit(
            jax.shard_map(
                update, mesh=self.mesh, in_specs=(whole, whole, split, whole, whole),
                out_specs=(whole, whole, split, whole, whole), check_vma=False,
            ),
            donate_argnums=(0, 1, 2),
        )  # fmt: skip
        self._update = keep(made, "training", *about)
        start = jax.jit(
            jax.shard_map(
                partial(start_games, env, config.network), mesh=self.mesh, in_specs=(split, whole), out_specs=split,
                check_vma=False,
            )
        )  # fmt: skip
        self._start = keep(start, "training start", *about)

    def _game_params(self, max_steps: int) -> Any:
        import jaxtro

        return jaxtro.make_params(self.config.deck, self.config.stake, max_steps=max_steps)

    def init(self) -> TrainState:
        """The state before the first update."""
        config = self.config
        roots = jnp.stack([jax.random.PRNGKey(config.seed + number) for number in range(config.num_seeds)])
        keys, of_net, of_games = jnp.swapaxes(jax.vmap(lambda root: jax.random.split(root, 3))(roots), 0, 1)
        of_games = jax.vmap(lambda key: jax.random.split(key, config.num_envs))(of_games)
        games = self._start(of_games, self._make_params(config.max_steps))
        one = jax.tree.map(lambda values: jnp.zeros(values.shape[2:], values.dtype), games.features)
        params = jax.jit(jax.vmap(self.net.init, in_axes=(0, None)))(of_net, one)
        # Hosts compile at different speeds, and their first exchange waits for the others only half a minute.
        multihost.get_barrier_sync_fn()(key="jaxtro networks", timeout_ms=_LONGEST_COMPILE_MS)
        whole = self.put((params, jax.vmap(optimiser(config.ppo).init)(params), keys, jnp.int32(0)))
        params, opt_state, keys, update = whole
        return TrainState(params, opt_state, games, keys, update)

    def put(self, params: Any) -> Any:
        """Parameters of a network on all devices, those of other hosts, too."""
        return jax.device_put(jax.device_get(params), NamedSharding(self.mesh, P()))

    def update(self, state: TrainState) -> tuple[TrainState, dict[str, Array], Tally]:
        """One rollout and the learning from it; the arguments' buffers are reused."""
        config = self.config
        progress = jnp.float32(int(state.update) / config.updates)
        keys, now = jnp.swapaxes(jax.vmap(jax.random.split)(state.keys), 0, 1)
        games = self._with_curriculum(state.games, float(progress))
        params, opt_state, games, metrics, tally = self._update(
            state.params, state.opt_state, games, now, progress
        )
        return TrainState(params, opt_state, games, keys, state.update + 1), metrics, tally

    def _with_curriculum(self, games: Games, progress: float) -> Games:
        """New runs from now on follow the curriculum."""
        plan, params = self.config.curriculum, games.auto.params
        if plan == Curriculum() or not hasattr(params, "blind_scale"):
            return games
        now = {
            name: jnp.full_like(getattr(params, name), value)
            for name, value in plan.values_at(progress).items()
        }
        params = replace(params, **now)
        return replace(games, auto=replace(games.auto, params=params))

    def evaluate(self, params: Any, seeds: int, name: str = "evaluation") -> dict[str, Any]:
        """Plays fixed seeds in the real game, with drawn actions, as the policy is trained.

        Its likeliest actions may turn in a circle for ever: sorting the hand and back costs nothing. The batches are
        the evaluation's own, as the rollout of training would decide for every game of a much larger batch for as
        long as one run lasts.

        Args:
          seeds: how many of the list. name: of the list, see `seed_list`.
        """
        config = self.config
        if self._player is None:
            agent = SavedPolicy("training", None, config.network, temperature=1.0)
            self._player = Player(self.env.env, agent, min(EVALUATION_BATCH, max(seeds, 1)))
        one = jax.device_get(params)  # not tied to devices: the evaluation has a split of its own
        game = self._make_params(config.max_steps)
        runs = self._player.play(seed_list(name, seeds), game, max_steps=config.max_steps, agent_params=one)
        return summary(runs)


def figures_of(tally: Tally, metrics: dict[str, Array], weights: Weights) -> list[dict[str, Any]]:
    """The figures of one update, as plain numbers, of each seed."""
    tally, metrics = jax.device_get((tally, metrics))
    row = lambda tree, seed: jax.tree.map(lambda values: float(values[seed]), tree)  # noqa: E731
    return [_figures(row(tally, seed), row(metrics, seed), weights) for seed in range(len(tally.steps))]


def _figures(tally: Tally, metrics: dict[str, float], weights: Weights) -> dict[str, Any]:
    """Means of the runs that ended in the update (None if none did); rewards are means of all its decisions."""
    ended, steps = float(tally.ended), float(tally.steps)
    of_ended = lambda total: float(total) / ended if ended else None  # noqa: E731
    names = Weights.__dataclass_fields__
    terms = {f"reward_{name}": float(getattr(tally.terms, name)) / steps for name in names}
    reward = sum(terms[f"reward_{name}"] * float(getattr(weights, name)) for name in names)
    return {
        "blinds_per_game": of_ended(tally.blinds), "mean_ante": of_ended(tally.ante),
        "win_rate": of_ended(tally.won), "reward": reward, "games": ended, "truncated": float(tally.truncated),
        "actions_per_game": of_ended(tally.steps),
    } | terms | metrics  # fmt: skip


@contextmanager
def _stop_on_signal() -> Iterator[list[int]]:
    """Collects Ctrl-C and SIGTERM, so that an update ends and is saved before the program does."""
    caught: list[int] = []

    def note(number: int, _: Any) -> None:
        if caught:  # the second one stops at once
            raise KeyboardInterrupt
        caught.append(number)

    old = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def check_resumable(folder: Path, config: TrainConfig) -> None:
    """Compares a configuration with that of a folder's checkpoint.

    Raises:
      CheckpointError: if there is none, or settings differ that training cannot change under way.
    """
    _, meta = read_meta(folder / LAST)
    old, new = meta.get("config", {}), config.as_dict()
    differing = [
        f"{name}: {old.get(name)!r} there, {value!r} now"
        for name, value in new.items()
        if name not in _FREE and old.get(name) != value
    ]
    if differing:
        raise CheckpointError(
            f"{folder}: the checkpoint is of another configuration ({'; '.join(differing)}). Give the same options, or "
            "another --out-dir"
        )


def train(
    trainer: Trainer,
    folder: Path,
    resume: bool = False,
    init_params: Any = None,
    say: Callable[[str], None] = print,
    on_update: Callable[[dict[str, Any]], None] | None = None,
) -> TrainState:
    """Trains to the end of the configuration; `metrics.jsonl`, TensorBoard events and checkpoints go to a folder.

    With several seeds each one's figures and best network go to a folder of its own in it, see `seed_folders`.

    Args:
      resume: go on from the folder's last checkpoint. init_params: of a network to start from.
      say: prints lines. on_update: gets the figures of each update, means over the seeds.

    Raises:
      CheckpointError: if a checkpoint cannot be used or written.
      InterruptedTraining: after Ctrl-C, when everything has been saved.
    """
    config = trainer.config
    folders = seed_folders(folder, config)
    state, best = trainer.init(), [-1.0] * len(folders)
    if init_params is not None:
        copies = jax.tree.map(lambda leaf: jnp.stack([leaf] * len(folders)), init_params)
        state = replace(state, params=trainer.put(copies))
    if resume:
        check_resumable(folder, config)
        state, meta = load_checkpoint(folder / LAST, state)
        best = [float(figure) for figure in meta["best"]]
        say(f"Going on at update {int(state.update)} of {config.updates}.")
    for one in folders:
        one.mkdir(parents=True, exist_ok=True)
    steps_done = int(state.update) * config.steps_per_update
    logs = [MetricsLog(one, steps_done if resume else None) for one in folders]

    def save(where: Path, number: int, kept: Any, figure: Any) -> None:
        steps = number * config.steps_per_update
        meta = {"config": config.as_dict(), "best": figure, "steps": steps, "temperature": 1.0}
        save_checkpoint(where, number, kept, meta)

    try:
        with _stop_on_signal() as caught:
            saved = int(state.update)
            while int(state.update) < config.updates:
                start = time.perf_counter()
                state, metrics, tally = trainer.update(state)
                found = figures_of(tally, metrics, config.weights)
                number, seconds = int(state.update), time.perf_counter() - start
                last = number == config.updates
                for seed, figures in enumerate(found):
                    if last or (config.eval_every and number % config.eval_every == 0):
                        params = params_of_seed(state.params, seed)
                        judged = trainer.evaluate(params, config.eval_seeds)
                        figures |= {
                            "eval_blinds_per_game": judged["blinds_beaten"], "eval_mean_ante": judged["mean_ante"],
                            "eval_win_rate": judged["win_rate"],
                        }  # fmt: skip
                        # Wins first, blinds beaten where there are few.
                        figure = _of_first_host(judged["win_rate"] * 100 + judged["blinds_beaten"])
                        if figure > best[seed]:
                            best[seed] = figure
                            save(folders[seed] / BEST, number, {"params": params}, figure)
                    logs[seed].write({
                        "steps": number * config.steps_per_update, "update": number, "seconds": seconds,
                        "steps_per_second": config.steps_per_update * len(folders) / seconds,
                    } | figures)  # fmt: skip
                if on_update is not None:
                    known = {name: [row[name] for row in found if row[name] is not None] for name in found[0]}
                    means = {
                        name: float(np.mean(values)) if values else 0.0 for name, values in known.items()
                    }
                    on_update({"update": number} | means)
                stops = _on_any_host(bool(caught))
                if last or stops or number - saved >= config.save_every:
                    save(folder / LAST, number, state, best)
                    saved = number
                if stops:
                    raise InterruptedTraining(f"saved at update {number}; go on with --resume")
    finally:
        for log in logs:
            log.close()
    return state


def _of_first_host(figure: float) -> float:
    """The first host's figure: hosts must save together, and theirs may differ in the last bit."""
    if jax.process_count() == 1:
        return figure
    return float(multihost_utils.broadcast_one_to_all(np.float32(figure)))


def _on_any_host(flag: bool) -> bool:
    """Whether a flag is set on some host, so that all stop when one is told to."""
    if jax.process_count() == 1:
        return flag
    return bool(np.any(multihost_utils.process_allgather(np.array(flag))))


def params_of_seed(params: Any, seed: int) -> Any:
    """The network of one seed. params: leading axis [S]."""
    return jax.tree.map(lambda leaf: leaf[seed], params)


def seed_folders(folder: Path, config: TrainConfig) -> list[Path]:
    """Where the figures and the best network of each seed go: the folder itself, or `seed_0`, `seed_1`, ... in it."""
    if config.num_seeds == 1:
        return [folder]
    return [folder / f"seed_{config.seed + number}" for number in range(config.num_seeds)]


def write_config(folder: Path, config: TrainConfig, extra: dict[str, Any] | None = None) -> None:
    """Writes `config.json`, so that a folder tells how it was made.

    Raises:
      OSError: if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config.as_dict() | (extra or {}))
