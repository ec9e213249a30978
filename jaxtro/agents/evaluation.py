"""Playing fixed seeds to the end with any agent, and comparing two agents on the same seeds."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.agents.agent import Agent
from jaxtro.agents.results import Runs, runs_of
from jaxtro.compile_cache import keep
from jaxtro.devices import mesh_for, over_games
from jaxtro.seed_text import decode_seed

_STEPS = 16  # decisions of every game in one call


class Player:
    """Plays batches of seeds with one agent, split over the devices of this host; compiled once.

    Attributes:
      env: `Balatro`. agent: see `Agent`. batch: games at a time.
    """

    def __init__(self, env: Any, agent: Agent, batch: int) -> None:
        self.env, self.agent, self.batch = env, agent, batch
        mesh = mesh_for(batch)
        about = (getattr(env, "about", None), getattr(agent, "about", None), mesh.size)
        reset = over_games(jax.vmap(env.reset_to_seed, in_axes=(0, None)), mesh, whole=(1,))
        self._reset = keep(jax.jit(reset), "reset", about[0], mesh.size)

        def advance(
            params: Any, carry: tuple[Any, Any], keys: Array, first: Array
        ) -> tuple[tuple[Any, Any], Array]:
            def one(carry: tuple[Any, Any], step: Array) -> tuple[tuple[Any, Any], Array]:
                observation, states = carry
                legal = jax.vmap(env.legal_actions)(states)
                now = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, step)
                actions = jax.vmap(agent.act, in_axes=(None, 0, 0, 0, 0))(
                    params, now, states, observation, legal
                )
                observation, states, _, _, _, info = jax.vmap(env.step)(states, actions)
                return (observation, states), jnp.sum(info.illegal)

            carry, illegal = jax.lax.scan(one, carry, first + jnp.arange(_STEPS))
            return carry, jnp.sum(illegal)[None]

        advance = over_games(advance, mesh, whole=(0, 3))
        self._advance = keep(jax.jit(advance, donate_argnums=1), "evaluation", *about)

    def play(
        self,
        seeds: np.ndarray,
        params: Any,
        key: int = 0,
        max_steps: int = 2000,
        progress: Callable[[int], None] | None = None,
        agent_params: Any = None,
    ) -> Runs:
        """Plays every seed until its run ends.

        Args:
          seeds: uint8[N, 8]. params: of the game, `make_params(...)`. key: of the agent's own draws.
          max_steps: decisions after which a run is given up; it counts as not won.
          progress: gets the number of runs that are over, now and then.
          agent_params: instead of the agent's own (a network in training).

        Raises:
          RuntimeError: if the agent chose an illegal action.
        """
        agent_params = self.agent.params if agent_params is None else agent_params
        found: list[Any] = []
        for first in range(0, len(seeds), self.batch):
            some = seeds[first : first + self.batch]
            padded = np.concatenate([some, np.repeat(some[:1], self.batch - len(some), axis=0)])
            carry = self._reset(jnp.asarray(padded), params)
            # Each seed has its own key, whatever batch it is played in.
            places = jnp.arange(first, first + self.batch)
            keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(jax.random.PRNGKey(key), places)
            for number in range(-(-max_steps // _STEPS)):
                carry, illegal = self._advance(agent_params, carry, keys, jnp.int32(number * _STEPS))
                if (wrong := int(jnp.sum(illegal))) > 0:
                    raise RuntimeError(
                        f"{self.agent.name} chose {wrong} illegal actions; this is a mistake of it"
                    )
                over = np.asarray(jax.vmap(self.env.finished)(carry[1]))[: len(some)]
                if progress is not None:
                    progress(first + int(over.sum()))
                if over.all():
                    break
            states = jax.device_get(carry[1])
            found.append(jax.tree.map(lambda values: values[: len(some)], states))  # noqa: B023
        whole = jax.tree.map(lambda *parts: np.concatenate(parts), *found)
        return runs_of(whole, [decode_seed(seed) for seed in seeds])


def timed_play(player: Player, seeds: np.ndarray, params: Any, **options: Any) -> tuple[Runs, float]:
    """`Player.play`, and the seconds it took (with compiling, the first time)."""
    start = time.perf_counter()
    runs = player.play(seeds, params, **options)
    return runs, time.perf_counter() - start


def paired(one: Runs, other: Runs, draws: int = 10_000) -> dict[str, Any]:
    """How much better the first agent is on the same seeds, with 95 % intervals of the mean difference (bootstrap).

    Raises:
      ValueError: if the seeds differ.
    """
    if one.seed != other.seed:
        raise ValueError("the agents played different seeds; a paired comparison needs the same ones")
    g = np.random.default_rng(0)
    picks = g.integers(0, len(one), (draws, len(one)))
    report: dict[str, Any] = {"runs": len(one)}
    for name in ("won", "ante", "blinds"):
        difference = getattr(one, name).astype(float) - getattr(other, name).astype(float)
        means = difference[picks].mean(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        report[name] = {
            "difference": float(difference.mean()), "low": float(low), "high": float(high),
            "better": int((difference > 0).sum()), "worse": int((difference < 0).sum()),
        }  # fmt: skip
    return report
