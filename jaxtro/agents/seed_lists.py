"""The fixed seeds of evaluation: 1000 to choose checkpoints on, 1000 others to report.

Their texts contain the letter O, which seeds that the game (and so training) draws never have: no training run can
meet one of them.
"""

import numpy as np

from jaxtro.seed_text import decode_seed, random_seeds

COUNT = 1000
# Spread over the numbers of all seeds; the first letter tells the lists apart, the second is the O.
_LISTS = {"evaluation": b"EO", "test": b"TO"}
_STRIDE = 1_000_003_357


def seed_list(name: str, count: int = COUNT) -> np.ndarray:
    """The first seeds of a list.

    Args:
      name: "evaluation" or "test". count: how many, at most 1000.

    Returns:
      uint8[count, 8].

    Raises:
      ValueError: for another name or number.
    """
    if name not in _LISTS:
        raise ValueError(f"unknown list of seeds {name!r}; known: {', '.join(_LISTS)}")
    if not 1 <= count <= COUNT:
        raise ValueError(f"{count} seeds: a list has 1 to {COUNT}")
    seeds = np.concatenate([random_seeds(_STRIDE * number, 1) for number in range(1, count + 1)])
    seeds[:, :2] = np.frombuffer(_LISTS[name], np.uint8)
    return seeds


def seed_texts(name: str, count: int = COUNT) -> list[str]:
    """The same as texts."""
    return [decode_seed(seed) for seed in seed_list(name, count)]
