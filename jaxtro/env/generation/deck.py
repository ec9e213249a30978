"""The starting deck of every deck and challenge, and its first shuffle (rng.md 5.1, 5.2)."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng
from jaxtro.env.bits import size_of, words_of
from jaxtro.env.generation.rules import RunRules
from jaxtro.env.lookups import look_up
from jaxtro.env.loops import once_where, while_loop
from jaxtro.env.reductions import any_of, int_sum
from jaxtro.tables import CHALLENGES, DECKS, ENHANCEMENTS, SEALS
from jaxtro.tables.pools import FRONT_ID, FRONTS

START_SIZE = len(FRONTS)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class StartingDeck:
    """The playing cards of a new run in creation order.

    Attributes:
      front: int8[52], index into `tables.pools.FRONTS`; -1 behind `count`.
      enhancement: int8[52], id of `ENHANCEMENTS`. seal: int8[52], id of `SEALS`.
      printed: int8[52], the front before the deck recoloured it (Checkered); breaks ties of sorted hands.
      count: int32[], 52, 40 (Abandoned) or 32 (Mad World).
    """

    front: Array
    enhancement: Array
    seal: Array
    printed: Array
    count: Array

    def enhancements(self) -> Array:
        """Which enhancements some card has. -> bool[9]"""
        present = jnp.arange(len(ENHANCEMENTS))[:, None] == self.enhancement[None]
        return any_of(present & (self.front >= 0)[None])


def parse_card(code: str) -> tuple[int, int, int]:
    """(front, enhancement, seal) of a card code S_R[~enhancement][#Seal]."""
    body, _, seal = code.partition("#")
    front, _, enhancement = body.partition("~")
    return FRONT_ID[front], ENHANCEMENTS.keys.index(enhancement), SEALS.keys.index(seal)


def _cards(codes: list[str], printed: list[str] | None = None) -> np.ndarray:
    rows = np.full((4, START_SIZE), 0, np.int8)
    rows[0] = -1
    rows[:3, : len(codes)] = np.array([parse_card(code) for code in codes], np.int8).T
    rows[3] = rows[0]
    if printed is not None:
        rows[3, : len(printed)] = [FRONT_ID[front] for front in printed]
    return rows


def _all_decks() -> np.ndarray:
    """int8[1 + 16 + 20, 4, 52]: row = deck id, or 16 + challenge id."""
    decks = [_cards(list(FRONTS))]
    for row in DECKS.rows:
        kept = [front for front in FRONTS if row["faces"] or front[2] not in "JQK"]
        decks.append(_cards([row["recolour"].get(front[0], front[0]) + front[1:] for front in kept], kept))
    for row in CHALLENGES.rows:
        decks.append(_cards(list(row["cards"] if row["cards"] is not None else FRONTS)))
    return np.stack(decks)


_DECKS = _all_decks()
_RANDOM_FRONTS = np.array([False] + [row["random_fronts"] for row in DECKS.rows])


def known_deck(rules: RunRules) -> StartingDeck:
    """The deck of a new run before the Erratic Deck draws its fronts; draws nothing."""
    row = jnp.where(rules.challenge > 0, len(DECKS.rows) + rules.challenge, rules.deck)
    front, enhancement, seal, printed = jnp.asarray(_DECKS)[row]
    return StartingDeck(front, enhancement, seal, printed, int_sum(front >= 0))


def starting_deck(streams: rng.Streams, rules: RunRules) -> tuple[StartingDeck, rng.Streams]:
    """The deck of a new run; the Erratic Deck draws each of its 52 fronts."""
    deck = known_deck(rules)
    erratic = look_up(_RANDOM_FRONTS, rules.deck)

    def draw(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        number, state, count = carry
        u, state = rng.draw_from(state, streams.seed_hash)
        drawn = rng.to_index(u, jnp.float64(START_SIZE))
        return number + 1, state, count + (jnp.arange(START_SIZE) == drawn)

    # In a batch without an Erratic Deck the loop does not turn at all.
    ante, none = jnp.int32(1), jnp.zeros(START_SIZE, jnp.int32)
    start = (jnp.int32(0), rng.stream_state(streams, "erratic", ante), none)
    _, state, count = while_loop(lambda carry: erratic & (carry[0] < START_SIZE), draw, start)
    streams = rng.set_stream_state(streams, "erratic", ante, state)

    def in_order(count: Array) -> Array:
        # The place of each front is among so many that come before it.
        before = jnp.cumsum(count)
        number = jnp.arange(START_SIZE, dtype=jnp.int32)
        return size_of(words_of(before[None] <= number[:, None]))

    fronts = once_where(erratic, in_order, count)
    front = jnp.where(erratic, fronts.astype(jnp.int8), deck.front)
    return replace(deck, front=front, printed=jnp.where(erratic, front, deck.printed)), streams


def shuffled(
    streams: rng.Streams, key: str, ante: Array, count: Array, size: int
) -> tuple[Array, rng.Streams]:
    """Shuffles cards that stand in creation order with one use of a stream.

    Returns:
      int32[size]: creation places bottom to top (cards are dealt from the end of the first `count`).
    """
    d, streams = rng.step(streams, key, ante)
    return rng.shuffle(jnp.arange(size, dtype=jnp.int8), count, d).astype(jnp.int32), streams
