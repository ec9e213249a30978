"""Playing a batch of games with the network on the device, for training."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.agents import policy
from jaxtro.agents.batching import batched, each_seed
from jaxtro.agents.exact_plays import features_for
from jaxtro.agents.features import Features
from jaxtro.agents.network import NetworkConfig, PolicyValue, apply, in_lists
from jaxtro.agents.results import blinds_beaten, last_ante
from jaxtro.agents.value import mean_value
from jaxtro.env.reward import Weights

# Axes of the arrays: S training seeds, each with a network of its own; N games of each; T steps.


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Games:
    """Games between two decisions. auto: `AutoState`[S, N]. features: `Features`[S, N], of the next decision."""

    auto: Any
    features: Features


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Trajectory:
    """What a learner needs of each step; leading axes [S, T, N].

    Attributes:
      features: seen. taken: `policy.Taken`, done. log_prob, value, reward: float32. done: bool, the run ended here.
    """

    features: Features
    taken: policy.Taken
    log_prob: Array
    value: Array
    reward: Array
    done: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tally:
    """Sums over all steps and games of a rollout, float32[S].

    Attributes:
      steps: decisions. ended: runs that ended. won: of these. ante: sum of their last antes. truncated: runs cut off.
      blinds: sum of the blinds that the ended runs had beaten. terms: `Weights`, sum of each term of the reward,
        unweighted, of all decisions.
    """

    steps: Array
    ended: Array
    won: Array
    ante: Array
    truncated: Array
    blinds: Array
    terms: Weights


def _flat(tree: Any) -> Any:
    """[S, N] as one batch of games, which is how the environment plays them."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), tree)


def start_games(env: Any, config: NetworkConfig, keys: Array, params: Any) -> Games:
    """New runs. config: of the network. keys: uint32[S, N, 2]. params: of the environment, the same for all games."""
    observation, auto = jax.vmap(env.reset, in_axes=(0, None))(_flat(keys), params)
    split = lambda tree: jax.tree.map(lambda leaf: leaf.reshape(*keys.shape[:2], *leaf.shape[1:]), tree)  # noqa: E731
    features = jax.vmap(partial(features_for, config))(observation, auto.state)
    return Games(split(auto), split(features))


def make_rollout(
    env: Any, net: PolicyValue, steps: int, gamma: float
) -> Callable[..., tuple[Games, Trajectory, Array, Tally]]:
    """A function that plays `steps` decisions in every game, with new runs where they end.

    Args:
      env: `AutoReset`. gamma: discount; a run that is cut off is credited with the discounted value of its last
        state, taken from before the step.

    Returns:
      (params, games, keys, weights) -> games, trajectory, value of the last state float32[S, N], tally.
      params: of the networks, leading axis [S]. keys: uint32[S, 2].
    """
    net, value_range, inner = in_lists(net), net.config.value_range, env.env

    def decide(params: Any, features: Features, legal: Any, key: Array) -> tuple[policy.Taken, Array, Array]:
        """Decisions of one seed's games."""

        def one(features: Features, legal: Any, key: Array) -> tuple[policy.Taken, Array, Array]:
            taken, log_prob, encoded = policy.act(net, params, features, legal, key)
            return taken, log_prob, encoded.value

        taken, log_prob, logits = batched(one)(features, legal, jax.random.split(key, legal.kind.shape[0]))
        return taken, log_prob, mean_value(logits, value_range)

    def value_of(params: Any, features: Features) -> Array:
        encode = batched(lambda features: apply(net, params, features, method="encode").value)
        return mean_value(encode(features), value_range)

    def rollout(
        params: Any, games: Games, keys: Array, weights: Weights
    ) -> tuple[Games, Trajectory, Array, Tally]:
        shape = games.features.phase.shape
        by_seed = lambda tree: jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[1:]), tree)  # noqa: E731

        def one(games: tuple, keys: Array) -> tuple[tuple, tuple[Trajectory, Tally]]:
            auto, features = games
            legal = jax.vmap(env.legal_actions)(auto)
            decided = each_seed(decide)(params, by_seed(features), by_seed(legal), keys)
            taken, log_prob, value = _flat(decided)
            before = auto.state
            _, after, reward, terminated, truncated, info = jax.vmap(inner.step, in_axes=(0, 0, None))(
                before, taken.action(), weights
            )
            terms = jax.vmap(inner.reward_terms)(before, after, info.illegal)
            done = terminated | truncated
            total = lambda values: jnp.sum(by_seed(values.astype(jnp.float32)), axis=1)  # noqa: E731
            tally = Tally(
                steps=total(jnp.ones_like(done)), ended=total(done), won=total(done & info.won),
                ante=total(last_ante(after) * done), truncated=total(truncated),
                blinds=total(blinds_beaten(after) * done),
                terms=jax.tree.map(total, terms),
            )  # fmt: skip
            reward = reward + jnp.where(truncated & ~terminated, gamma * value, 0.0)
            observation, auto = jax.vmap(env.restart)(auto, after, done)
            step = Trajectory(features, taken, log_prob, value, reward, done)
            features = batched(partial(features_for, net.config))(observation, auto.state)
            return (auto, features), (step, tally)

        of_steps = jnp.swapaxes(jax.vmap(lambda key: jax.random.split(key, steps))(keys), 0, 1)
        (auto, features), (trajectory, tallies) = jax.lax.scan(
            one, (_flat(games.auto), _flat(games.features)), of_steps
        )
        games = Games(by_seed(auto), by_seed(features))
        trajectory = jax.tree.map(
            lambda leaf: jnp.swapaxes(leaf.reshape(steps, *shape, *leaf.shape[2:]), 0, 1), trajectory
        )
        last = each_seed(value_of)(params, games.features)
        return games, trajectory, last, jax.tree.map(lambda values: jnp.sum(values, axis=0), tallies)

    return rollout
