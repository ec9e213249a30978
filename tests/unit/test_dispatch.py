"""Batched execution: a stage gives the same in a batch, in a batch of batches and for one game."""

from dataclasses import dataclass

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.dispatch import Packing, games_per_turn, only_where


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Toy:
    a: jax.Array
    b: jax.Array
    c: jax.Array


def stage(toy, by):  # type: ignore[no-untyped-def]
    return Toy(toy.a + by, jnp.where(toy.b, False, toy.b), toy.c)


def one(active, toy, by):  # type: ignore[no-untyped-def]
    return only_where(active, stage, toy, by, chunk=4)


def batch(games):  # type: ignore[no-untyped-def]
    g = np.random.default_rng(games)
    toy = Toy(
        jnp.asarray(g.integers(0, 99, (games, 3))),
        jnp.asarray(g.random((games, 5)) < 0.5),
        jnp.asarray(g.random(games)),
    )
    return jnp.asarray(g.random(games) < 0.4), toy, jnp.asarray(g.integers(1, 9, games))


@pytest.mark.parametrize("games", [0, 1, 7, 33])
def test_batches_equal_single_games(games):  # type: ignore[no-untyped-def]
    active, toy, by = batch(games)
    whole = jax.jit(jax.vmap(one))(active, toy, by)
    for n in range(games):
        row = jax.tree.map(lambda values: values[n], (active, toy, by))  # noqa: B023
        expected = stage(row[1], row[2]) if row[0] else row[1]
        chex.assert_trees_all_equal(jax.tree.map(lambda values: values[n], whole), expected)  # noqa: B023
        chex.assert_trees_all_equal(jax.jit(one)(*row), expected)


@pytest.mark.parametrize("often", [False, True])
def test_several_turns_of_the_usual_size(often):  # type: ignore[no-untyped-def]
    active, toy, by = batch(701)
    assert int(jnp.sum(active)) > games_per_turn(701, often)  # so the loop turns more than once
    out = jax.jit(jax.vmap(lambda active, toy, by: only_where(active, stage, toy, by, often=often)))(
        active, toy, by
    )
    chex.assert_trees_all_equal(out.a, toy.a + (active * by)[:, None])
    chex.assert_trees_all_equal(out.b, toy.b & ~active[:, None])
    chex.assert_trees_all_equal(out.c, toy.c)


def test_nested_vmap_scan_and_no_jit():  # type: ignore[no-untyped-def]
    active, toy, by = batch(24)
    flat = jax.vmap(one)(active, toy, by)
    nested = jax.tree.map(lambda values: values.reshape(4, 6, *values.shape[1:]), (active, toy, by))
    twice = jax.jit(jax.vmap(jax.vmap(one)))(*nested)
    chex.assert_trees_all_equal(
        jax.tree.map(lambda values: values.reshape(24, *values.shape[2:]), twice), flat
    )
    scanned, _ = jax.lax.scan(lambda toy, _: (jax.vmap(one)(active, toy, by), None), toy, None, length=3)
    assert bool(jnp.all(scanned.a == toy.a + 3 * (active * by)[:, None]))
    chex.assert_trees_all_equal(jax.vmap(one, in_axes=(0, 0, None))(active, toy, jnp.int32(2)).c, toy.c)


def test_a_stage_must_keep_types():  # type: ignore[no-untyped-def]
    active, toy, _ = batch(3)
    with pytest.raises(TypeError, match="a stage turns"):
        jax.vmap(lambda active, toy: only_where(active, lambda toy: Toy(toy.a * 1.5, toy.b, toy.c), toy))(
            active, toy
        )


def test_packing_round_trip_and_untouched_rows():  # type: ignore[no-untyped-def]
    _, toy, _ = batch(5)
    packing = Packing(jax.tree.map(lambda values: values[0], toy), lambda path: path[0].name == "c")
    rows = packing.pack(toy)
    chex.assert_trees_all_equal(packing.unpack(rows), toy)
    chex.assert_trees_all_equal(packing.look(rows).b, toy.b)
    old = packing.unpack(rows)
    again = packing.repack(rows, old, Toy(old.a + 1, old.b, old.c))
    assert sum(new is row for new, row in zip(again, rows, strict=True)) == len(rows) - 1
    chex.assert_trees_all_equal(packing.unpack(again).a, toy.a + 1)


def test_what_stays_in_a_row_is_kept():  # type: ignore[no-untyped-def]
    """Fields of one row, flags among them: whichever change, the others are as before."""
    g = np.random.default_rng(0)
    fields = {
        f"f{n}": jnp.asarray(
            g.integers(-9, 9, (4, n % 3 + 1)).astype(np.int8) if n % 2 else g.random((4, n)) < 0.5
        )
        for n in range(1, 7)
    }
    packing = Packing(jax.tree.map(lambda values: values[0], fields), lambda path: "one")
    rows = packing.pack(fields)
    assert len(rows) == 1
    for changed in ((), ("f1",), ("f3", "f4"), ("f2", "f6"), tuple(fields)):
        old = packing.unpack(rows)
        new = {name: ~old[name] if old[name].dtype == bool else old[name] + 1 for name in changed}
        again = packing.repack(rows, old, old | new)
        chex.assert_trees_all_equal(packing.unpack(again), fields | new)
        assert (again[0] is rows[0]) == (not changed)


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_turns_fit_the_batch(monkeypatch, backend):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    for games in (1, 7, 100, 2048, 65536):
        rare, often = games_per_turn(games, False), games_per_turn(games, True)
        assert 1 <= rare <= often <= games
    assert games_per_turn(2048, True) > games_per_turn(2048, False)


def test_accelerators_take_more_games_at_once(monkeypatch):  # type: ignore[no-untyped-def]
    sizes = {}
    for backend in ("cpu", "gpu"):
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)
        sizes[backend] = [games_per_turn(65536, often) for often in (False, True)]
    assert all(there > here for here, there in zip(sizes["cpu"], sizes["gpu"], strict=True))
