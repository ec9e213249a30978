"""The simple baselines: a random player, and one that plays the best hand now and never buys."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.agents.experts.view import Seen, look, to_hand
from jaxtro.agents.random_policy import random_action
from jaxtro.env.actions import MOST_CARDS, Action, Kind, Legal, finished, is_legal
from jaxtro.env.dispatch import only_where
from jaxtro.env.joker_events import events_of
from jaxtro.env.observation import Observation
from jaxtro.env.scoring import BOOK
from jaxtro.env.scoring.best import Ranking, best_play
from jaxtro.env.state import HAND_CAPACITY, Phase, State

EVENTS = events_of(BOOK)
_GAMES = 128  # of a turn; each scores hundreds of hands
# When nothing better is known: kinds that go on with the run, never a sale or a purchase.
_GOES_ON = [
    float(kind in (Kind.SELECT, Kind.PLAY, Kind.CASH_OUT, Kind.NEXT_ROUND, Kind.SKIP_PACK)) for kind in Kind
]


def raw_key(key: Array) -> Array:
    """A random key as plain numbers, which stages can gather. -> uint32[2]"""
    return jax.random.key_data(key) if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else key


def simple_action(kind: Array | int, slot: Array | int = 0, cards: Array | None = None) -> Action:
    """An action from traced numbers. cards: bool[32]"""
    none = jnp.zeros(HAND_CAPACITY, bool)
    return Action(
        jnp.asarray(kind, jnp.int32),
        none if cards is None else cards,
        jnp.asarray(slot, jnp.int32),
        jnp.int32(0),
    )


def choose(condition: Array, action: Action, other: Action) -> Action:
    """One of two actions."""
    chosen: Action = jax.tree.map(lambda a, b: jnp.where(condition, a, b), action, other)
    return chosen


def going_on(state: State) -> Action:
    """What leads to the next round without buying anything."""
    kinds = {
        Phase.BLIND_SELECT: Kind.SELECT, Phase.SELECTING_HAND: Kind.PLAY, Phase.ROUND_EVAL: Kind.CASH_OUT,
        Phase.SHOP: Kind.NEXT_ROUND, Phase.PACK: Kind.SKIP_PACK, Phase.GAME_OVER: Kind.SELECT,
    }  # fmt: skip
    kind = jnp.asarray([kinds[phase] for phase in Phase], jnp.int32)[state.phase.astype(jnp.int32)]
    hand = state.piles.hand >= 0
    first = hand & (jnp.cumsum(hand) <= MOST_CARDS) & (state.phase == Phase.SELECTING_HAND)
    return simple_action(kind, 0, first)


def ranking(seen: Seen, top: int) -> Ranking:
    """All plays of the visible cards, best first; chances never fall well."""
    return best_play(seen.scoring, seen.forced, top, BOOK, "never")


def checked(state: State, legal: Legal, key: Array, action: Action) -> Action:
    """The action if it is legal, else a random one that goes on with the run."""
    ok = is_legal(state, action, EVENTS)
    weights = jnp.asarray(_GOES_ON) + 1e-6
    return choose(ok, action, random_action(key, legal, weights))


def _play_best(action: Action, state: State) -> Action:
    seen = look(state)
    found = ranking(seen, 1)
    return choose(
        found.total[0] >= 0, simple_action(Kind.PLAY, 0, to_hand(found.cards[0], seen.place)), action
    )


class RandomAgent:
    """Random legal actions, see `random_policy`."""

    name = about = "random"
    params: Any = ()

    def act(self, params: Any, key: Array, state: State, observation: Observation, legal: Legal) -> Action:
        """A random legal action."""
        del params, state, observation
        return random_action(key, legal)


class GreedyAgent:
    """Plays the hand with the highest sure score, never discards, never buys."""

    name = about = "greedy"
    params: Any = ()

    def act(self, params: Any, key: Array, state: State, observation: Observation, legal: Legal) -> Action:
        """The best play now, or what goes on with the run."""
        del params, observation
        key = raw_key(key)
        playing = (state.phase == Phase.SELECTING_HAND) & ~finished(state)
        action = only_where(playing, _play_best, going_on(state), state, chunk=_GAMES)
        return checked(state, legal, key, action)
