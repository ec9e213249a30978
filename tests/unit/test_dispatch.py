"""Batched execution: a stage gives the same in a batch, in a batch of batches and for one game."""

from dataclasses import dataclass

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env import dispatch
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


def mixing(rows):  # type: ignore[no-untyped-def]
    """Each field from another one, one from nothing that was there, one that stays."""
    return {
        "a": rows["b"][::-1], "b": rows["a"] + rows["stays"], "flag": jnp.bool_(True), "one": rows["a"][0],
        "stays": rows["stays"], "none": rows["none"] + 1,
    }  # fmt: skip


def sorting(rows):  # type: ignore[no-untyped-def]
    """What no kernel can hold."""
    return mixing(rows) | {"a": jnp.sort(rows["b"]), "one": jnp.zeros_like(rows["a"]).at[rows["b"]].set(7)[0]}


@pytest.mark.parametrize("what", [mixing, sorting])
@pytest.mark.parametrize("scatters", [False, True])  # as on CPUs, as on other backends
@pytest.mark.parametrize(("games", "chunk"), [(2, 1), (2, 2), (33, 1), (33, 4), (33, 33)])
def test_what_a_stage_reads_is_from_before_it(games, chunk, scatters, what):  # type: ignore[no-untyped-def]
    g = np.random.default_rng(games)
    rows = {
        "a": jnp.asarray(g.integers(0, 99, (games, 3))), "b": jnp.asarray(g.integers(0, 99, (games, 3))),
        "flag": jnp.asarray(g.random(games) < 0.3), "one": jnp.asarray(g.integers(0, 99, games)),
        "stays": jnp.asarray(g.integers(0, 99, (games, 3))), "none": jnp.zeros((games, 0), jnp.int8),
    }  # fmt: skip
    for share in (0.0, 0.5, 1.0):
        active = jnp.asarray(g.random(games) < share)
        leaves, tree = jax.tree.flatten((rows, ()))
        told = {"stage": what, "tree": tree, "written": len(leaves), "chunk": chunk, "often": False}
        run = jax.jit(lambda *values: dispatch._run(*values, batched=True, scatters=scatters, **told))  # noqa: B023
        found = jax.tree.unflatten(jax.tree.structure(rows), run(active, *leaves))
        new = jax.vmap(what)(rows)
        chosen = lambda new, old: jnp.where(active.reshape(-1, *[1] * (new.ndim - 1)), new, old)  # noqa: B023, E731
        chex.assert_trees_all_equal(found, jax.tree.map(chosen, new, rows))


@pytest.mark.parametrize("games", [1, 33])
def test_a_stage_is_a_kernel_on_cpus_and_scatters_elsewhere(games):  # type: ignore[no-untyped-def]
    traced = jax.jit(jax.vmap(one)).trace(*batch(games))
    kernels, scatters = {}, {}
    for platform in ("cpu", "cuda"):
        program = traced.lower(lowering_platforms=(platform,)).as_text()
        kernels[platform] = program.count("xla_cpu_small_call")
        scatters[platform] = program.count("stablehlo.scatter")
    assert kernels == {"cpu": 2 if games > 1 else 1, "cuda": 0}
    assert bool(scatters["cpu"]) == (games == 1)
    assert scatters["cuda"]


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
    with jax.disable_jit():
        chex.assert_trees_all_equal(jax.vmap(one)(active, toy, by), flat)
        chex.assert_trees_all_equal(
            one(active[0], jax.tree.map(lambda v: v[0], toy), by[0]), jax.tree.map(lambda v: v[0], flat)
        )


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
