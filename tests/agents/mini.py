"""A tiny card game with the types of the real one, so that learners are tested without compiling the real step.

Eight cards are dealt; a play of one to five cards brings a point for each card of rank 10 or more and costs one for
each lower card. Three plays end a run.
"""

import functools
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import jaxtro
from jaxtro.agents.bc import Steps, flatten, make_collect
from jaxtro.env.actions import Action, Kind
from jaxtro.env.env import Info, random_seed
from jaxtro.env.reward import DEFAULT_WEIGHTS, Weights
from jaxtro.env.state import HAND_CAPACITY, Phase

CARDS, PLAYS = 8, 3


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MiniRun:
    """The part of a run that results are read from."""

    won: Array
    endless: Array
    round: Array
    ante: Array
    steps: Array
    money: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MiniRound:
    """The blind being fought."""

    blind: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MiniStreams:
    """The run's name."""

    seed: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MiniPiles:
    """How many cards there are."""

    n_hand: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MiniState:
    """key: uint32[2]. ranks: int32[8]. points: float32[]."""

    key: Array
    ranks: Array
    points: Array
    phase: Array
    run: MiniRun
    round: MiniRound
    streams: MiniStreams
    piles: MiniPiles


@functools.cache
def _shapes() -> Any:
    env = jaxtro.make()
    observation, state = jax.eval_shape(env.reset, jax.random.PRNGKey(0))
    legal = jax.eval_shape(env.legal_actions, state)
    return observation, legal


def _zeros(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree)


class MiniEnv:
    """The game; the same methods as `Balatro` where agents use them."""

    default_params = np.int32(0)

    def _deal(self, key: Array) -> tuple[Array, Array]:
        now, later = jax.random.split(key)
        return jax.random.randint(now, (CARDS,), 2, 15, jnp.int32), later

    def reset(self, key: Array, params: Any = None) -> tuple[Any, MiniState]:
        """A new run."""
        ranks, key = self._deal(key)
        zero, no = jnp.int32(0), jnp.bool_(False)
        run = MiniRun(no, no, jnp.int32(1), jnp.int32(1), zero, zero)
        state = MiniState(
            key, ranks, jnp.float32(0), jnp.int8(Phase.SELECTING_HAND), run, MiniRound(jnp.int8(1)),
            MiniStreams(random_seed(key)), MiniPiles(jnp.int32(CARDS)),
        )  # fmt: skip
        return self.observe(state), state

    def reset_to_seed(self, seed: Array, params: Any = None) -> tuple[Any, MiniState]:
        """A run of a seed text."""
        return self.reset(seed.astype(jnp.uint32).reshape(4, 2).sum(0, dtype=jnp.uint32))

    def observe(self, state: MiniState) -> Any:
        """The cards of the hand."""
        observation = _zeros(_shapes()[0])
        hand = replace(
            observation.hand,
            rank=observation.hand.rank.at[:CARDS].set(state.ranks),
            suit=observation.hand.suit.at[:CARDS].set(1),
            mask=observation.hand.mask.at[:CARDS].set(True),
        )
        levels = jnp.ones_like(observation.hand_levels)
        return replace(observation, hand=hand, hand_levels=levels, phase=state.phase.astype(jnp.int32))

    def legal_actions(self, state: MiniState) -> Any:
        """One to five cards can be played."""
        legal, over = _zeros(_shapes()[1]), self.finished(state)
        return replace(
            legal,
            kind=legal.kind.at[Kind.PLAY].set(True) | over,
            slot=legal.slot.at[Kind.PLAY, 0].set(True) | over,
            min_cards=legal.min_cards.at[Kind.PLAY, 0].set(1),
            max_cards=legal.max_cards.at[Kind.PLAY, 0].set(5),
            card=legal.card.at[:CARDS].set(True),
            to=legal.to | over,
        )

    def finished(self, state: MiniState) -> Array:
        """Whether the run is over."""
        return state.phase == Phase.GAME_OVER

    def step(self, state: MiniState, action: Any, weights: Weights = DEFAULT_WEIGHTS) -> tuple:
        """One play."""
        over = self.finished(state)
        high = state.ranks >= 10
        points = jnp.sum(jnp.where(action.cards[:CARDS], jnp.where(high, 1.0, -1.0), 0.0)).astype(jnp.float32)
        ranks, key = self._deal(state.key)
        steps = state.run.steps + 1
        ends = steps >= PLAYS
        run = replace(
            state.run, steps=steps, round=state.run.round + (points > 0), won=ends & (state.points > 3)
        )
        after = MiniState(
            key, ranks, state.points + points, jnp.where(ends, Phase.GAME_OVER, state.phase).astype(jnp.int8), run,
            state.round, state.streams, state.piles,
        )  # fmt: skip
        after = jax.tree.map(lambda new, old: jnp.where(over, old, new), after, state)
        info = Info(**dict.fromkeys(Info.__dataclass_fields__, jnp.int32(0)))
        info = replace(
            info,
            illegal=jnp.bool_(False),
            ante=run.ante,
            won=after.run.won,
            game_end=ends,
            blind_cleared=points > 0,
        )
        reward = jnp.where(over, 0.0, points).astype(jnp.float32)
        return self.observe(after), after, reward, self.finished(after), jnp.bool_(False), info

    def reward_terms(self, before: MiniState, after: MiniState, illegal: Array) -> Weights:
        """Only progress."""
        zero = jnp.float32(0)
        return Weights(
            progress=after.points - before.points,
            blind=zero,
            win=zero,
            loss=zero,
            ante=zero,
            money=zero,
            illegal=zero,
            action=-jnp.float32(after.run.steps - before.run.steps),
        )


def mini() -> Any:
    """The game with new runs where one ends."""
    return jaxtro.AutoReset(MiniEnv())  # type: ignore[arg-type]


@dataclass(frozen=True)
class MiniExpert:
    """An agent that plays its high cards (the first card where it has none)."""

    name: str = "mini expert"
    params: Any = ()

    def act(self, params: Any, key: Array, state: MiniState, observation: Any, legal: Any) -> Action:
        """See `Agent.act`."""
        high = state.ranks >= 10
        first = high & (jnp.cumsum(high) <= 5)
        cards = jnp.where(jnp.any(high), first, jnp.arange(CARDS) == 0)
        zero = jnp.int32(0)
        return Action(jnp.int32(Kind.PLAY), jnp.zeros(HAND_CAPACITY, bool).at[:CARDS].set(cards), zero, zero)


def mini_steps(count: int, seed: int = 0) -> Steps:
    """Decisions of the expert at first hands. -> `Steps`[count], numpy arrays"""
    env = mini()
    keys = jax.random.split(jax.random.PRNGKey(seed), count)
    carry = jax.vmap(env.reset, in_axes=(0, None))(keys, jnp.int32(0))
    collect = jax.jit(make_collect(env, MiniExpert(), 1))
    return jax.device_get(flatten(collect(carry, keys[0], None, jnp.float32(0))[1]))
