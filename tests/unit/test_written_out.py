"""Values that are computed once."""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxtro.env.written_out import written_out


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
