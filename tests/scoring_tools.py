"""Scoring in batches of one fixed size, so that tests share the compiled programs."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from jaxtro.env.scoring import BOOK, JokerBook, score_hand
from jaxtro.env.scoring.notation import make_scoring_state
from jaxtro.env.state import HAND_CAPACITY

BATCH = 64


@functools.cache
def _scorer(book: JokerBook, luck: str) -> Any:
    return jax.jit(jax.vmap(lambda state, chosen: score_hand(state, chosen, book, luck)[0]))


def first(count: int) -> np.ndarray:
    """Chooses the first cards of the hand."""
    return np.arange(HAND_CAPACITY) < count


def score_all(
    states: Sequence[Any], chosen: Sequence[np.ndarray], luck: str = "never", book: JokerBook = BOOK
) -> list[Any]:
    """Scores several hands; results as numpy."""
    results = []
    for start in range(0, len(states), BATCH):
        some, cards = list(states[start : start + BATCH]), list(chosen[start : start + BATCH])
        padding = BATCH - len(some)
        stacked = jax.tree.map(lambda *values: np.stack(values), *(some + some[:1] * padding))
        out = jax.device_get(_scorer(book, luck)(stacked, np.stack(cards + cards[:1] * padding)))
        count = len(some)
        results += [jax.tree.map(lambda value: value[i], out) for i in range(count)]  # noqa: B023
    return results


def score(cards: str, jokers: str = "", hold: str = "", luck: str = "never", book: JokerBook = BOOK, **rest):
    """Scores `cards` while `hold` stays in hand; the other arguments are those of `make_scoring_state`."""
    state = make_scoring_state(f"{cards} {hold}", jokers, book=book, **rest)
    return score_all([state], [first(len(cards.split()))], luck, book)[0]
