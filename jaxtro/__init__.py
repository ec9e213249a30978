"""jaxtro: the complete card game Balatro as pure JAX functions.

Importing jaxtro switches 64-bit numbers on in JAX (`jax_enable_x64`): the game computes in float64 and the
random generator in 64-bit integers, and a seed is exact only with them.
"""

import jax

jax.config.update("jax_enable_x64", True)

from jaxtro.seed_text import encode_seed, decode_seed, random_seeds  # noqa: E402, I001

__version__ = "0.1.0"
__all__ = ["__version__", "decode_seed", "encode_seed", "random_seeds"]
