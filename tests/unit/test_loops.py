"""Loops that turn once or never."""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxtro.env.loops import once_where, written_out


def test_values_are_unchanged_in_a_batch_and_alone() -> None:
    values = {"flags": jnp.array([True, False]), "numbers": jnp.array([1.5, jnp.nan]), "small": jnp.int8(3)}
    alone = jax.jit(written_out)(values, jnp.bool_(False))
    chex.assert_trees_all_equal(alone, values)
    rows = jnp.arange(12).reshape(4, 3)
    batch = jax.jit(jax.vmap(lambda row: written_out(row, row[0] < 0)))(rows)
    np.testing.assert_array_equal(batch, rows)
    shared = jax.jit(jax.vmap(written_out, in_axes=(0, None)))(rows, jnp.bool_(False))
    np.testing.assert_array_equal(shared, rows)


def test_the_compiler_does_not_see_through_it() -> None:
    """Two readers of a value that is cheap by itself: with `written_out` it is made in one place only."""

    def readers(values, never, keep):  # type: ignore[no-untyped-def]
        made = jnp.sin(values * 3)
        made = written_out(made, never) if keep else made
        return jnp.sum(made), jnp.max(made)

    program = {}
    for keep in (True, False):
        compiled = jax.jit(readers, static_argnums=2).lower(jnp.ones(64), jnp.bool_(False), keep).compile()
        program[keep] = compiled.as_text()
    assert " while(" in program[True]
    assert " while(" not in program[False]


def test_only_what_is_needed_is_computed() -> None:
    turns = []

    def double(values):  # type: ignore[no-untyped-def]
        jax.debug.callback(lambda: turns.append(1))
        return {"number": values["number"] * 2}

    numbers = {"number": jnp.arange(4)}
    run = jax.jit(jax.vmap(lambda needed, number: once_where(needed, double, {"number": number})))
    needed = jnp.array([True, False, True, False])
    np.testing.assert_array_equal(run(needed, numbers["number"])["number"], [0, 1, 4, 3])
    jax.effects_barrier()
    assert turns
    turns.clear()
    np.testing.assert_array_equal(run(~needed & needed, numbers["number"])["number"], numbers["number"])
    jax.effects_barrier()
    assert not turns
