"""The public environment."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.scoring import BOOK, HandScore, JokerBook, score_hand
from jaxtro.env.scoring.best import CHUNK, Ranking, best_play
from jaxtro.env.scoring.rolls import NUM_PLAYED, Luck
from jaxtro.env.state import ScoringState

ENV_ID = "Balatro-v0"


class Balatro:
    """The card game as pure functions; make one with `jaxtro.make`.

    Attributes:
      book: the jokers of the game.
    """

    def __init__(self, book: JokerBook = BOOK) -> None:
        self.book = book
        # Calls outside jit run the compiled program, too.
        self._score = jax.jit(
            lambda state, chosen, luck: score_hand(state, chosen, book, luck)[0], static_argnums=2
        )
        self._best_play = jax.jit(
            lambda state, forced, top, luck: best_play(state, forced, top, book, luck), static_argnums=(2, 3)
        )

    def score(self, state: ScoringState, cards: Any, luck: Luck = "seeded") -> HandScore:
        """What playing these cards would give; nothing is drawn, nothing changed.

        Args:
          state: before the hand.
          cards: bool[H], the cards of the hand to play; outside jit also a list of their places.
          luck: "seeded": chance effects fall as the run's random streams have it. "never": only certain
            chances succeed and random numbers are lowest; "always": all succeed. An agent that may not look
            into the streams uses "never" or "always".

        Returns:
          `HandScore`. Inside jit a call with no or more than five cards gives `legal` False and total 0.

        Raises:
          ValueError: outside jit, for no or more than five cards, places without a card, a level below 1.
        """
        chosen = _as_mask(cards, state.hand.rank.shape[-1])
        _check(state, chosen)
        return self._score(state, chosen, luck)

    def best_play(
        self,
        state: ScoringState,
        forced: Array | None = None,
        top: int = CHUNK,
        luck: Luck = "seeded",
    ) -> Ranking:
        """Scores all legal sets of up to five cards of the hand at once and ranks them.

        Args:
          state: before a hand. forced: bool[H], cards that must be played (Cerulean Bell).
          top: how many plays to return, best first; 218 are all of an eight-card hand.
          luck: as for `score`.
        """
        if top < 1:
            raise ValueError(f"top is {top}; ask for 1 play or more")
        return self._best_play(state, forced, top, luck)


def _as_mask(cards: Any, places: int) -> Array:
    """The chosen cards as bool[places], from a mask or places of the hand."""
    wrong = (
        f"give bool[{places}], True for each card to play, or a list of places of the hand "
        "(for a batch use jax.vmap(env.score))"
    )
    try:
        mask = jnp.asarray(cards) if len(cards) else jnp.zeros(0, jnp.int32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cards is {cards!r}; {wrong}") from error
    if jnp.issubdtype(mask.dtype, jnp.integer) and mask.ndim == 1:
        if not isinstance(mask, jax.core.Tracer):
            given = mask.tolist()
            if any(not 0 <= card < places for card in given) or len(set(given)) != len(given):
                raise ValueError(f"cards {given}: give different places of the hand, 0 to {places - 1}")
        return jnp.zeros(places, bool).at[mask].set(True)
    if mask.dtype != bool or mask.shape != (places,):
        raise ValueError(f"cards is {mask.dtype}{list(mask.shape)}; {wrong}")
    return mask


def _check(state: ScoringState, chosen: Array) -> None:
    """Errors that can be seen outside jit."""
    if any(isinstance(leaf, jax.core.Tracer) for leaf in (chosen, state.hand.rank, state.poker_hands.level)):
        return
    count = int(np.sum(np.asarray(chosen)))
    if not 1 <= count <= NUM_PLAYED:
        raise ValueError(f"{count} cards chosen; a hand is 1 to {NUM_PLAYED} cards")
    empty = np.flatnonzero(np.asarray(chosen) & (np.asarray(state.hand.rank) == 0))
    if len(empty):
        raise ValueError(f"no card at place {', '.join(map(str, empty))} of the hand")
    if int(np.min(np.asarray(state.poker_hands.level))) < 1:
        raise ValueError("a poker hand has a level below 1")


def make(env_id: str = ENV_ID, *, book: JokerBook = BOOK) -> Balatro:
    """Makes the environment.

    Args:
      env_id: "Balatro-v0".
      book: the jokers of the game; `BOOK.with_joker(...)` adds one.

    Raises:
      ValueError: for an unknown id.
    """
    if env_id != ENV_ID:
        raise ValueError(f"unknown environment {env_id!r}; known: {ENV_ID}")
    return Balatro(book)
