"""What evaluation, data generation and search ask of an agent."""

from typing import Any, Protocol

from jax import Array

from jaxtro.env.actions import Action, Legal
from jaxtro.env.observation import Observation
from jaxtro.env.state import State


class Agent(Protocol):
    """Chooses actions; `act` is pure, for one game, and is vmapped over a batch.

    Attributes:
      name: for tables and file names. params: a pytree that `act` gets back (a network's parameters), or ().

    An agent may also have `about`, a text that says what `act` depends on beside its arguments: then the compiled
    program of an evaluation is kept on disk (`compile_cache.keep`).
    """

    @property
    def name(self) -> str:
        """For tables and file names."""
        ...

    @property
    def params(self) -> Any:
        """What `act` gets back."""
        ...

    def act(self, params: Any, key: Array, state: State, observation: Observation, legal: Legal) -> Action:
        """The action for one unfinished game.

        Only what the player may know may be used of `state`: experts take it because rules read it more easily than
        the observation; the draw order, the random streams and faces of hidden cards are not for them.

        Args:
          key: uint32[2], a JAX random key for this decision.
        """
        ...
