"""The persistent compilation cache that our command lines switch on."""

import os
from pathlib import Path

import jax


def enable_compile_cache() -> None:
    """Keeps compiled programs on disk, so that the second start of a command is fast.

    The folder is `JAX_COMPILATION_CACHE_DIR` if set, else `~/.cache/jaxtro`; a folder that cannot be written
    costs only the speed-up.
    """
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        jax.config.update("jax_compilation_cache_dir", str(Path(base) / "jaxtro"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
