"""The check that JAX still computes with 64-bit numbers."""

import jax


def require_x64() -> None:
    """Raises an error if 64-bit numbers were switched off after jaxtro had switched them on.

    Without them every stream of the game would be narrowed to float32 and a seed would give another run.

    Raises:
      RuntimeError: says how to switch them on again.
    """
    if not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        raise RuntimeError(
            "64-bit numbers are switched off in JAX, but jaxtro needs them: a seed is exact only in float64. "
            'Call jax.config.update("jax_enable_x64", True), and take out what switched them off after jaxtro '
            "was imported (jax.config.update, jax.enable_x64(False))."
        )
