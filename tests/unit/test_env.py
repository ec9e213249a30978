"""The public environment: its contract, observations, rewards, saving, the flat view."""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env import reward
from jaxtro.env.actions import Kind, finished
from jaxtro.env.flat import NAMES, NUM_ACTIONS
from jaxtro.env.observation import SCALARS
from jaxtro.env.save import SaveError
from jaxtro.env.state import Phase
from jaxtro.tables import CHALLENGES, DECKS, STAKES
from tests.run_tools import (
    BATCH,
    ENV,
    act,
    compiled,
    fight,
    hand,
    hand_codes,
    jokers,
    put,
    resets,
    step_all,
    upcoming,
)


@pytest.fixture(scope="module")
def fresh():  # type: ignore[no-untyped-def]
    return resets(["OOOO155"], [jaxtro.make_params()])[0]


def test_one_compilation_for_every_deck_stake_and_challenge():  # type: ignore[no-untyped-def]
    decks = [jaxtro.make_params(deck=row["key"]) for row in DECKS.rows if row["key"] != "b_challenge"]
    stakes = [jaxtro.make_params(stake=row["key"]) for row in STAKES.rows]
    challenges = [jaxtro.make_params(challenge=row["key"]) for row in CHALLENGES.rows]
    params = decks + stakes + challenges
    states = resets(["TEST123"] * len(params), params)
    kinds = {(int(s.rules.deck), int(s.rules.stake), int(s.rules.challenge)) for s in states}
    assert len(kinds) == len(params) - 1  # Red Deck on White Stake is there twice
    out = step_all(states, [act(Kind.SELECT)] * len(states))
    assert all(int(state.phase) == Phase.SELECTING_HAND for _, state, _ in out)
    assert compiled()[0]._cache_size() == 1
    assert compiled()[1]._cache_size() == 1


def test_the_start_of_a_known_seed(fresh):  # type: ignore[no-untyped-def]
    ((_, state, info),) = step_all([fresh], [act(Kind.SELECT)])
    # Seen in recordings of the real game (seed OOOO155).
    assert hand_codes(state) == ["S_J", "H_J", "C_J", "D_J", "H_T", "C_T", "C_9", "D_7"]
    ((_, state, info),) = step_all([state], [act(Kind.PLAY, cards=[0, 1, 2, 3])])
    assert float(state.round.chips) == 700
    assert bool(info.blind_cleared)
    assert int(info.hand_type) == 4
    ((_, state, info),) = step_all([state], [act(Kind.CASH_OUT)])
    assert int(state.run.money) == 10
    assert int(info.money_delta) == 6


def test_an_illegal_action_changes_nothing(fresh):  # type: ignore[no-untyped-def]
    wrong = [act(Kind.PLAY, cards=[0]), act(99), act(-1), act(Kind.BUY_CARD, slot=77), act(Kind.CASH_OUT)]
    for _, state, info in step_all([fresh] * len(wrong), wrong):
        assert bool(info.illegal)
        chex.assert_trees_all_equal(state, fresh)


def test_a_finished_run_stays(fresh):  # type: ignore[no-untyped-def]
    lost = put(fresh, phase=int(Phase.GAME_OVER))
    won = put(fresh, run__won=True)
    for state in (lost, won):
        assert bool(finished(state))
        ((_, after, info),) = step_all([state], [act(Kind.SELECT)])
        chex.assert_trees_all_equal(after, state)
        assert bool(info.game_end)
        assert not bool(info.illegal)
    legal = jax.jit(jax.vmap(ENV.legal_actions))(jax.tree.map(lambda a, b: np.stack([a, b]), lost, fresh))
    assert bool(legal.kind[0].all())
    assert bool(legal.slot[0].all())
    assert set(np.flatnonzero(legal.kind[1])) == {Kind.SELECT, Kind.SKIP}


def test_shapes_types_and_size():  # type: ignore[no-untyped-def]
    observation, state = jax.eval_shape(ENV.reset, jax.random.key(0))
    action = jax.eval_shape(lambda: jaxtro.make_action(Kind.PLAY))
    out = jax.eval_shape(ENV.step, state, action)
    chex.assert_trees_all_equal_shapes_and_dtypes(out[1], state)
    chex.assert_trees_all_equal_shapes_and_dtypes(out[0], observation)
    assert out[2].dtype == jnp.float32
    assert sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) <= 8192
    # Networks get no float64.
    assert {leaf.dtype.name for leaf in jax.tree.leaves(observation)} == {"int32", "float32", "bool"}


def test_debug_raises():  # type: ignore[no-untyped-def]
    # Without compiling another step: the check is on what the step returns.
    env = jaxtro.make(debug=True)
    info = jax.tree.map(np.array, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), jax.eval_shape(
        ENV.step, *jax.eval_shape(lambda: (ENV.reset(jax.random.key(0))[1], jaxtro.make_action(0))))[5]))  # fmt: skip
    env._step = lambda *_: (None, None, None, None, None, replace(info, illegal=np.bool_(True)))
    with pytest.raises(ValueError, match="illegal action PLAY"):
        env.step(put_phase(), act(Kind.PLAY))


def put_phase():  # type: ignore[no-untyped-def]
    return resets(["OOOO155"], [jaxtro.make_params()])[0]


def test_wrong_arguments():  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="encode_seed"):
        ENV.reset_to_seed("OOOO155")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown deck"):
        jaxtro.make_params(deck="purple elephant")
    for wrong in ({"blind_scale": -1}, {"win_ante": 0}, {"max_steps": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            jaxtro.make_params(**wrong)


def test_observation_hides_what_is_hidden(fresh):  # type: ignore[no-untyped-def]
    ((observation, state, _),) = step_all([upcoming(fresh, "bl_house")], [act(Kind.SELECT)])
    table = observation.hand
    assert table.face_down[:8].all()
    for values in (table.rank, table.suit, table.enhancement, table.seal, table.bonus, table.debuffed):
        assert not np.any(values)
    assert observation.unseen.sum() == 52  # hidden cards count as unseen
    assert observation.deck.sum() == 52
    ((observation, _, _),) = step_all([state], [act(Kind.DISCARD, cards=[0])])
    assert observation.unseen.sum() == 50  # one was drawn face up, one lies in the discard pile
    acorn = jokers(upcoming(fresh, "bl_final_acorn"), "j_joker", "j_egg")
    ((observation, _, _),) = step_all([acorn], [act(Kind.SELECT)])
    assert not observation.jokers.id.any()
    assert observation.jokers.mask[:2].all()
    assert len(SCALARS) == observation.scalars.shape[-1]


def test_rewards(fresh):  # type: ignore[no-untyped-def]
    before = fight(hand(fresh, "S_K H_K"), target=100, chips=0)
    half = put(before, round__chips=50)
    beaten = put(before, round__chips=100, phase=int(Phase.ROUND_EVAL))
    no = jnp.bool_(False)
    assert float(reward.potential(before)) == 0
    assert 0 < float(reward.potential(half)) < float(reward.potential(beaten)) == 1
    weights = reward.Weights(progress=2.0, blind=3.0)
    assert float(reward.reward(before, beaten, no, weights)) == 5.0
    assert float(reward.reward(before, before, jnp.bool_(True), reward.Weights(illegal=0.5))) == -0.5
    parts = reward.terms(before, put(beaten, run__money=9, run__won=True), no)
    assert (float(parts.money), float(parts.win), float(parts.loss)) == (5, 1, 0)


def test_save_and_go_on(tmp_path, fresh):  # type: ignore[no-untyped-def]
    path = tmp_path / "run.npz"
    ((_, state, _),) = step_all([fresh], [act(Kind.SELECT)])
    jaxtro.save_states(path, state)
    loaded = jax.tree.map(np.asarray, jaxtro.load_states(path))
    chex.assert_trees_all_equal(loaded, state)
    (_, one, _), (_, other, _) = step_all([state, loaded], [act(Kind.PLAY, cards=[0, 1])] * 2)
    chex.assert_trees_all_equal(one, other)
    batch = jax.tree.map(lambda a, b: np.stack([a, b]), fresh, state)
    jaxtro.save_states(path, batch)
    chex.assert_trees_all_equal(jax.tree.map(np.asarray, jaxtro.load_states(path)), batch)


def test_damaged_saves(tmp_path, fresh):  # type: ignore[no-untyped-def]
    path = tmp_path / "run.npz"
    path.write_bytes(b"no states")
    with pytest.raises(SaveError, match="no file of saved states"):
        jaxtro.load_states(path)
    with pytest.raises(OSError, match="gone"):
        jaxtro.load_states(tmp_path / "gone.npz")
    jaxtro.save_states(path, fresh)
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    name = next(key for key in stored if "money" in key)
    np.savez_compressed(path, **(stored | {name: np.int32(999)}))
    with pytest.raises(SaveError, match="checksum"):
        jaxtro.load_states(path)
    np.savez_compressed(path, **{key: value for key, value in stored.items() if key != name})
    with pytest.raises(SaveError, match="missing"):
        jaxtro.load_states(path)


def test_flat_numbers_are_stable_and_masks_agree(fresh):  # type: ignore[no-untyped-def]
    assert NUM_ACTIONS == len(set(NAMES)) == 177
    for number, name in (
        (0, "toggle card 0"),
        (32, "select blind"),
        (35, "play"),
        (44, "next round"),
        (176, "move hand card 31 left"),
    ):
        assert NAMES[number] == name
    flat = jaxtro.FlatBalatro(ENV)
    ((_, state, _),) = step_all([fresh], [act(Kind.SELECT)])
    chosen = np.zeros(32, bool)
    chosen[[0, 3]] = True
    from jaxtro.env.flat import FlatState

    for cards in (np.zeros(32, bool), chosen):
        now = FlatState(state, jnp.asarray(cards))
        mask = np.asarray(flat.legal_actions(now))
        actions = jax.vmap(lambda n: flat.action_of(now, n))(jnp.arange(NUM_ACTIONS))  # noqa: B023
        direct = np.asarray(jax.jit(jax.vmap(ENV.is_legal, in_axes=(None, 0)))(state, actions))
        # Toggles aside, the mask says what the factored view says.
        assert (mask[32:] == direct[32:]).all()
        assert (np.flatnonzero(mask[:32]) == np.arange(8)).all()


def test_restart_resets_only_what_ended(fresh):  # type: ignore[no-untyped-def]
    auto = jaxtro.AutoReset(ENV)
    keys = jax.random.split(jax.random.key(0), BATCH)
    observation, games = jax.jit(jax.vmap(auto.reset, in_axes=(0, None)))(keys, jaxtro.make_params())
    done = np.arange(BATCH) % 4 == 0
    _, after = jax.jit(jax.vmap(auto.restart))(games, games.state, observation, done)
    same = np.asarray((after.state.streams.seed == games.state.streams.seed).all(axis=1))
    assert (same == ~done).all()
    seeds = {bytes(seed) for seed in np.asarray(after.state.streams.seed)}
    assert len(seeds) == BATCH


def test_score_and_best_play_of_a_run(fresh):  # type: ignore[no-untyped-def]
    ((_, state, _),) = step_all([fresh], [act(Kind.SELECT)])
    score = ENV.score(state, [0, 1, 2, 3])
    assert float(score.total) == 700
    with pytest.raises(ValueError, match="no card at place"):
        ENV.score(state, [9])
    with pytest.raises(ValueError, match="hand is 1 to 5"):
        ENV.score(state, [])
