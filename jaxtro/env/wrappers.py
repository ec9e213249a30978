"""Wrappers around the environment."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env.dispatch import only_where
from jaxtro.env.reward import DEFAULT_WEIGHTS, Weights
from jaxtro.env.step import SCOPE


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AutoState:
    """A run, the key that new seeds are drawn from, and the parameters of new runs.

    Attributes:
      state: of the wrapped environment, `State` or `FlatState`. key: a JAX random key, as given to `reset`.
      params: `Params`.
    """

    state: Any
    key: Array
    params: Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Fresh:
    """What a reset writes."""

    state: Any
    observation: Any


class AutoReset:
    """Starts a new run, with a seed text of its own, in the step in which one ends.

    In a batch only the runs that ended are reset. `reward`, `terminated`, `truncated` and `info` are those of the
    run that ended; the observation is the new run's first.

    Attributes:
      env: `Balatro` or `FlatBalatro`.
    """

    def __init__(self, env: Any) -> None:
        self.env = env

    @property
    def about(self) -> str | None:
        """See `Balatro.about`."""
        about = getattr(self.env, "about", None)
        return None if about is None else f"AutoReset of {type(self.env).__name__}, {about}"

    @property
    def default_params(self) -> Any:
        """Those of the environment."""
        return self.env.default_params

    def reset(self, key: Array, params: Any = None) -> tuple[Any, AutoState]:
        """As the environment's; params are kept for the following runs."""
        params = self.env.default_params if params is None else params
        now, later = jax.random.split(key)
        observation, state = self.env.reset(now, params)
        return observation, AutoState(state, later, params)

    def legal_actions(self, auto: AutoState) -> Any:
        """As the environment's."""
        return self.env.legal_actions(auto.state)

    def step(self, auto: AutoState, action: Any, weights: Weights = DEFAULT_WEIGHTS) -> tuple:
        """As the environment's, and a new run where this one ended or was truncated."""
        observation, state, reward, terminated, truncated, info = self.env.step(auto.state, action, weights)
        observation, auto = self.restart(auto, state, observation, terminated | truncated)
        return observation, auto, reward, terminated, truncated, info

    def restart(self, auto: AutoState, state: Any, observation: Any, done: Array) -> tuple[Any, AutoState]:
        """A new run where `done`, else the given state and observation. -> observation, state"""
        now, later = jax.random.split(auto.key)
        with jax.named_scope(SCOPE + "reset"):
            fresh = only_where(done, self._reset, _Fresh(state, observation), now, auto.params, often=True)
        key = jnp.where(done, jax.random.key_data(later), jax.random.key_data(auto.key))
        key = jax.random.wrap_key_data(key) if jnp.issubdtype(auto.key.dtype, jax.dtypes.prng_key) else key
        return fresh.observation, AutoState(fresh.state, key, auto.params)

    def _reset(self, old: _Fresh, key: Array, params: Any) -> _Fresh:
        del old
        observation, state = self.env.reset(key, params)
        return _Fresh(state, observation)
