"""jaxtro: the complete card game Balatro as pure JAX functions.

Importing jaxtro switches 64-bit numbers on in JAX (`jax_enable_x64`): the game computes in float64 and the
random generator in 64-bit integers, and a seed is exact only with them.
"""

import importlib
from typing import TYPE_CHECKING, Any

import jax

jax.config.update("jax_enable_x64", True)

from jaxtro.compiling import compiler_options  # noqa: E402
from jaxtro.seed_text import decode_seed, encode_seed, random_seeds  # noqa: E402

if TYPE_CHECKING:
    from jaxtro.env.actions import Action, Kind, Legal, make_action
    from jaxtro.env.env import Balatro, Info, make
    from jaxtro.env.flat import FlatBalatro
    from jaxtro.env.observation import Observation
    from jaxtro.env.phases.start import Params, make_params
    from jaxtro.env.reward import Weights
    from jaxtro.env.save import load_states, save_states
    from jaxtro.env.state import Phase, State
    from jaxtro.env.wrappers import AutoReset

__version__ = "0.1.0"
# Where the public names live: imported when they are first asked for, so that importing jaxtro stays light.
_HOME = {
    "Action": "actions", "AutoReset": "wrappers", "Balatro": "env", "FlatBalatro": "flat", "Info": "env",
    "Kind": "actions", "Legal": "actions", "Observation": "observation", "Params": "phases.start",
    "Phase": "state", "State": "state", "Weights": "reward", "load_states": "save", "make": "env",
    "make_action": "actions", "make_params": "phases.start", "save_states": "save",
}  # fmt: skip
__all__ = [
    "Action", "AutoReset", "Balatro", "FlatBalatro", "Info", "Kind", "Legal", "Observation", "Params", "Phase",
    "State", "Weights", "__version__", "compiler_options", "decode_seed", "encode_seed", "load_states", "make",
    "make_action", "make_params", "random_seeds", "save_states",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"jaxtro.env.{_HOME[name]}"), name)
    raise AttributeError(f"module 'jaxtro' has no attribute {name!r}")
