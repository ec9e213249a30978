"""Wrappers around the environment."""

from dataclasses import dataclass
from functools import partial
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
class _Run:
    """What a restart changes: the run, and the key as plain numbers."""

    state: Any
    key: Array


class AutoReset:
    """Starts a new run, with a seed text of its own, in the step in which one ends.

    In a batch only the runs that ended are reset. `reward`, `terminated`, `truncated` and `info` are those of the
    run that ended; the observation is the new run's first.

    Attributes:
      env: `Balatro`, `FlatBalatro`, or another with their `reset`, `step`, `observe` and `legal_actions`.
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

    def observe(self, auto: AutoState) -> Any:
        """As the environment's."""
        return self.env.observe(auto.state)

    def step(self, auto: AutoState, action: Any, weights: Weights = DEFAULT_WEIGHTS) -> tuple:
        """As the environment's, and a new run where this one ended or was truncated.

        Best inside jit: the observation of `env.step` is not used, and outside it is computed all the same.
        """
        _, state, reward, terminated, truncated, info = self.env.step(auto.state, action, weights)
        observation, auto = self.restart(auto, state, terminated | truncated)
        return observation, auto, reward, terminated, truncated, info

    def restart(self, auto: AutoState, state: Any, done: Array) -> tuple[Any, AutoState]:
        """A new run where `done`, else the given state. -> observation, state"""
        impl = jax.random.key_impl(auto.key) if jnp.issubdtype(auto.key.dtype, jax.dtypes.prng_key) else None
        with jax.named_scope(SCOPE + "reset"):
            run = _Run(state, auto.key if impl is None else jax.random.key_data(auto.key))
            run = only_where(done, partial(self._new_run, impl), run, auto.params, often=True)
        key = run.key if impl is None else jax.random.wrap_key_data(run.key, impl=impl)
        # Of all games at once, so that the compiled step holds one observation (the one of `env.step` is not used).
        with jax.named_scope(SCOPE + "observe"):
            observation = self.env.observe(run.state)
        return observation, AutoState(run.state, key, auto.params)

    def _new_run(self, impl: Any, old: _Run, params: Any) -> _Run:
        key = old.key if impl is None else jax.random.wrap_key_data(old.key, impl=impl)
        now, later = jax.random.split(key)
        return _Run(self.env.reset(now, params)[1], later if impl is None else jax.random.key_data(later))
