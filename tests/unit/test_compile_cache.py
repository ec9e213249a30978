"""Programs kept on disk: used again by a later process, never where something differs."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro import compile_cache
from jaxtro.compile_cache import keep
from jaxtro.env.actions import Action


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own; JAX's cache stays where it is."""

    class Config:
        jax_compilation_cache_dir = str(tmp_path)
        jax_enable_x64 = True

    monkeypatch.setattr(compile_cache, "_CONFIG", Config)
    return tmp_path / "programs"


def program(factor, traced):
    """A function that notes when it is traced; its structs are ones of the game."""

    def run(action, number):
        traced.append(factor)
        return Action(action.kind * factor, action.cards, action.slot, action.to), number + factor

    return jax.jit(run)


ACTION = Action(jnp.int32(3), jnp.zeros(32, bool), jnp.int32(0), jnp.int32(0))


def test_a_second_start_traces_nothing(folder):
    traced: list[int] = []
    first = keep(program(2, traced), "double", "two")(ACTION, jnp.float64(0.5))
    again = keep(program(2, traced), "double", "two")(ACTION, jnp.float64(0.5))
    assert traced == [2]
    assert len(list(folder.iterdir())) == 1
    assert isinstance(again[0], Action)
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(again[0].kind) == 6


def test_options_reach_xla_and_make_another_program(folder, monkeypatch):
    ours = {"xla_backend_optimization_level": 1}
    monkeypatch.setattr(compile_cache, "compiler_options", lambda: ours)
    for options, count in ((ours, 1), (None, 1), ({}, 2)):
        assert (
            float(keep(program(2, []), "double", "two", options=options)(ACTION, jnp.float64(0.5))[1]) == 2.5
        )
        assert len(list(folder.iterdir())) == count
    with pytest.raises(jax.errors.JaxRuntimeError, match="xla_is_not_here"):
        keep(program(2, []), "double", "two", options={"xla_is_not_here": 1})(ACTION, jnp.float64(0.5))


def test_what_differs_makes_another_program(folder, monkeypatch):
    traced: list[int] = []
    half = jnp.float64(0.5)
    assert float(keep(program(2, traced), "times", "two")(ACTION, half)[1]) == 2.5
    assert float(keep(program(3, traced), "times", "three")(ACTION, half)[1]) == 3.5
    assert keep(program(2, traced), "times", "two")(ACTION, jnp.ones(4))[1].shape == (4,)
    monkeypatch.setattr(compile_cache, "_source", lambda: "changed")
    keep(program(2, traced), "times", "two")(ACTION, half)
    assert traced == [2, 3, 2, 2]
    assert len(list(folder.iterdir())) == 4


def test_one_function_takes_several_shapes(folder):
    run = keep(program(2, []), "double", "two")
    for number in (jnp.float64(1), jnp.ones(3), jnp.float64(2)):
        np.testing.assert_array_equal(run(ACTION, number)[1], number + 2)


def test_a_broken_file_is_made_again(folder):
    traced: list[int] = []
    keep(program(2, traced), "double", "two")(ACTION, jnp.float64(0.5))
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    for _ in range(2):
        assert float(keep(program(2, traced), "double", "two")(ACTION, jnp.float64(0.5))[1]) == 2.5
    assert traced == [2, 2]


def test_nothing_is_kept_of_what_is_not_known(folder):
    keep(program(2, []), "double", "two", None)(ACTION, jnp.float64(0.5))
    assert not folder.exists()


def test_a_program_without_its_kernels_is_not_kept(folder, monkeypatch):
    # As XLA writes one that was itself loaded from a file.
    class Loaded:
        @staticmethod
        def serialize(_):
            return b"no object files", None, None

    monkeypatch.setattr(compile_cache, "serialize_executable", Loaded)
    assert float(keep(program(2, []), "double", "two")(ACTION, jnp.float64(0.5))[1]) == 2.5
    assert not folder.exists()


def test_a_program_that_was_loaded_is_not_written_without_its_kernels(folder, tmp_path):
    run = """
import sys, jax, jax.numpy as jnp, jaxtro
from jaxtro.compile_cache import keep
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
double = lambda x: jnp.sort(x) * 2 + jnp.cumsum(x)
if sys.argv[2] == "plain":
    jax.jit(double)(jnp.arange(50.0))
print(float(keep(jax.jit(double), "double", "two")(jnp.arange(50.0))[3]))
"""
    # The first fills the cache of JAX, the second loads from there, the third from what is kept, if anything is.
    for how in ("plain", "kept", "kept"):
        out = subprocess.run(
            [sys.executable, "-c", run, str(tmp_path), how], capture_output=True, text=True, check=True
        )
        assert out.stdout.strip() == "12.0"


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(folder):
    folder.write_text("a file where the folder should be")
    assert float(keep(program(2, []), "double", "two")(ACTION, jnp.float64(0.5))[1]) == 2.5


def test_programs_that_were_not_used_for_longest_go(folder, monkeypatch):
    keep(program(2, []), "old", "two")(ACTION, jnp.float64(0.5))
    (old,) = folder.iterdir()
    os.utime(old, (0, 0))
    monkeypatch.setattr(compile_cache, "_MOST_BYTES", old.stat().st_size + 100)
    keep(program(2, []), "new", "two")(ACTION, jnp.float64(0.5))
    assert [file.name.split("-")[0] for file in folder.iterdir()] == ["new"]
