"""Benchmark of training: playing with the network, learning from it, and both, in decisions per second."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from bench_timing import CALLS

import jaxtro
from jaxtro.agents.batching import each_seed
from jaxtro.agents.network import LARGE, SMALL, PolicyValue
from jaxtro.agents.ppo import PPOConfig, make_learn, optimiser
from jaxtro.agents.rollout import make_rollout, start_games
from jaxtro.env.reward import DEFAULT_WEIGHTS


def _median(function: Callable[[], Any]) -> float:
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def _one_batch(env: Any, net: PolicyValue, config: PPOConfig, batch: int) -> dict[str, Any]:
    keys = jax.random.split(jax.random.PRNGKey(0), batch)[None]
    key = keys[:, 0]
    games = jax.jit(lambda keys: start_games(env, net.config, keys, jaxtro.make_params()))(keys)
    one = jax.tree.map(lambda values: jnp.zeros(values.shape[2:], values.dtype), games.features)
    params = jax.tree.map(lambda leaf: leaf[None], jax.jit(net.init)(key[0], one))
    start = time.perf_counter()
    play = jax.jit(make_rollout(env, net, config.rollout_steps, config.gamma))
    rollout = play.lower(params, games, key, DEFAULT_WEIGHTS).compile()
    compile_s = time.perf_counter() - start
    _, trajectory, last, _ = rollout(params, games, key, DEFAULT_WEIGHTS)
    playing = _median(lambda: rollout(params, games, key, DEFAULT_WEIGHTS))
    state = jax.vmap(optimiser(config).init)(params)
    learn = jax.jit(each_seed(make_learn(net, config)))
    progress = jnp.zeros(1)
    jax.block_until_ready(learn(params, state, trajectory, last, key, progress))
    learning = _median(lambda: learn(params, state, trajectory, last, key, progress))
    decisions = batch * config.rollout_steps
    return {
        "what": "PPO", "batch": batch, "rollout_steps_per_s": decisions / playing,
        "learner_steps_per_s": decisions / learning, "steps_per_s": decisions / (playing + learning),
        "share_of_rollout": playing / (playing + learning), "compile_s": compile_s,
    }  # fmt: skip


def bench_train(batches: tuple[int, ...]) -> list[dict[str, Any]]:
    """Decisions per second of a rollout alone, of the learner alone (all epochs), and of both one after the other.

    With the network and the settings that `ppo.py` chooses for this machine, from the start of new games with an
    untrained policy.
    """
    net = PolicyValue(SMALL if jax.default_backend() == "cpu" else LARGE)
    config = PPOConfig(target_kl=0.0)  # no early stop: every epoch is timed
    env = jaxtro.AutoReset(jaxtro.make())
    return [_one_batch(env, net, config, batch) for batch in batches]
