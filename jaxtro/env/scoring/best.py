"""All sets of up to five cards of a hand, scored at once."""

import functools
import itertools
import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import bits
from jaxtro.env.compaction import compacted
from jaxtro.env.lookups import look_up
from jaxtro.env.loops import once_where, while_loop
from jaxtro.env.scoring.book import BOOK, JokerBook
from jaxtro.env.scoring.rolls import NUM_PLAYED, Luck
from jaxtro.env.scoring.score import score_hand
from jaxtro.env.state import ScoringState

_Plays = tuple[Array, Array, Array]  # sets as bits, their scores, their poker hands
# Games ranked together: on CPUs what fits a core's cache, and their memory is used again for the next ones.
_CPU_GAMES, _ACCELERATOR_GAMES = 16, 1024
CHUNK = 256  # sets scored together: all 218 of an eight-card hand at once


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Ranking:
    """The best plays of a hand, best first; of equal ones those further left in the hand first.

    Attributes:
      cards: bool[K, H], the cards of each play. total: float64[K], its score, -1 where there are fewer.
      hand: int32[K], its poker hand. count: int32[], legal plays of the hand.
    """

    cards: Array
    total: Array
    hand: Array
    count: Array


@functools.cache
def _sets(places: int) -> np.ndarray:
    """All sets of 1 to 5 of `places` cards, as bits, filled up with 0 to whole chunks.

    Those of the first n cards come first, for every n.
    """
    found = [
        sum(1 << place for place in chosen)
        for size in range(1, NUM_PLAYED + 1)
        for chosen in itertools.combinations(range(places), size)
    ]
    return np.array(sorted(found) + [0] * (-len(found) % CHUNK), np.uint64)


def _counts(places: int) -> np.ndarray:
    """How many of these sets lie in the first n cards, for n = 0..places."""
    sizes = range(1, NUM_PLAYED + 1)
    return np.array([sum(math.comb(n, size) for size in sizes) for n in range(places + 1)], np.int32)


def _first(plays: _Plays, top: int) -> _Plays:
    """The best of some plays, best first, filled up with nothing; of equal ones those that came first."""
    sets, total, hand = plays
    # A score beyond float64 may be NaN (infinity times zero); it beats nothing.
    order = jnp.argsort(-jnp.where(jnp.isnan(total), -0.5, total), stable=True)[:top]
    fill = (0, top - order.shape[0])
    return (
        jnp.pad(sets[order], fill),
        jnp.pad(total[order], fill, constant_values=-1.0),
        jnp.pad(hand[order], fill, constant_values=-1),
    )


def best_play(
    state: ScoringState,
    forced: Array | None = None,
    top: int = CHUNK,
    book: JokerBook = BOOK,
    luck: Luck = "seeded",
) -> Ranking:
    """Scores every legal play and ranks them.

    Under `jax.vmap` a batch is ranked 16 games at a time on CPUs, 1024 on accelerators (not measured there); the last
    turn costs as much as a full one.

    Args:
      state: as for `score_hand`.
      forced: bool[H], cards that must be among them (Cerulean Bell); None = none.
      top: K, how many to return; 218 are all of an eight-card hand.
      book, luck: as for `score_hand`.
    """
    games = _CPU_GAMES if jax.default_backend() == "cpu" else _ACCELERATOR_GAMES
    rank_all = functools.partial(_rank_all, top=top, book=book, luck=luck)
    return compacted(rank_all, chunk=games)(jnp.bool_(True), state, forced)


def _rank_all(state: ScoringState, forced: Array | None, top: int, book: JokerBook, luck: Luck) -> Ranking:
    """`best_play` of one game."""
    size = state.hand.rank.shape[0]
    all_sets = _sets(size)
    cards_held = jnp.sum(state.hand.rank > 0, dtype=jnp.int32)
    number = look_up(_counts(size), cards_held)
    must = bits.to_bits(forced).astype(jnp.uint64) if forced is not None else jnp.uint64(0)
    places = jnp.arange(size, dtype=jnp.uint64)

    def score_set(chosen: Array) -> tuple[Array, Array]:
        score, _ = score_hand(state, (chosen >> places) & 1 != 0, book, luck)
        return score.total, score.hand

    def turn(carry: tuple[Array, Array, _Plays]) -> tuple[Array, Array, _Plays]:
        start, count, best = carry
        chosen = lax.dynamic_slice(jnp.asarray(all_sets), (start,), (CHUNK,))
        legal = (start + jnp.arange(CHUNK) < number) & ((chosen & must) == must)
        total, hand = jax.vmap(score_set)(chosen)
        these = _first((chosen, jnp.where(legal, total, -1.0), hand), top)
        # A hand of eight cards is a single turn, and has nothing to merge with.
        _, best = once_where(start > 0, merge, (best, these))
        return start + CHUNK, count + jnp.sum(legal, dtype=jnp.int32), best

    def merge(plays: tuple[_Plays, _Plays]) -> tuple[_Plays, _Plays]:
        best, these = plays
        joined = jax.tree.map(lambda *parts: jnp.concatenate(parts), best, these)
        return best, _first(joined, top)

    nothing = (jnp.zeros(top, jnp.uint64), jnp.full(top, -1.0), jnp.full(top, -1, jnp.int32))
    _, count, (best_set, total, hand) = while_loop(
        lambda carry: carry[0] < number, turn, (jnp.int32(0), jnp.int32(0), nothing)
    )
    there = total != -1.0
    cards = ((best_set[:, None] >> places) & 1 != 0) & there[:, None]
    return Ranking(cards=cards, total=total, hand=jnp.where(there, hand, -1), count=count)
