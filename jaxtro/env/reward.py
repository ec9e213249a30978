"""Rewards: a weighted sum of named terms, a pure function of (before, after, weights)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env.state import Phase, State

_LEAST_SHARE = 1e-3  # of the target: progress starts to count here


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Weights:
    """Weights of the terms; traced values, so changing one compiles nothing. All float32[].

    Attributes:
      progress: times the rise of `potential` within a blind, which goes from 0 to 1.
      blind: for a beaten blind. win: for beating the boss of the win ante. loss: for a lost run.
      ante: for each ante gained. money: for each dollar gained.
      illegal: taken off for an action that was not legal. action: taken off for every action, so that a learner does
        not come to sort its hand for ever, which costs nothing else.
    """

    progress: Array | float = 1.0
    blind: Array | float = 1.0
    win: Array | float = 10.0
    loss: Array | float = 0.0
    ante: Array | float = 0.0
    money: Array | float = 0.0
    illegal: Array | float = 0.0
    action: Array | float = 0.0


DEFAULT_WEIGHTS = Weights()


def potential(state: State) -> Array:
    """How far the blind is beaten, on a log scale: 0 up to a thousandth of the target, 1 at it. -> float32[]"""
    share = state.round.chips / jnp.where(state.round.target > 0, state.round.target, 1.0)
    share = jnp.where(state.round.target > 0, jnp.clip(share, _LEAST_SHARE, 1.0), 1.0)
    return (1.0 - jnp.log(share) / jnp.log(_LEAST_SHARE)).astype(jnp.float32)


def beaten(after: State) -> Array:
    """Whether the round has just been won, and not only been saved by Mr. Bones. -> bool[]"""
    return (after.phase == Phase.ROUND_EVAL) & (after.round.chips >= after.round.target)


def terms(before: State, after: State, illegal: Array) -> Weights:
    """The value of each term for one step, in the shape of `Weights`. float32[] each"""
    fought = before.phase == Phase.SELECTING_HAND
    in_blind = fought & ((after.phase == Phase.SELECTING_HAND) | (after.phase == Phase.ROUND_EVAL))
    f32 = lambda value: jnp.asarray(value).astype(jnp.float32)  # noqa: E731
    return Weights(
        progress=jnp.where(in_blind, potential(after) - potential(before), 0.0),
        blind=f32(fought & beaten(after)),
        win=f32(after.run.won & ~before.run.won),
        loss=-f32((after.phase == Phase.GAME_OVER) & (before.phase != Phase.GAME_OVER)),
        ante=f32(after.run.ante - before.run.ante),
        money=f32(after.run.money - before.run.money),
        illegal=-f32(illegal),
        action=-f32(after.run.steps - before.run.steps),
    )


def reward(before: State, after: State, illegal: Array, weights: Weights = DEFAULT_WEIGHTS) -> Array:
    """The weighted sum of the terms. -> float32[]"""
    values = terms(before, after, illegal)
    total = jnp.float32(0)
    for name in Weights.__dataclass_fields__:
        total = total + jnp.asarray(getattr(weights, name), jnp.float32) * getattr(values, name)
    return total
