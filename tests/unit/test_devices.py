"""Games split over the cores of a CPU: in a process of its own, as the number of devices is fixed when JAX starts."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.devices import mesh_for, over_games, use_cores

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import sys
import jax, jax.numpy as jnp, numpy as np
from jaxtro import compile_cache
from jaxtro.compile_cache import keep
from jaxtro.devices import mesh_for, over_games, use_cores

assert use_cores(count=2) == jax.device_count()
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
traced = []

def play(factor, games, number):
    traced.append(1)
    return games * factor + number, jnp.sum(games)[None]

mesh = mesh_for(192)
assert mesh.size == jax.device_count() == 2, (mesh, jax.devices())
assert mesh_for(2).size == mesh_for(191).size == 1
assert mesh_for(2, 2).size == 2
games, factor = jnp.arange(192.0), jnp.float32(2)
run = keep(jax.jit(over_games(play, mesh, whole=(0, 2)), donate_argnums=1), "play", mesh.size)
alone = keep(jax.jit(play), "alone", 1)
mean = jax.jit(over_games(lambda scale, games: jnp.mean(games) * scale, mesh, whole=(0,), mean=True))
# Arguments of one device, then results of both.
here = jax.device_put(jnp.float32(1), jax.devices()[0])
after, sums = run(factor, games, here)
np.testing.assert_array_equal(sums, [np.arange(96).sum(), np.arange(96, 192).sum()])
assert len(after.sharding.device_set) == 2
after, _ = run(factor, after, here)
np.testing.assert_array_equal(after, np.arange(192) * 4 + 3)
np.testing.assert_array_equal(alone(factor, jnp.arange(192.0), here)[0], np.arange(192) * 2 + 1)
assert float(mean(factor, jnp.arange(192.0))) == 191
# What is split already stays so, whatever a program says.
split = jax.device_put(jnp.arange(192.0), after.sharding)
kept = keep(jax.jit(lambda games: games + 1), "more", 1)
assert len(kept(split).sharding.device_set) == 2
print(len(traced))
"""


def run(program, *more, **environment):
    return subprocess.run(
        [sys.executable, "-c", program, *more],
        env=os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)} | environment,
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


def run_program(folder):
    done = run(PROGRAM, str(folder))
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


def test_two_cores_compute_what_one_does_and_their_programs_are_kept(tmp_path):
    assert run_program(tmp_path) == 2
    assert run_program(tmp_path) == 0  # nothing traced: both programs were on disk


@pytest.mark.parametrize(
    "told", [{"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}, {"JAX_NUM_CPU_DEVICES": "3"}]
)
def test_what_the_user_says_stays(told):
    done = run("from jaxtro.devices import use_cores; print(use_cores(count=1))", **told)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr[-2000:]


def test_a_process_that_computes_already_keeps_its_devices():
    before = jax.device_count()
    with pytest.warns(UserWarning, match="call use_cores before anything else"):
        assert use_cores(count=before + 3) == before == jax.device_count()
    with pytest.raises(ValueError, match="0 cores"):
        use_cores(count=0)


def test_games_that_cannot_be_split_are_told():
    with pytest.raises(ValueError, match="64 games cannot be split evenly over 99 of"):
        mesh_for(64, 99)
    assert mesh_for(1).size == 1


def test_one_device_changes_nothing():
    function = lambda games: games + 1  # noqa: E731
    assert over_games(function, mesh_for(1)) is function
    np.testing.assert_array_equal(function(jnp.arange(3)), [1, 2, 3])
