"""Compaction: the active games of a batch get what the function gives, whichever arguments they share."""

import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.compaction import compacted

GAMES, SETS = 3, 4  # a batch of batches
# Whether an argument differs between the games, and between the sets of a game.
SHARED, BY_SET, BY_GAME, BY_BOTH = itertools.product((False, True), repeat=2)


def both(number, row):  # type: ignore[no-untyped-def]
    return number * 2 + jnp.sum(row), row + number


def batched(differs, *values):  # type: ignore[no-untyped-def]
    """Under two vmaps, with the axes that each value has."""
    function = compacted(both, chunk=5)
    for axis in (1, 0):
        axes = tuple(0 if by[axis] else None for by in differs)
        function = jax.vmap(function, in_axes=axes) if any(by[axis] for by in differs) else function
    return function(*values)


@pytest.mark.parametrize("active_by", [SHARED, BY_SET, BY_GAME, BY_BOTH])
@pytest.mark.parametrize("number_by", [SHARED, BY_SET, BY_GAME, BY_BOTH])
def test_batches_of_batches_with_shared_arguments(active_by, number_by):  # type: ignore[no-untyped-def]
    g = np.random.default_rng(1)
    for row_by in (SHARED, BY_SET, BY_GAME, BY_BOTH):
        differs = (active_by, number_by, row_by)
        if not any(map(any, differs)):
            continue  # no batch: see the last test
        here = [tuple(size for size, its in zip((GAMES, SETS), by, strict=True) if its) for by in differs]
        values = [g.random(here[0]) < 0.5, g.integers(0, 9, here[1]), g.integers(0, 9, (*here[2], 2))]
        found = batched(differs, *map(jnp.asarray, values))
        # The same with every value written out for all games and sets.
        active, number, row = (
            np.broadcast_to(
                value.reshape(
                    *(size if its else 1 for size, its in zip((GAMES, SETS), by, strict=True)), *tail
                ),
                (GAMES, SETS, *tail),
            )
            for value, by, tail in zip(values, differs, ((), (), (2,)), strict=True)
        )
        expected = (
            np.where(active, number * 2 + row.sum(-1), 0),
            np.where(active[..., None], row + number[..., None], 0),
        )
        for part, (has, wanted) in enumerate(zip(found, expected, strict=True)):
            whole = tuple(any(by[axis] for by in differs) for axis in (0, 1))
            wanted = wanted[tuple(slice(None) if its else 0 for its in whole)]
            chex.assert_trees_all_equal(np.asarray(has), wanted.astype(has.dtype))
            assert has.shape == wanted.shape, part


def test_a_single_game_is_computed_as_it_is():  # type: ignore[no-untyped-def]
    found = compacted(both)(jnp.bool_(True), jnp.int32(3), jnp.arange(2))
    chex.assert_trees_all_equal(found, (jnp.int32(7), jnp.arange(2) + 3))


def test_three_levels_of_batches() -> None:
    g = np.random.default_rng(2)
    active, row = jnp.asarray(g.random((2, 3, 4)) < 0.5), jnp.asarray(g.integers(0, 9, (3, 2)))
    number = jnp.asarray(g.integers(0, 9, (2, 1, 4)))
    function = jax.vmap(compacted(both, chunk=5), in_axes=(0, 0, None))
    function = jax.vmap(jax.vmap(function, in_axes=(0, None, 0)), in_axes=(0, 0, None))
    total, more = function(active, number[:, 0], row)
    chex.assert_trees_all_equal(total, jnp.where(active, number * 2 + jnp.sum(row, axis=1)[None, :, None], 0))
    expected = jnp.where(active[..., None], row[None, :, None] + number[..., None], 0)
    chex.assert_trees_all_equal(more, expected)


@pytest.mark.parametrize("chunk", [3, 12, 100])
def test_batches_of_one_turn_and_of_several(chunk: int) -> None:
    g = np.random.default_rng(3)
    row, number = jnp.asarray(g.integers(0, 9, (12, 2))), jnp.asarray(g.integers(0, 9, 12))
    for active in (g.random(12) < 0.4, np.zeros(12, bool), np.ones(12, bool)):
        total, more = jax.jit(jax.vmap(compacted(both, chunk)))(jnp.asarray(active), number, row)
        chex.assert_trees_all_equal(total, jnp.where(active, number * 2 + jnp.sum(row, axis=1), 0))
        chex.assert_trees_all_equal(more, jnp.where(active[:, None], row + number[:, None], 0))


def test_no_games() -> None:
    total, more = jax.vmap(compacted(both))(jnp.zeros(0, bool), jnp.zeros(0, int), jnp.zeros((0, 2), int))
    assert total.shape == (0,)
    assert more.shape == (0, 2)


def test_nothing_is_computed_where_no_game_is_active() -> None:
    """A loop that would never end is not begun."""

    def endless(number: jax.Array) -> jax.Array:
        return jax.lax.while_loop(lambda now: now > 0, lambda now: now + 0, number)

    found = jax.jit(jax.vmap(compacted(endless)))(jnp.zeros(5, bool), jnp.ones(5, int))
    chex.assert_trees_all_equal(found, jnp.zeros(5, int))
