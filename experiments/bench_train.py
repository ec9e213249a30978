"""Benchmark of training: playing with the network, learning from it, and both, in decisions per second."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from bench_timing import CALLS
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

import jaxtro
from jaxtro.agents.batching import each_seed
from jaxtro.agents.network import PolicyValue, of_size
from jaxtro.agents.ppo import PPOConfig, make_learn, optimiser
from jaxtro.agents.rollout import make_rollout, start_games
from jaxtro.devices import AXIS, mesh_for
from jaxtro.env.reward import DEFAULT_WEIGHTS


def _median(function: Callable[[], Any]) -> float:
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def _one_batch(env: Any, net: PolicyValue, config: PPOConfig, batch: int, mesh: Mesh) -> dict[str, Any]:
    split, same = P(None, AXIS), P()

    def over(function: Any, takes: Any, gives: Any) -> Any:
        over_devices = jax.shard_map(function, mesh=mesh, in_specs=takes, out_specs=gives, check_vma=False)
        return jax.jit(over_devices, compiler_options=jaxtro.compiler_options())

    keys = jax.random.split(jax.random.PRNGKey(0), batch)[None]
    key = keys[:, 0]
    start_all = over(lambda keys: start_games(env, net.config, keys, jaxtro.make_params()), split, split)
    games = start_all(keys)
    one = jax.tree.map(lambda values: jnp.zeros(values.shape[2:], values.dtype), games.features)
    params = jax.tree.map(lambda leaf: leaf[None], jax.jit(net.init)(key[0], one))
    start = time.perf_counter()
    play = make_rollout(env, net, config.rollout_steps, config.gamma)

    def rollout_here(params: Any, games: Any, key: jax.Array) -> Any:
        key = jax.vmap(jax.random.fold_in, in_axes=(0, None))(key, jax.lax.axis_index(AXIS))
        return play(params, games, key, DEFAULT_WEIGHTS)[1:3]

    steps = P(None, None, AXIS)
    rollout = over(rollout_here, (same, split, same), (steps, split)).lower(params, games, key).compile()
    compile_s = time.perf_counter() - start
    trajectory, last = rollout(params, games, key)
    playing = _median(lambda: rollout(params, games, key))
    state = jax.vmap(optimiser(config).init)(params)
    learn = over(
        each_seed(make_learn(net, config, AXIS)), (same, same, steps, split, same, same), (same, same, same)
    )
    progress = jnp.zeros(1)
    jax.block_until_ready(learn(params, state, trajectory, last, key, progress))
    learning = _median(lambda: learn(params, state, trajectory, last, key, progress))
    decisions = batch * config.rollout_steps
    return {
        "what": "PPO", "batch": batch, "devices": mesh.size, "rollout_steps_per_s": decisions / playing,
        "learner_steps_per_s": decisions / learning, "steps_per_s": decisions / (playing + learning),
        "share_of_rollout": playing / (playing + learning), "compile_s": compile_s,
    }  # fmt: skip


def bench_train(batches: tuple[int, ...], cores: int | None) -> list[dict[str, Any]]:
    """Decisions per second of a rollout alone, of the learner alone (all epochs), and of both one after the other.

    With the network and the settings that `ppo.py` chooses for this machine, from the start of new games with an
    untrained policy.
    """
    net = PolicyValue(of_size("auto"))
    config = PPOConfig(target_kl=0.0)  # no early stop: every epoch is timed
    env = jaxtro.AutoReset(jaxtro.make())
    return [_one_batch(env, net, config, batch, mesh_for(batch, cores)) for batch in batches]
