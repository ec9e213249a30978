"""The experts: legal actions, exact plays, and no use of what is hidden."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.agents.determinise import determinise
from jaxtro.agents.experts import GreedyAgent, PlannerAgent, RandomAgent
from jaxtro.agents.experts.discards import keeps
from jaxtro.agents.experts.priors import load_priors
from jaxtro.agents.experts.view import known_jokers, look
from jaxtro.env.actions import Kind
from jaxtro.env.scoring.notation import make_scoring_state
from jaxtro.env.state import Phase, State
from jaxtro.tables import JOKERS, item
from tests.run_tools import BATCH, ENV, compiled, fight, hand, jokers, put, resets

STEPS = 40


@pytest.fixture(scope="module")
def act() -> Any:
    """The planner's actions for a batch: of the states, of changed states; and whether they are legal."""
    planner = PlannerAgent()

    @jax.jit
    def run(key: Any, states: State) -> Any:
        keys = jax.random.split(key, BATCH)
        one = lambda key, state: planner.act(  # noqa: E731
            planner.params, key, state, None, ENV.legal_actions(state)
        )
        return jax.vmap(one)(keys, states)

    hide = jax.jit(lambda key, states: jax.vmap(determinise)(jax.random.split(key, BATCH), states))
    legal = jax.jit(jax.vmap(ENV.is_legal))
    return lambda key, states: (
        run(key, states),
        run(key, hide(key, states)),
        legal(states, run(key, states)),
    )


def same(a: Any, b: Any) -> np.ndarray:
    """Which rows of two batches are equal."""
    rows = [
        np.all((np.asarray(x) == np.asarray(y)).reshape(BATCH, -1), axis=1)
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    ]
    return np.all(rows, axis=0)


def start() -> State:
    """Games whose targets are low, so that they go far in few steps; with money to spend."""
    params = replace(ENV.default_params, blind_scale=np.float64(0.2))
    states = resets([f"SEED{n}".replace("0", "O") for n in range(BATCH)], [params] * BATCH)
    states = [put(state, run__money=30) for state in states]
    batch: State = jax.tree.map(lambda *values: np.stack(values), *states)
    return batch


def test_planner_is_legal_and_blind_to_what_is_hidden(act):
    states = start()
    kinds = set()
    for number in range(STEPS):
        action, other, legal = act(jax.random.key(number), states)
        assert np.all(legal)
        assert np.all(same(action, other))
        kinds |= set(np.asarray(action.kind).tolist())
        states = compiled()[0](states, action)[1]
    assert {Kind.PLAY, Kind.DISCARD, Kind.BUY_CARD, Kind.NEXT_ROUND, Kind.CASH_OUT, Kind.SELECT} <= kinds


@pytest.mark.parametrize("blind", ["bl_house", "bl_mark", "bl_final_acorn", "bl_psychic", "bl_final_bell"])
def test_planner_against_bosses_that_hide_cards(act, blind):
    state = resets(["OOOO155"], [ENV.default_params])[0]
    state = jokers(state, "j_photograph", "j_joker", "j_cavendish")
    state = fight(hand(state, "S_K H_K S_5 C_5 D_2 H_3 C_4 D_8"), blind, target=5000.0)
    places = state.piles.hand[:4] if blind != "bl_final_bell" else []
    down = np.zeros_like(state.deck.face_down)
    down[np.asarray(places, int)] = blind in ("bl_house", "bl_mark")
    forced = state.piles.hand[6] if blind == "bl_final_bell" else -1
    state = replace(state, deck=replace(state.deck, face_down=down))
    state = put(state, round__forced=forced, jokers__face_down=blind == "bl_final_acorn")
    states = jax.tree.map(lambda value: np.stack([value] * BATCH), state)
    action, other, legal = act(jax.random.key(3), states)
    assert np.all(legal)
    assert np.all(same(action, other))


def test_planner_plays_what_wins(act):
    state = resets(["OOOO155"], [ENV.default_params])[0]
    state = fight(hand(state, "S_K H_K S_5 C_5 D_2 H_3 C_4 D_8"), "bl_small", target=90.0)
    states = jax.tree.map(lambda value: np.stack([value] * BATCH), state)
    action, _, _ = act(jax.random.key(0), states)
    assert int(action.kind[0]) == Kind.PLAY
    assert np.flatnonzero(action.cards[0]).tolist()[:4] == [0, 1, 2, 3]


def test_planner_discards_to_a_flush(act):
    state = resets(["OOOO155"], [ENV.default_params])[0]
    state = fight(hand(state, "S_A S_J S_8 S_5 D_2 H_3 C_7 D_9"), "bl_small", target=250.0)
    states = jax.tree.map(lambda value: np.stack([value] * BATCH), state)
    action, _, _ = act(jax.random.key(0), states)
    assert np.all(np.asarray(action.kind) == Kind.DISCARD)
    # Each game has a key of its own, so a few see luckier samples of another draw.
    assert np.mean(~np.any(np.asarray(action.cards)[:, :4], axis=1)) > 0.6


def test_planner_takes_its_planets_and_good_jokers(act):
    state = resets(["OOOO155"], [ENV.default_params])[0]
    state = put(state, phase=Phase.SHOP, run__money=20, shop__cards__id=0, shop__cards__front=-1)
    state.shop.cards.id[0] = item("j_cavendish")
    states = jax.tree.map(lambda value: np.stack([value] * BATCH), state)
    action, _, legal = act(jax.random.key(0), states)
    assert np.all(legal)
    assert int(action.kind[0]) == Kind.BUY_CARD
    assert int(action.slot[0]) == 0


def test_greedy_and_random_are_legal():
    agents = (GreedyAgent(), RandomAgent())

    @jax.jit
    def run(key: Any, states: State) -> Any:
        keys = jax.random.split(key, BATCH)
        return [
            jax.vmap(lambda key, state, a=agent: a.act((), key, state, None, ENV.legal_actions(state)))(
                keys, states
            )
            for agent in agents
        ]

    legal = jax.jit(jax.vmap(ENV.is_legal))
    both = [start(), start()]
    bought = {Kind.BUY_CARD, Kind.BUY_PACK, Kind.BUY_VOUCHER, Kind.DISCARD, Kind.REROLL}
    for number in range(12):
        for which in range(2):
            action = run(jax.random.key(number), both[which])[which]
            assert np.all(legal(both[which], action))
            if which == 0:
                assert not bought & set(np.asarray(action.kind).tolist())
            both[which] = compiled()[0](both[which], action)[1]


def test_what_is_kept():
    state = make_scoring_state("KH KD 5S 5C 2D 3H 4C 8D")
    cards = jax.tree.map(lambda values: jnp.asarray(values)[:16], state.hand)
    best = np.zeros(16, bool)
    best[:4] = True
    sets = {tuple(np.flatnonzero(row).tolist()) for row in np.asarray(keeps(cards, jnp.asarray(best)))}
    assert (0, 1, 2, 3) in sets  # the pairs
    assert (1, 4, 7) in sets  # diamonds
    assert len(sets) > 5


def test_face_down_jokers_have_no_order():
    state = make_scoring_state("KH", "Joker, Cavendish, Blueprint").jokers
    turned = jax.tree.map(lambda values: jnp.asarray(values)[::-1], state)
    a, b = (known_jokers(jax.tree.map(jnp.asarray, one), jnp.bool_(True)) for one in (state, turned))
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)
    assert int(jnp.sum(a.id > 0)) == 3


def test_view_hides_faces():
    state = resets(["OOOO155"], [ENV.default_params])[0]
    state = fight(hand(state, "S_K H_K S_5 C_5 D_2 H_3 C_4 D_8"))
    down = np.zeros_like(state.deck.face_down)
    down[state.piles.hand[[0, 3]]] = True
    seen = jax.jit(look)(replace(state, deck=replace(state.deck, face_down=down)))
    assert np.asarray(seen.place)[:7].tolist() == [1, 2, 4, 5, 6, 7, 32]
    assert int(jnp.sum(seen.unseen)) == 52 - 6
    assert not np.any(np.asarray(seen.scoring.streams.states))


def test_priors_name_existing_things():
    priors = load_priors()
    assert priors.joker.shape == (len(JOKERS),)
    assert priors.money[item("j_golden")] == 4
    assert np.all(priors.pack[1:] > 0)
