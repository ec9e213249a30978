"""Shared fixtures. Compiled programs are kept in the working folder, so that a second run is fast."""

import gc
import json
import os
import shutil
from pathlib import Path

import jax
import pytest

import jaxtro  # noqa: F401  (switches 64-bit numbers on)

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# What `jaxtro.compiler_options` says for CPUs, here for every program and process, as most of the time goes to
# compiling them. JAX reads it when it is first used, so it cannot be asked for its backend: this is a guess.
FLAGS = os.environ.get("XLA_FLAGS", "")
if "xla_backend_optimization_level" not in FLAGS and shutil.which("nvidia-smi") is None:
    os.environ["XLA_FLAGS"] = f"{FLAGS} --xla_backend_optimization_level=1".strip()

jax.config.update("jax_compilation_cache_dir", str(ROOT / ".cache" / "jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


MOST_MAPS = 35_000  # of the 65,530 memory maps that Linux allows a process


@pytest.fixture(autouse=True, scope="module")
def few_memory_maps():  # type: ignore[no-untyped-def]
    """Drops compiled programs before the process runs out of memory maps: each has many, and XLA crashes without."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of specification and oracle data that developers have beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("../shared (specification and oracle data of the developers) is not here")
    return SHARED


@pytest.fixture(scope="session")
def rules_data(shared):  # type: ignore[no-untyped-def]
    """Reads a JSON file of ../shared/rules."""
    return lambda name: json.loads((shared / "rules" / f"{name}.json").read_text())
