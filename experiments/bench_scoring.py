"""Benchmark of scoring: hands scored per second, and `best_play` of an eight-card hand."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

import jaxtro
from jaxtro.devices import AXIS, mesh_for, over_games
from jaxtro.env import rng
from jaxtro.env.scoring import BOOK, score_hand
from jaxtro.env.scoring.notation import make_scoring_state
from jaxtro.env.state import HAND_CAPACITY, JOKER_CAPACITY, ScoringState

HELD = 8
JOKERS = (0, 5, 10)


def random_hands(batch: int, jokers: int) -> tuple[ScoringState, np.ndarray]:
    """Hands of eight cards, one in ten enhanced, one in twenty with an edition or a seal; random jokers."""
    g = np.random.default_rng(jokers)
    one = make_scoring_state("2C", money=10, hands_left=2, discards_left=2, hands_played=10)
    state = jax.tree.map(lambda field: np.repeat(np.asarray(field)[None], batch, 0), one)
    cards, owned = state.hand, state.jokers
    deck = np.argsort(g.random((batch, 52)), axis=1)[:, :HELD]
    cards.rank[:, :HELD], cards.suit[:, :HELD] = 2 + deck % 13, deck // 13
    for field, count, share in ((cards.enhancement, 9, 0.1), (cards.edition, 4, 0.05), (cards.seal, 5, 0.05)):
        some = g.random((batch, HELD)) < share
        field[:, :HELD] = np.where(some, g.integers(1, count, (batch, HELD)), 0)
    owned.id[:, :jokers] = 1 + np.argsort(g.random((batch, 150)), axis=1)[:, :jokers]
    owned.stored[:] = np.array([BOOK.start(joker) for joker in range(151)])[owned.id]
    owned.sell[:] = np.where(owned.id > 0, 3, 0)
    chosen = np.zeros((batch, HAND_CAPACITY), bool)
    np.put_along_axis(chosen, np.argsort(g.random((batch, HELD)), axis=1)[:, :5], True, axis=1)
    seeds = jnp.asarray(jaxtro.random_seeds(0, batch))
    streams = jax.jit(jax.vmap(lambda seed: rng.start_streams(seed, 1, BOOK.streams)))(seeds)
    return jax.device_put(replace(state, streams=streams)), jax.device_put(chosen)


def bare_fold(amounts: jax.Array, factors: jax.Array) -> jax.Array:
    """The reference: nothing but the fold of known amounts, 5 cards by all joker places."""
    mult = jnp.ones(amounts.shape[:1])
    for _ in range(5):
        for place in range(amounts.shape[1]):
            mult = jnp.abs((mult + amounts[:, place]) * factors[:, place])
    return mult


def bench_scoring(
    batches: tuple[int, ...], timed: Callable[..., tuple[float, float]], cores: int | None
) -> list[dict[str, Any]]:
    """Hands per second for several numbers of jokers, each against the bare fold of the same batch.

    Args:
      batches: numbers of hands; `best_play` gets a game for every eight of them (each game means 218 hands).
      timed: (function, *args) -> seconds to compile, seconds of a call.
      cores: devices to split the hands over; None = all that divide them evenly and pay.
    """
    env, rows = jaxtro.make(), []
    for batch in batches:
        mesh = mesh_for(batch, cores)
        # Where the devices need them, so that no call moves them.
        split = NamedSharding(mesh, PartitionSpec(AXIS))
        numbers = jax.device_put(np.random.default_rng(0).random((batch, JOKER_CAPACITY)), split)
        _, bare = timed(over_games(bare_fold, mesh), numbers, numbers)
        for jokers in JOKERS:
            state, chosen = jax.device_put(random_hands(batch, jokers), split)
            for what, score in (
                ("total", lambda state, chosen: score_hand(state, chosen)[0].total),
                ("total, no luck", lambda state, chosen: score_hand(state, chosen, luck="never")[0].total),
                ("whole result", env.score),
            ):
                compile_s, seconds = timed(over_games(jax.vmap(score), mesh), state, chosen)
                rows.append(
                    {
                        "what": f"score: {what}", "batch": batch, "devices": mesh.size, "jokers": jokers,
                        "per_s": batch / seconds, "bare_per_s": batch / bare, "ratio": bare / seconds,
                        "compile_s": compile_s,
                    }
                )  # fmt: skip
        games = max(batch // 8 // mesh.size, 1) * mesh.size
        state = jax.tree.map(lambda field: field[:games], random_hands(batch, 5)[0])  # noqa: B023
        state = jax.device_put(state, split)
        best = jax.vmap(functools.partial(env.best_play, luck="never"))
        compile_s, seconds = timed(over_games(best, mesh), state)
        rows.append(
            {
                "what": "best_play of 8 cards", "batch": games, "devices": mesh.size, "jokers": 5,
                "per_s": games / seconds, "hands_per_s": 218 * games / seconds, "compile_s": compile_s,
            }
        )  # fmt: skip
    return rows
