"""jaxtro: the complete card game Balatro as pure JAX functions.

Importing jaxtro switches 64-bit numbers on in JAX (`jax_enable_x64`): the game computes in float64 and the
random generator in 64-bit integers, and a seed is exact only with them.
"""

from typing import TYPE_CHECKING, Any

import jax

jax.config.update("jax_enable_x64", True)

from jaxtro.seed_text import encode_seed, decode_seed, random_seeds  # noqa: E402, I001

if TYPE_CHECKING:
    from jaxtro.env.env import Balatro, make

__version__ = "0.1.0"
__all__ = ["Balatro", "__version__", "decode_seed", "encode_seed", "make", "random_seeds"]


def __getattr__(name: str) -> Any:
    # The environment compiles its tables when it is first asked for, not at import.
    if name in ("Balatro", "make"):
        from jaxtro.env import env

        return getattr(env, name)
    raise AttributeError(f"module 'jaxtro' has no attribute {name!r}")
