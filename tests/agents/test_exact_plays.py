"""What a network is told exactly of a hand: scores of the rule book, and nothing that is hidden."""

from dataclasses import replace

import chex
import jax
import numpy as np
import pytest

from jaxtro.agents.determinise import determinise
from jaxtro.agents.exact_plays import features_for
from jaxtro.agents.features import NUM_EXACT
from jaxtro.agents.network import SMALL
from jaxtro.agents.plays import NUM_PLAYS, PLAYS
from jaxtro.env.state import State
from tests.run_tools import BATCH, ENV, fight, hand, jokers, put, resets

CARDS = "S_K H_K S_5 C_5 D_2 H_3 C_4 D_8"


@pytest.fixture(scope="module")
def seen():
    """Features of states, as many as a batch has, for a network that is told everything."""
    config = replace(SMALL, exact=True)
    run = jax.jit(jax.vmap(lambda state: features_for(config, ENV.observe(state), state)))

    def of(*states: State):
        batch = jax.tree.map(lambda *values: np.stack(values), *states, *[states[-1]] * (BATCH - len(states)))
        return jax.device_get(run(batch))

    return of


def figures(features, row):
    """Of the plays and the best one: made, score, log of its share of what is needed, enough. -> float[11, 4]"""
    numbers = np.asarray(features.exact[row], np.float64).reshape(NUM_PLAYS + 1, 4)
    numbers[:, 1] = np.expm1(numbers[:, 1] * 10)
    return numbers


@pytest.fixture(scope="module")
def start():
    return resets(["OOOO155"], [ENV.default_params])[0]


def test_scores_are_those_of_the_rule_book(seen, start):
    state = fight(hand(start, CARDS), "bl_small", target=300.0)
    # Jolly Joker: +8 Mult with a pair.
    with_joker = jokers(state, "j_jolly")
    features = seen(state, with_joker, put(start, run__money=3))
    plain, jolly, elsewhere = (figures(features, row) for row in range(3))
    made = [plain[PLAYS.index(name)] for name in ("High Card", "Pair", "Two Pair")]
    # (5 + 10) x 1, (10 + 20) x 2, (20 + 30) x 2
    np.testing.assert_allclose([row[1] for row in made], [15, 60, 100], rtol=5e-3)
    assert not plain[PLAYS.index("Flush")].any()
    np.testing.assert_allclose(jolly[PLAYS.index("Two Pair"), 1], 50 * 10, rtol=5e-3)
    assert plain[-1, 3] == 0
    assert jolly[-1, 3] == 1
    np.testing.assert_allclose(plain[-1, 2] * 4, np.log(101 / 301), atol=0.01)
    assert {0, 1, 2, 3} <= set(np.flatnonzero(features.best[0]).tolist())
    # Where no hand is to be played there is nothing to tell.
    assert not elsewhere.any()
    assert not features.best[2].any()


def test_nothing_hidden_is_told(seen, start):
    state = fight(
        jokers(hand(start, CARDS), "j_photograph", "j_joker", "j_cavendish"), "bl_house", target=900.0
    )
    down = np.zeros_like(state.deck.face_down)
    down[np.asarray(state.piles.hand[:3], int)] = True
    state = put(replace(state, deck=replace(state.deck, face_down=down)), jokers__face_down=True)
    worlds = jax.jit(jax.vmap(determinise, in_axes=(0, None)))(
        jax.random.split(jax.random.PRNGKey(1), 4), state
    )
    features = seen(
        state, *(jax.tree.map(lambda values, row=row: np.asarray(values)[row], worlds) for row in range(4))
    )
    for row in range(1, 5):
        for one in (features.best, features.exact):
            np.testing.assert_array_equal(one[row], one[0])
    assert not features.best[0][:3].any()


def test_only_a_network_that_asks_gets_them():
    shapes = jax.eval_shape(lambda state: features_for(SMALL, ENV.observe(state), state), start_shape())
    chex.assert_shape([shapes.best, shapes.exact], [(32,), (NUM_EXACT,)])
    for exact in (False, True):
        config = replace(SMALL, exact=exact)
        made = jax.make_jaxpr(lambda state, config=config: features_for(config, ENV.observe(state), state))
        assert ("stage" in str(made(start_shape()))) == exact


def start_shape() -> State:
    """A state's shapes."""
    return jax.eval_shape(ENV.reset, jax.random.PRNGKey(0))[1]
