"""Rows that hold something: the same values and gradients as computing all of them."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.agents import taken_rows
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
        return jax.vmap(lambda weights: over_batch(function, weights, ids, numbers, taken))(many)

    found, expected = of_each(listed), of_each(plain)
    chex.assert_trees_all_close(found, expected, rtol=1e-5, atol=1e-6)
    chex.assert_shape(found, (6, 6, PLACES, WIDTH))
