"""What a network may be told of the hand exactly: the best play of all, and what each of `plays.PLAYS` would score.

A network can learn to guess a score, a rule book computes it. It costs one `best_play` for each decision in a round, so
it is a choice of the network (`NetworkConfig.exact`). Only public information goes in (`experts/view.py`), and
chances never fall well.
"""

from dataclasses import replace

import jax.numpy as jnp
from jax import Array

from jaxtro.agents.experts.view import look, row, to_hand
from jaxtro.agents.features import HAND_FLAGS, Features, features_of
from jaxtro.agents.network import NetworkConfig
from jaxtro.agents.plays import NUM_PLAYS
from jaxtro.env import bits
from jaxtro.env.actions import finished
from jaxtro.env.dispatch import only_where
from jaxtro.env.observation import Observation
from jaxtro.env.scoring import BOOK
from jaxtro.env.scoring.best import best_play
from jaxtro.env.state import Phase, State

_TOP = 224  # all plays of eight cards; of larger hands the best
_GAMES = 32  # of a turn; each scores hundreds of hands
_FURTHEST = 4.0  # of the logarithm of score to what is needed


def _score(found: tuple[Array, Array], state: State, plays: Array) -> tuple[Array, Array]:
    """Fills in the best play and the figures. plays: bool[32, 10]"""
    del found
    seen = look(state)
    ranked = best_play(seen.scoring, seen.forced, _TOP, BOOK, "never")
    wanted = bits.to_bits(row(plays, seen.place).T)
    same = (
        (bits.to_bits(ranked.cards)[None] == wanted[:, None])
        & (wanted != 0)[:, None]
        & (ranked.total >= 0)[None]
    )
    best = ranked.total[0]
    totals = jnp.append(jnp.max(jnp.where(same, ranked.total[None], -1.0), axis=1), best)
    there = totals >= 0
    needed = jnp.maximum(state.round.target - state.round.chips, 1.0)
    figures = [
        there,
        jnp.log1p(jnp.maximum(totals, 0.0)) * 0.1,
        jnp.clip(jnp.log((jnp.maximum(totals, 0.0) + 1.0) / (needed + 1.0)), -_FURTHEST, _FURTHEST)
        / _FURTHEST,
        totals >= needed,
    ]
    numbers = jnp.stack([jnp.where(there, value, 0.0) for value in figures], axis=-1)
    # A score beyond float64 may be infinite or no number at all.
    numbers = jnp.nan_to_num(numbers.reshape(-1), nan=0.0, posinf=_FURTHEST, neginf=0.0)
    return to_hand(ranked.cards[0] & (best >= 0), seen.place), numbers.astype(jnp.float16)


def with_exact_plays(features: Features, state: State) -> Features:
    """The features with `best` and `exact` filled in, where a hand is to be played."""
    playing = (state.phase == Phase.SELECTING_HAND) & ~finished(state)
    plays = features.hand.flags[:, HAND_FLAGS - NUM_PLAYS :]
    best, exact = only_where(playing, _score, (features.best, features.exact), state, plays, chunk=_GAMES)
    return replace(features, best=best, exact=exact)


def features_for(config: NetworkConfig, observation: Observation, state: State) -> Features:
    """What a network of this configuration sees of one game; for a batch use `jax.vmap`.

    state: that the observation was made from.
    """
    features = features_of(observation)
    return with_exact_plays(features, state) if config.exact else features
