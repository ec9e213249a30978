"""A trained network as an agent: found in the folder of a training or cloning run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.agents import policy
from jaxtro.agents.checkpoint import CheckpointError, latest_step, load_checkpoint, read_meta
from jaxtro.agents.exact_plays import features_for
from jaxtro.agents.features import Features, features_of
from jaxtro.agents.network import NetworkConfig, PolicyValue, in_lists
from jaxtro.env.actions import Action, Legal
from jaxtro.env.observation import Observation
from jaxtro.env.state import State

BEST, LAST = "best", "last"


@dataclass(frozen=True)
class SavedPolicy:
    """An agent that plays a trained network's actions.

    Attributes:
      name, params: as of `Agent`. config: of the network. temperature: of the draw, see `policy.act`.
    """

    name: str
    params: Any
    config: NetworkConfig
    temperature: float = 0.0

    @property
    def about(self) -> str:
        """See `Agent`."""
        return f"network {self.config}, temperature {self.temperature}"

    def act(self, params: Any, key: Array, state: State, observation: Observation, legal: Legal) -> Action:
        """See `Agent.act`."""
        net = in_lists(PolicyValue(self.config))  # games are played as a batch
        features = features_for(self.config, observation, state)
        taken, _, _ = policy.act(net, params, features, legal, key, self.temperature)
        return taken.action()


def empty_features() -> Features:
    """Features of no game at all, for making parameters."""
    import jaxtro

    observation, _ = jax.eval_shape(jaxtro.make().reset, jax.random.PRNGKey(0))
    shapes = jax.eval_shape(features_of, observation)
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)


def init_params(config: NetworkConfig, key: Array) -> Any:
    """New parameters of a network."""
    return jax.jit(PolicyValue(config).init)(key, empty_features())


def load_policy(folder: Path, temperature: float | None = None) -> SavedPolicy:
    """The network of a folder: its best checkpoint, else its last one.

    Args:
      temperature: of the draw, 0 = the likeliest actions; None = as the checkpoint was judged.

    Raises:
      CheckpointError: if there is none that this program can read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder; give the --out-dir of a training run")
    for name in (BEST, LAST):
        step = latest_step(folder / name)
        if step is None:
            continue
        _, meta = read_meta(folder / name, step)
        config = NetworkConfig.from_dict(meta["config"]["network"])
        shape = jax.eval_shape(lambda: init_params(config, jax.random.PRNGKey(0)))  # noqa: B023
        one = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
        # A training in progress keeps the networks of all its seeds; the first one is taken.
        seeds = (meta["config"].get("num_seeds", 1),) if name == LAST else ()
        like = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct((*seeds, *leaf.shape), leaf.dtype, sharding=one),  # noqa: B023
            shape,
        )
        state, _ = load_checkpoint(folder / name, {"params": like}, step, partial=name == LAST)
        params = jax.tree.map(lambda leaf: leaf[0], state["params"]) if seeds else state["params"]
        if temperature is None:
            # Older checkpoints say only whether the likeliest actions were taken.
            temperature = float(meta.get("temperature", 0.0 if meta.get("greedy", True) else 1.0))
        return SavedPolicy(folder.name, params, config, temperature)
    raise CheckpointError(f"{folder}: no checkpoint there; give the --out-dir of a training run")
