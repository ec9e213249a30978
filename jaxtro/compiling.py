"""What XLA is told when it compiles the game."""

import os
from typing import Any

import jax

_LEVEL = "xla_backend_optimization_level"
_CPU_LEVEL = 1  # of LLVM, 0 to 3; XLA's own choice is 3
_CONFIG: Any = jax.config


def compiler_options() -> dict[str, int]:
    """Options for programs of the game: `jax.jit(function, compiler_options=jaxtro.compiler_options())`.

    On a CPU, LLVM's first level of optimisation instead of its third: a step then compiles in a sixth to a quarter
    less time and, unlike what the level's name says, also runs some percent faster; so do networks that play and learn
    (docs/performance.md has the figures). Games are the same to the bit at either level. The seed search is slower
    with it and does without.

    JAX takes options only for the outermost `jax.jit`, so `env.step` cannot bring them along. This asks JAX for its
    backend: call it after `devices.use_cores`.

    Returns:
      names of XLA's options and their values; none on other backends, and none where the user says how much is to be
      optimised (that option in `XLA_FLAGS`, or `JAX_DISABLE_MOST_OPTIMIZATIONS`).
    """
    told = _LEVEL in os.environ.get("XLA_FLAGS", "") or _CONFIG.values.get("jax_disable_most_optimizations")
    return {} if told or jax.default_backend() != "cpu" else {_LEVEL: _CPU_LEVEL}
