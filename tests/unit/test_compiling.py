"""What XLA is told: never what games become."""

import chex
import jax
import numpy as np
import pytest

import jaxtro
from jaxtro.agents.random_policy import random_action
from jaxtro.compile_cache import keep
from jaxtro.tables import CHALLENGES, DECKS, STAKES
from tests.run_tools import BATCH, ENV, compiled, resets

LEVEL = "xla_backend_optimization_level"
STEPS = 150


def test_options_are_for_cpus_and_leave_the_users_choice(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    assert jaxtro.compiler_options() == ({LEVEL: 1} if jax.default_backend() == "cpu" else {})
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert jaxtro.compiler_options() == {}
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    assert jaxtro.compiler_options() == {LEVEL: 1}
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        assert jaxtro.compiler_options() == {}
    finally:
        jax.config.update("jax_disable_most_optimizations", False)
    monkeypatch.setenv("XLA_FLAGS", f"--xla_cpu_enable_fast_math=false --{LEVEL}=2")
    assert jaxtro.compiler_options() == {}


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="other backends have no options of ours")
def test_games_are_the_same_at_xlas_own_level():
    params = [
        jaxtro.make_params(deck, STAKES.keys[1 + n % 8], blind_scale=float(n % 3 == 0), endless=True)
        for n, deck in enumerate(DECKS.keys[1:16] * 2)
    ]
    params += [
        jaxtro.make_params(challenge=challenge, blind_scale=0.0, endless=True)
        for challenge in CHALLENGES.keys[1:]
    ]
    params += params[: BATCH - len(params)]
    states = resets([f"LEVEL{11 + n}".replace("0", "O") for n in range(BATCH)], params)
    games = jax.tree.map(lambda *values: np.stack(values), *states)
    ours = compiled()[0]
    theirs = keep(jax.jit(jax.vmap(ENV.step)), "step", ENV.about, options={LEVEL: 3})
    choose = jax.jit(jax.vmap(lambda key, state: random_action(key, ENV.legal_actions(state))))
    for number in range(STEPS):
        actions = choose(jax.random.split(jax.random.key(number), BATCH), games)
        after = ours(games, actions)
        chex.assert_trees_all_equal(after, theirs(games, actions))
        games = after[1]
    assert np.max(games.run.ante) > 2
