"""Playing a batch of games with the network on the device, with new runs (training) or without (evaluation)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.agents import policy
from jaxtro.agents.features import Features, features_of
from jaxtro.agents.network import PolicyValue, apply
from jaxtro.agents.value import mean_value
from jaxtro.env.reward import Weights


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Games:
    """A batch of games between two decisions. auto: `AutoState`[N]. features: `Features`[N], of the next decision."""

    auto: Any
    features: Features


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Trajectory:
    """What a learner needs of each step; leading axes [T, N].

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
    """Sums over all steps of a rollout, float32[].

    Attributes:
      steps: decisions of unfinished runs. ended: runs that ended. won: of these. ante: sum of their last antes.
      truncated: runs cut off. blinds: blinds beaten. terms: `Weights`, sum of each term of the reward, unweighted.
    """

    steps: Array
    ended: Array
    won: Array
    ante: Array
    truncated: Array
    blinds: Array
    terms: Weights


def start_games(env: Any, keys: Array, params: Any) -> Games:
    """New runs. keys: uint32[N, 2]. params: of the environment, the same for all games."""
    observation, auto = jax.vmap(env.reset, in_axes=(0, None))(keys, params)
    return Games(auto, jax.vmap(features_of)(observation))


def make_rollout(
    env: Any, net: PolicyValue, steps: int, gamma: float
) -> Callable[..., tuple[Games, Trajectory, Array, Tally]]:
    """A function that plays `steps` decisions in every game.

    Args:
      env: `AutoReset`. gamma: discount; a run that is cut off is credited with the discounted value of its last
        state, taken from before the step.

    Returns:
      (params, games, key, weights, restart, greedy) -> games, trajectory, value of the last state float32[N], tally.
      restart: bool[], finished runs are followed by new ones. greedy: bool[], the likeliest action is taken.
    """
    value_range = net.config.value_range

    def rollout(
        params: Any, games: Games, key: Array, weights: Weights, restart: Array, greedy: Array
    ) -> tuple[Games, Trajectory, Array, Tally]:
        count = jax.tree.leaves(games.features)[0].shape[0]

        def one(games: Games, key: Array) -> tuple[Games, tuple[Trajectory, Tally]]:
            legal = jax.vmap(env.legal_actions)(games.auto)

            def decide(features: Features, legal: Any, key: Array) -> tuple[policy.Taken, Array, Array]:
                taken, log_prob, encoded = policy.act(net, params, features, legal, key, greedy)
                return taken, log_prob, encoded.value

            taken, log_prob, logits = jax.vmap(decide)(games.features, legal, jax.random.split(key, count))
            value = mean_value(logits, value_range)
            before = games.auto.state
            inner = env.env
            over = jax.vmap(inner.finished)(before)
            observation, after, reward, terminated, truncated, info = jax.vmap(
                inner.step, in_axes=(0, 0, None)
            )(before, taken.action(), weights)
            terms = jax.vmap(inner.reward_terms)(before, after, info.illegal)
            done = terminated | truncated
            # Each part of a finished run's step is nothing.
            live = (~over).astype(jnp.float32)
            total = lambda values: jnp.sum(values.astype(jnp.float32) * live)  # noqa: E731
            tally = Tally(
                steps=total(live), ended=total(done), won=total(done & info.won), ante=total(info.ante * done),
                truncated=total(truncated), blinds=total(info.blind_cleared), terms=jax.tree.map(total, terms),
            )  # fmt: skip
            reward = reward + jnp.where(truncated & ~terminated, gamma * value, 0.0)
            observation, auto = jax.vmap(env.restart)(games.auto, after, observation, done & restart)
            step = Trajectory(games.features, taken, log_prob, value, reward, done)
            return Games(auto, jax.vmap(features_of)(observation)), (step, tally)

        games, (trajectory, tallies) = jax.lax.scan(one, games, jax.random.split(key, steps))
        logits = jax.vmap(lambda features: apply(net, params, features, method="encode").value)(
            games.features
        )
        tally = jax.tree.map(lambda values: jnp.sum(values, axis=0), tallies)
        return games, trajectory, mean_value(logits, value_range), tally

    return rollout
