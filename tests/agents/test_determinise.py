"""A determinised run looks the same to its player and hides something else."""

from dataclasses import replace

import chex
import jax
import numpy as np
import pytest

from jaxtro.agents.determinise import determinise
from jaxtro.env.state import Phase, State
from jaxtro.tables import BLINDS, ITEMS
from tests.run_tools import ENV, fight, hand, jokers, put, resets

DRAWS = 8


@pytest.fixture(scope="module")
def worlds():
    """Eight determinised runs of a state, and what their players see."""
    keys = jax.random.split(jax.random.PRNGKey(5), DRAWS)

    @jax.jit
    def run(state: State):
        found = jax.vmap(determinise, in_axes=(0, None))(keys, state)
        return found, jax.vmap(ENV.observe)(found), ENV.observe(state)

    return lambda state: jax.device_get(run(state))


@pytest.fixture
def fighting():
    state = resets(["OOOO155"], [ENV.default_params])[0]
    return fight(
        hand(jokers(state, "j_joker", "j_egg", "j_cavendish"), "S_K H_K S_5 C_5 D_2 H_3"), "bl_small"
    )


def looks_the_same(seen, before):
    for one, other in zip(jax.tree.leaves(seen), jax.tree.leaves(before), strict=True):
        np.testing.assert_array_equal(one, np.broadcast_to(other, one.shape))


def lies(state, row):
    """All cards of the hand and the draw pile of one world."""
    hand = state.piles.hand[row]
    return sorted(hand[hand >= 0].tolist() + state.piles.draw[row][: int(state.piles.n_draw[row])].tolist())


def test_the_draw_pile_is_shuffled_and_the_hand_stays(worlds, fighting):
    found, seen, before = worlds(fighting)
    looks_the_same(seen, before)
    np.testing.assert_array_equal(
        found.piles.hand, np.broadcast_to(fighting.piles.hand, found.piles.hand.shape)
    )
    orders = {tuple(row) for row in found.piles.draw.tolist()}
    assert len(orders) == DRAWS
    known = sorted(
        fighting.piles.hand[fighting.piles.hand >= 0].tolist()
        + fighting.piles.draw[: int(fighting.piles.n_draw)].tolist()
    )
    assert all(lies(found, row) == known for row in range(DRAWS))


def test_all_streams_change(worlds, fighting):
    found, _, _ = worlds(fighting)
    started = fighting.streams.states >= 0
    assert (found.streams.states[:, started] != fighting.streams.states[started]).all()
    assert (found.streams.states[:, ~started] == fighting.streams.states[~started]).all()
    assert len(set(found.streams.seed_hash.tolist())) == DRAWS
    assert not (found.streams.seed == fighting.streams.seed).all(axis=1).any()


def test_a_voucher_is_hidden_until_a_shop_shows_it(worlds, fighting):
    hidden, _, _ = worlds(put(fighting, run__shop_visited=False))
    real = int(fighting.run.next_voucher)
    assert len(set(hidden.run.next_voucher.tolist())) > 3
    assert all(ITEMS.keys[number].startswith("v_") for number in hidden.run.next_voucher.tolist())
    shown, _, _ = worlds(put(fighting, run__shop_visited=True))
    assert set(shown.run.next_voucher.tolist()) == {real}
    # A boss that fell has drawn the next one.
    over = put(
        fighting, run__shop_visited=True, phase=Phase.ROUND_EVAL, round__blind=BLINDS.keys.index("bl_hook")
    )
    assert len(set(worlds(over)[0].run.next_voucher.tolist())) > 3
    small = put(over, round__blind=BLINDS.keys.index("bl_small"))
    assert set(worlds(small)[0].run.next_voucher.tolist()) == {real}


def test_face_down_cards_trade_places_with_unseen_ones(worlds, fighting):
    down = np.zeros_like(fighting.deck.face_down)
    down[fighting.piles.hand[[1, 4]]] = True
    state = put(
        replace(fighting, deck=replace(fighting.deck, face_down=down)), round__forced=fighting.piles.hand[4]
    )
    found, seen, before = worlds(state)
    looks_the_same(seen, before)
    assert len(set(found.piles.hand[:, 1].tolist())) > DRAWS // 2
    for row in range(DRAWS):
        up = [0, 2, 3, 5]
        np.testing.assert_array_equal(found.piles.hand[row][up], fighting.piles.hand[up])
        assert found.deck.face_down[row][found.piles.hand[row][[1, 4]]].all()
        assert found.deck.face_down[row].sum() == 2
        assert found.round.forced[row] == found.piles.hand[row][4]


def test_face_down_jokers_change_places_and_pinned_ones_stay(worlds, fighting):
    turned = np.zeros_like(fighting.jokers.face_down)
    turned[:3] = True
    pinned = np.zeros_like(fighting.jokers.pinned)
    pinned[0] = True
    found, seen, before = worlds(put(fighting, jokers__face_down=turned, jokers__pinned=pinned))
    looks_the_same(seen, before)
    ids = found.jokers.id[:, :3]
    assert (ids[:, 0] == fighting.jokers.id[0]).all()
    assert {tuple(row) for row in ids[:, 1:].tolist()} == {
        tuple(fighting.jokers.id[[1, 2]].tolist()), tuple(fighting.jokers.id[[2, 1]].tolist())
    }  # fmt: skip
    up = worlds(fighting)[0].jokers
    chex.assert_trees_all_equal(up, jax.tree.map(lambda leaf: np.stack([leaf] * DRAWS), fighting.jokers))
