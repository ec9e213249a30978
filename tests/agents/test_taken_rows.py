"""Rows that hold something: the same values and gradients as computing all of them."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.agents import taken_rows
from jaxtro.agents.network import NetworkConfig, PolicyValue, apply, in_lists
from jaxtro.agents.saved_policy import empty_features
from jaxtro.agents.taken_rows import where_taken

PLACES, WIDTH = 9, 4


def embed(weights, rows):  # type: ignore[no-untyped-def]
    ids, numbers, place = rows
    return jnp.tanh(weights["table"][ids] + numbers.astype(jnp.float32) @ weights["kernel"] + place[:, None])


def plain(weights, rows, taken):  # type: ignore[no-untyped-def]
    return jnp.where(taken[:, None], embed(weights, rows), 0.0)


def listed(weights, rows, taken):  # type: ignore[no-untyped-def]
    return where_taken(embed, weights, rows, taken)


def batch(decisions, share):  # type: ignore[no-untyped-def]
    g = np.random.default_rng(decisions)
    weights = {
        "table": jnp.asarray(g.normal(size=(5, WIDTH))),
        "kernel": jnp.asarray(g.normal(size=(3, WIDTH))),
    }
    ids = jnp.asarray(g.integers(0, 5, (decisions, PLACES)))
    numbers = jnp.asarray(g.normal(size=(decisions, PLACES, 3)), jnp.float16)
    return weights, ids, numbers, jnp.asarray(g.random((decisions, PLACES)) < share)


def over_batch(function, weights, ids, numbers, taken):  # type: ignore[no-untyped-def]
    place = jnp.arange(PLACES) / 8.0  # shared by all decisions
    return jax.vmap(lambda *row: function(weights, (row[0], row[1], place), row[2]))(ids, numbers, taken)


@pytest.mark.parametrize(("decisions", "share"), [(1, 0.5), (40, 0.0), (40, 0.3), (40, 1.0), (200, 0.6)])
def test_values_and_gradients_are_those_of_all_places(decisions, share):  # type: ignore[no-untyped-def]
    weights, *rest = batch(decisions, share)
    assert (
        decisions < 200 or int(jnp.sum(rest[2])) > 2 * taken_rows.TURN
    )  # so that the loop turns more than twice

    def loss(weights, function):  # type: ignore[no-untyped-def]
        found = over_batch(function, weights, *rest)
        return jnp.sum(found * jnp.arange(found.size).reshape(found.shape) / found.size), found

    values = jax.jit(jax.value_and_grad(loss, has_aux=True), static_argnums=1)
    chex.assert_trees_all_close(values(weights, listed), values(weights, plain), rtol=1e-5, atol=1e-6)


def test_one_decision_and_weights_of_each_decision() -> None:
    weights, ids, numbers, taken = batch(6, 0.5)
    rows = (ids[2], numbers[2], jnp.arange(PLACES) / 8.0)
    chex.assert_trees_all_close(listed(weights, rows, taken[2]), plain(weights, rows, taken[2]))
    many = jax.tree.map(lambda leaf: leaf[None] * jnp.arange(6.0)[:, None, None], weights)

    def of_each(function):  # type: ignore[no-untyped-def]
        one = lambda weights, ids, numbers, taken: function(weights, (ids, numbers, rows[2]), taken)  # noqa: E731
        return jax.vmap(one)(many, ids, numbers, taken)

    chex.assert_trees_all_close(of_each(listed), of_each(plain), rtol=1e-5, atol=1e-6)


def test_a_second_vmap_over_weights_with_gradients() -> None:
    weights, *rest = batch(6, 0.5)
    many = jax.tree.map(lambda leaf: leaf[None] * jnp.arange(1.0, 4.0)[:, None, None], weights)

    def of_each(function):  # type: ignore[no-untyped-def]
        loss = lambda weights: jnp.sum(over_batch(function, weights, *rest) ** 2)  # noqa: E731
        return jax.vmap(jax.value_and_grad(loss))(many)

    chex.assert_trees_all_close(of_each(listed), of_each(plain), rtol=1e-5, atol=1e-6)


def test_places_that_all_decisions_share() -> None:
    weights, ids, numbers, taken = batch(6, 0.5)
    place = jnp.arange(PLACES) / 8.0

    def shared_taken(function):  # type: ignore[no-untyped-def]
        return jax.vmap(lambda ids, numbers: function(weights, (ids, numbers, place), taken[0]))(ids, numbers)

    def shared_rows(function):  # type: ignore[no-untyped-def]
        return jax.vmap(lambda taken: function(weights, (ids[0], numbers[0], place), taken))(taken)

    for of in (shared_taken, shared_rows):
        chex.assert_trees_all_close(of(listed), of(plain), rtol=1e-5, atol=1e-6)


CONFIGS = {
    "small": NetworkConfig(entity=8, hidden=16),
    "exact, attention": NetworkConfig(entity=8, hidden=16, attention=1, heads=2, exact=True),
    "bfloat16": NetworkConfig(entity=8, hidden=16, dtype="bfloat16"),
}


def some_features(config, decisions):  # type: ignore[no-untyped-def]
    g = np.random.default_rng(3)

    def fill(leaf):  # type: ignore[no-untyped-def]
        shape = (decisions, *leaf.shape)
        if leaf.dtype == bool:
            return jnp.asarray(g.random(shape) < 0.3)
        if np.issubdtype(leaf.dtype, np.integer):
            return jnp.asarray(g.integers(0, 5, shape), leaf.dtype)
        return jnp.asarray(g.normal(size=shape), leaf.dtype)

    return jax.tree.map(fill, empty_features())


@pytest.mark.parametrize("name", CONFIGS)
def test_a_network_in_lists_is_the_same_network(name, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")  # lists on accelerators, too
    config = CONFIGS[name]
    plain_net, features = PolicyValue(config), some_features(config, 40)
    net = in_lists(plain_net)
    assert net.listed
    assert not plain_net.listed
    params = plain_net.init(jax.random.PRNGKey(0), jax.tree.map(lambda leaf: leaf[0], features))
    chex.assert_trees_all_equal(
        params, net.init(jax.random.PRNGKey(0), jax.tree.map(lambda leaf: leaf[0], features))
    )
    # The last layers start with almost nothing; then nothing would reach the entities.
    params = jax.tree.map(
        lambda leaf: leaf + 0.1 * jnp.cos(jnp.arange(leaf.size)).reshape(leaf.shape), params
    )

    def loss(params, net):  # type: ignore[no-untyped-def]
        encoded = jax.vmap(lambda features: apply(net, params, features, method="encode"))(features)
        found = sum(jnp.sum(jnp.sin(leaf.astype(jnp.float32))) for leaf in jax.tree.leaves(encoded))
        return found / 40.0, encoded

    gradient = jax.jit(jax.grad(loss, has_aux=True), static_argnums=1)
    (listed_grad, encoded), (plain_grad, expected) = gradient(params, net), gradient(params, plain_net)
    tolerance = 0.05 if config.dtype == "bfloat16" else 1e-4
    chex.assert_trees_all_close(encoded, expected, rtol=tolerance, atol=tolerance)
    size = max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(plain_grad))
    assert size > 0.1
    chex.assert_trees_all_close(listed_grad, plain_grad, rtol=tolerance, atol=tolerance * size)


def test_a_plain_network_has_gradients_of_each_decision() -> None:
    net = PolicyValue(CONFIGS["small"])
    features = some_features(net.config, 3)
    params = net.init(jax.random.PRNGKey(0), jax.tree.map(lambda leaf: leaf[0], features))
    value = lambda params, features: jnp.sum(apply(net, params, features, method="encode").trunk)  # noqa: E731
    each = jax.vmap(jax.grad(value), in_axes=(None, 0))(params, features)
    one = jax.grad(value)(params, jax.tree.map(lambda leaf: leaf[1], features))
    chex.assert_trees_all_close(jax.tree.map(lambda leaf: leaf[1], each), one, rtol=1e-4, atol=1e-5)
