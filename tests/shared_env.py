"""An environment for tests of what is built around it: it runs the compiled programs that all tests share."""

from typing import Any

import jax
import numpy as np

from jaxtro.env.actions import Action
from jaxtro.env.env import random_seed
from jaxtro.env.state import State
from tests.run_tools import BATCH, ENV, compiled, resets


class SharedEnv:
    """`Balatro`, one game at a time and outside jit, without a compilation of its own.

    Wrappers that jit what they do around a step are called under `jax.disable_jit()`; the programs here still
    run compiled.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(ENV, name)

    def step(self, state: State, action: Action, weights: Any = None) -> tuple[Any, ...]:
        """All that a step returns, as numpy arrays; the weights are the default ones."""
        del weights
        batch, moves = (
            jax.tree.map(lambda value: np.stack([np.asarray(value)] * BATCH), tree)
            for tree in (state, action)
        )
        with jax.disable_jit(False):
            out = jax.device_get(compiled()[0](batch, moves))
        return jax.tree.map(lambda values: np.array(values[0]), out)

    def reset(self, key: jax.Array, params: Any = None) -> tuple[Any, State]:
        """A new run."""
        with jax.disable_jit(False):
            return self.reset_to_seed(random_seed(key), params)

    def reset_to_seed(self, seed: Any, params: Any = None) -> tuple[Any, State]:
        """A new run of a seed."""
        params = ENV.default_params if params is None else params
        with jax.disable_jit(False):
            (state,) = resets([bytes(np.asarray(seed)).rstrip(b"\0").decode()], [params])
            return jax.device_get(ENV.observe(state)), state

    def legal_actions(self, state: State) -> Any:
        """What may be done now."""
        with jax.disable_jit(False):
            return ENV.legal_actions(state)
