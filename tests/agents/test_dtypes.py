"""Agents compute in 32 bits: scores are 64-bit numbers only inside the game."""

import jax
import jax.numpy as jnp
import numpy as np

import jaxtro
from jaxtro.agents import policy
from jaxtro.agents.features import features_of
from jaxtro.agents.network import NetworkConfig, PolicyValue, apply, in_lists
from jaxtro.agents.ppo import PPOConfig, make_learn, optimiser
from jaxtro.agents.rollout import Trajectory
from jaxtro.agents.saved_policy import empty_features

NET = PolicyValue(NetworkConfig(entity=8, hidden=16))


def wide(jaxpr, where=""):
    """The operations of a program, with those inside of others, that bring arrays of 64-bit floats.

    A few numbers cost nothing (the optimiser's corrections for the number of steps, for one).
    """
    for eqn in jaxpr.eqns:
        here = f"{where}/{eqn.primitive.name}"
        if any(getattr(v.aval, "dtype", None) == np.float64 and v.aval.size > 2 for v in eqn.outvars):
            yield here
        for value in eqn.params.values():
            for part in value if isinstance(value, (list, tuple)) else [value]:
                inner = getattr(part, "jaxpr", part)
                if hasattr(inner, "eqns"):
                    yield from wide(inner, here)


def shapes(function, *args):
    return jax.eval_shape(function, *args)


def test_the_network_and_the_learner_have_no_64_bit_floats():
    env = jaxtro.make()
    observation, state = shapes(env.reset, jax.random.PRNGKey(0))
    legal, features = shapes(env.legal_actions, state), empty_features()
    params = shapes(NET.init, jax.random.PRNGKey(0), features)
    key = jax.random.PRNGKey(0)

    def act(params, features, legal, key):
        return policy.act(NET, params, features, legal, key)

    taken, log_prob, _ = shapes(act, params, features, legal, key)
    rows = lambda tree: jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((2, 4, *leaf.shape), leaf.dtype), tree)  # noqa: E731
    number, done = rows(jnp.float32(0)), rows(jnp.bool_(False))
    trajectory = Trajectory(rows(features), rows(taken), number, number, number, done)

    def encode(params, features):
        return jax.vmap(jax.vmap(lambda one: apply(in_lists(NET), params, one, method="encode")))(features)

    config = PPOConfig(minibatch=4)
    learn, state = make_learn(NET, config), shapes(optimiser(config).init, params)
    last = jax.ShapeDtypeStruct((4,), jnp.float32)
    programs = {
        "features": jax.make_jaxpr(features_of)(observation),
        "act": jax.make_jaxpr(act)(params, features, legal, key),
        "encode in lists": jax.make_jaxpr(encode)(params, rows(features)),
        "learn": jax.make_jaxpr(learn)(params, state, trajectory, last, key, jnp.float32(0)),
    }
    assert log_prob.dtype == jnp.float32
    assert {name: sorted(set(wide(program.jaxpr))) for name, program in programs.items()} == {
        "features": [], "act": [], "encode in lists": [], "learn": [],
    }  # fmt: skip


def test_an_observation_has_no_64_bit_numbers():
    observation, _ = shapes(jaxtro.make().reset, jax.random.PRNGKey(0))
    found = {leaf.dtype for leaf in jax.tree.leaves(observation)}
    assert not found & {np.dtype("float64"), np.dtype("int64")}
    # The walk does find them.
    assert list(wide(jax.make_jaxpr(jax.jit(lambda x: jnp.sin(x)))(np.ones(3)).jaxpr))
