"""Search on the tiny game: it finds better plays than the network that proposes them."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.agents.network import NetworkConfig
from jaxtro.agents.saved_policy import SavedPolicy, init_params
from jaxtro.agents.search import SearchAgent
from tests.agents.mini import MiniEnv, MiniState

CONFIG, GAMES = NetworkConfig(entity=8, hidden=16), 64


def other_deal(key: jax.Array, state: MiniState) -> MiniState:
    """The next cards are hidden."""
    return replace(state, key=jax.random.key_data(key).astype(state.key.dtype))


@pytest.fixture(scope="module")
def params():
    return init_params(CONFIG, jax.random.PRNGKey(0))


def rewards(agent, params):
    """The rewards of first plays, and whether they were legal."""
    env = MiniEnv()

    @jax.jit
    @jax.vmap
    def one(key):
        observation, state = env.reset(key)
        action = agent.act(params, key, state, observation, env.legal_actions(state))
        other = agent.act(params, key, other_deal(key, state), observation, env.legal_actions(state))
        same = jnp.all(action.cards == other.cards)
        return env.step(state, action)[2], jnp.sum(action.cards), same

    return jax.device_get(one(jax.random.split(jax.random.PRNGKey(3), GAMES)))


def test_search_plays_better_than_its_network_and_sees_nothing_hidden(params):
    env = MiniEnv()
    search = SearchAgent(env, params, CONFIG, simulations=24, candidates=8, worlds=2, hide=other_deal)
    found, cards, same = rewards(search, params)
    alone, _, _ = rewards(SavedPolicy("net", params, CONFIG, temperature=1.0), params)
    assert np.mean(found) > np.mean(alone) + 0.5
    assert ((cards >= 1) & (cards <= 5)).all()
    assert same.all()


def test_wrong_sizes(params):
    for name in ("simulations", "candidates", "worlds"):
        with pytest.raises(ValueError, match=f"{name} is 0"):
            SearchAgent(None, params, CONFIG, **{name: 0})
