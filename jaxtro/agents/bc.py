"""Behaviour cloning: what an expert does, collected on the device, and a network fitted to it."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jaxtro.agents import policy
from jaxtro.agents.agent import Agent
from jaxtro.agents.batching import mean_gradient
from jaxtro.agents.exact_plays import features_for
from jaxtro.agents.features import Features
from jaxtro.agents.network import SMALL, NetworkConfig, PolicyValue, in_lists
from jaxtro.agents.value import value_loss
from jaxtro.compiling import compiler_options
from jaxtro.devices import mesh_for, over_games
from jaxtro.env.flat import FlatBalatro, FlatState
from jaxtro.env.reward import DEFAULT_WEIGHTS, Weights
from jaxtro.env.state import Phase


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Steps:
    """Decisions of an expert; leading axes [T, N] from a rollout, or [M].

    Attributes:
      features: seen. taken: `policy.Taken`, what the expert does there.
      seed: uint8[8], of the run. step: int32, decisions before. phase: int8. hand_size: int32.
      legal: bool[177], flat actions that are legal with the expert's cards chosen. reward: float32. terms: `Weights`.
      done: bool, the run ended with the action that was played.
    """

    features: Features
    taken: policy.Taken
    seed: Array
    step: Array
    phase: Array
    hand_size: Array
    legal: Array
    reward: Array
    terms: Weights
    done: Array


def make_collect(
    env: Any, expert: Agent, length: int, config: NetworkConfig = SMALL, with_student: bool = False
) -> Callable[..., Any]:
    """A function that plays on and notes what the expert does at each decision.

    Args:
      env: `AutoReset`. length: decisions of each game. config: of the network that is to learn from them.
      with_student: that network plays some of the games; else the expert plays all of them itself.

    Returns:
      (carry, key, student_params, share) -> carry, `Steps`[T, N]. carry: (observation, AutoState) of a batch.
      share: float32[], how many of the games the student plays (DAgger: the expert labels what the student visits).
    """
    flat, net = FlatBalatro(env.env), in_lists(PolicyValue(config))

    def collect(carry: Any, key: Array, student: Any, share: Array) -> tuple[Any, Steps]:
        count = carry[1].key.shape[0]

        def one(carry: Any, key: Array) -> tuple[Any, Steps]:
            observation, auto = carry
            states = auto.state
            legal = jax.vmap(env.legal_actions)(auto)
            seen = jax.vmap(partial(features_for, config))(observation, states)
            of_expert, of_student = (jax.random.split(part, count) for part in jax.random.split(key))
            action = jax.vmap(expert.act, in_axes=(None, 0, 0, 0, 0))(
                expert.params, of_expert, states, observation, legal
            )
            taken = jax.vmap(policy.taken_of)(action, legal)
            played = action
            if with_student:

                def choose(features: Features, legal: Any, key: Array) -> Any:
                    return policy.act(net, student, features, legal, key)[0].action()

                own = jax.vmap(choose)(seen, legal, of_student)
                mine = jnp.arange(count) < share * count
                played = jax.tree.map(
                    lambda a, b: jnp.where(mine.reshape(-1, *[1] * (a.ndim - 1)), a, b), own, action
                )
            # With the expert's cards chosen, as its action takes them.
            numbers = jax.vmap(flat.legal_actions)(FlatState(states, taken.cards))
            _, after, reward, ended, cut, info = jax.vmap(env.env.step, in_axes=(0, 0, None))(
                states, played, DEFAULT_WEIGHTS
            )
            terms = jax.vmap(env.env.reward_terms)(states, after, info.illegal)
            observation, auto = jax.vmap(env.restart)(auto, after, ended | cut)
            step = Steps(
                features=seen, taken=taken, seed=states.streams.seed, step=states.run.steps, phase=states.phase,
                hand_size=states.piles.n_hand, legal=numbers, reward=reward, terms=terms, done=ended | cut,
            )  # fmt: skip
            return (observation, auto), step

        return jax.lax.scan(one, carry, jax.random.split(key, length))

    return collect


def by_device(collect: Callable[..., Any]) -> Callable[..., Any]:
    """`make_collect`'s function for one device's games: (carry, keys[1, 2], student, share) -> carry, `Steps`[M]."""

    def run(carry: Any, keys: Array, student: Any, share: Array) -> tuple[Any, Steps]:
        carry, steps = collect(carry, keys[0], student, share)
        return carry, flatten(steps)

    return run


def flatten(steps: Steps) -> Steps:
    """[T, N] as [T * N]."""
    return jax.tree.map(lambda values: values.reshape(-1, *values.shape[2:]), steps)


def returns_of(steps: Steps, gamma: float) -> np.ndarray:
    """Discounted sums of the rewards from each decision to the end of its run, in any order of the decisions.

    Args:
      steps: [M], numpy arrays; runs are told apart by their seeds.

    Returns:
      float32[M]; NaN where the run goes on behind what was collected, as its sum is not known.
    """
    runs = np.unique(steps.seed, axis=0, return_inverse=True)[1].reshape(-1)
    found = np.full(len(runs), np.nan, np.float32)
    run: Any = -1
    step, later = run, np.nan
    for at in np.lexsort((steps.step, runs))[::-1]:
        if runs[at] != run or (steps.step[at] != step - 1 and not steps.done[at]):
            later = np.nan  # the decision behind this one is not there
        run, step = runs[at], steps.step[at]
        later = float(steps.reward[at]) + gamma * (0.0 if steps.done[at] else later)
        found[at] = later
    return found


def held_out(steps: Steps, share: float) -> np.ndarray:
    """The decisions that agreement is measured on: whole runs, the same ones whenever more is collected. -> bool[M]

    Where that leaves nothing on one side (few runs), the last decisions are held out.
    """
    numbers = np.array([zlib.crc32(bytes(seed)) for seed in np.asarray(steps.seed, np.uint8)])
    mask: np.ndarray = numbers < share * 2**32
    if not mask.any() or mask.all():
        mask = np.arange(len(numbers)) >= min(len(numbers) - 1, int(len(numbers) * (1 - share)))
    return mask


@dataclass(frozen=True)
class CloneConfig:
    """Settings of the fit."""

    epochs: int = 8
    """Passes over all decisions."""
    minibatch: int = 1024
    """Decisions of one gradient step."""
    learning_rate: float = 1e-3
    """At the start; it falls to 0 along a cosine."""
    weight_decay: float = 1e-4
    """Of AdamW."""
    value_loss: float = 0.1
    """Weight of the value's loss, so that PPO can go on from the network."""
    held_out: float = 0.05
    """Share of the runs that agreement is measured on."""

    def __post_init__(self) -> None:
        for name in ("epochs", "minibatch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give 1 or more")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is {self.held_out}: give more than 0 and less than 1")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate is {self.learning_rate}: give more than 0")


def _by_phase(agrees: np.ndarray, phases: np.ndarray) -> dict[str, float]:
    """The share of decisions that agree, for each phase there is."""
    return {
        f"top1_{Phase(phase).name.lower()}": float(agrees[phases == phase].mean())
        for phase in np.unique(phases)
    }


def fit(
    net: PolicyValue, params: Any, steps: Steps, returns: np.ndarray, config: CloneConfig, seed: int = 0
) -> Iterator[tuple[Any, dict[str, float]]]:
    """Fits a network to decisions; yields the parameters and figures after each epoch.

    Args:
      steps: [M], numpy arrays. returns: float32[M], targets of the value; those that are NaN are left out.

    Raises:
      ValueError: for too few decisions.
    """
    total = len(returns)
    g = np.random.default_rng(seed)
    if total < 2:
        raise ValueError(f"{total} decisions are too few to fit a network")
    mask = held_out(steps, config.held_out)
    test, train = np.flatnonzero(mask), np.flatnonzero(~mask)
    size = min(config.minibatch, len(train))
    per_epoch = len(train) // size
    schedule = optax.cosine_decay_schedule(config.learning_rate, max(1, config.epochs * per_epoch))
    transform = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=config.weight_decay)
    )
    net, value_range = in_lists(net), net.config.value_range

    def loss_of(params: Any, batch: tuple) -> tuple[Array, Array]:
        features, taken, target, weight = batch
        found, _, encoded = jax.vmap(lambda f, t: policy.log_prob(net, params, f, t))(features, taken)
        imitation = -jnp.mean(found)
        critic = jnp.mean(value_loss(encoded.value, target, value_range) * weight)
        return imitation + config.value_loss * critic, imitation

    gradient = over_games(partial(mean_gradient, loss_of), mesh_for(size), whole=(0,), mean=True)

    @partial(jax.jit, compiler_options=compiler_options())
    def improve(params: Any, state: Any, features: Features, taken: policy.Taken, target: Array) -> Any:
        known = jnp.isfinite(target)
        weight = known * (target.size / jnp.maximum(jnp.sum(known, dtype=jnp.float32), 1.0))
        batch = (features, taken, jnp.where(known, target, 0.0), weight)
        grads, imitation = gradient(params, batch)
        updates, state = transform.update(grads, state, params)
        return optax.apply_updates(params, updates), state, imitation

    @partial(jax.jit, compiler_options=compiler_options())
    def ranks(params: Any, features: Features, taken: policy.Taken) -> Array:
        return jax.vmap(lambda f, t: policy.worst_rank(net, params, f, t))(features, taken)

    def part(places: np.ndarray) -> tuple[Any, Any]:
        return jax.tree.map(lambda values: values[places], (steps.features, steps.taken))

    params = jax.device_get(params)  # not tied to the devices of another fit
    state = transform.init(params)
    for epoch in range(config.epochs):
        losses = []
        for places in g.permutation(train)[: per_epoch * size].reshape(per_epoch, size):
            params, state, imitation = improve(params, state, *part(places), jnp.asarray(returns[places]))
            losses.append(imitation)
        fitted = jax.device_get(params)
        found = np.concatenate(
            [np.asarray(ranks(fitted, *part(some))) for some in np.array_split(test, -(-len(test) // size))]
        )
        yield params, {
            "epoch": epoch + 1, "loss": float(np.mean(jax.device_get(losses))), "top1": float((found == 0).mean()),
            "top3": float((found < 3).mean()), "decisions": total,
        } | _by_phase(found == 0, np.asarray(steps.phase)[test])  # fmt: skip
