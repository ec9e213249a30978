"""Trains on the tiny game; run as a program by tests that kill it, give it more devices or run two of it."""

import os
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from jaxtro.agents.network import NetworkConfig  # noqa: E402
from jaxtro.agents.ppo import PPOConfig  # noqa: E402
from jaxtro.agents.saved_policy import load_policy  # noqa: E402
from jaxtro.agents.training import TrainConfig, Trainer, train, write_config  # noqa: E402
from tests.agents.mini import mini  # noqa: E402

UPDATES = 12
CONFIG = TrainConfig(
    num_envs=32, total_steps=32 * 8 * UPDATES, eval_every=6, eval_seeds=128, save_every=2, max_steps=8,
    network=NetworkConfig(entity=8, hidden=16),
    ppo=PPOConfig(rollout_steps=8, minibatch=64, epochs=4, learning_rate=5e-3, target_kl=0.0),
)  # fmt: skip


def make_trainer() -> Trainer:
    """A trainer of the tiny game."""
    return Trainer(mini(), CONFIG, make_params=lambda max_steps: jnp.int32(0))


def main() -> None:
    """Trains into the folder of the first argument; prints a checksum of the parameters at the end.

    Two more arguments: the address of the first of two hosts, and which of them this is.
    """
    jax.config.update("jax_compilation_cache_dir", os.environ["JAX_COMPILATION_CACHE_DIR"])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        jax.distributed.initialize(sys.argv[2], num_processes=2, process_id=int(sys.argv[3]))
    write_config(folder, CONFIG)
    trainer = make_trainer()
    state = train(trainer, folder, say=lambda text: None)
    judged = trainer.evaluate(trainer.put(load_policy(folder).params), 128, "test")
    assert judged["runs"] == 128
    leaves = jax.tree.leaves(state.params)
    for leaf in leaves:  # every device has the same parameters
        copies = [np.asarray(shard.data) for shard in leaf.addressable_shards]
        assert all((copy == copies[0]).all() for copy in copies)
        assert np.isfinite(copies[0]).all()
    print(len(jax.devices()), int(state.update), sum(float(jnp.sum(jnp.abs(leaf))) for leaf in leaves))


if __name__ == "__main__":
    main()
