"""The public environment: its contract, observations, rewards, saving."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env import reward
from jaxtro.env.actions import Kind, finished
from jaxtro.env.observation import SCALARS
from jaxtro.env.save import SaveError
from jaxtro.env.state import Phase
from jaxtro.env.x64 import require_x64
from jaxtro.tables import CHALLENGES, DECKS, HANDS, STAKES
from tests.run_tools import (
    ENV,
    act,
    compiled,
    fight,
    hand,
    hand_codes,
    jokers,
    put,
    resets,
    shop,
    step_all,
    upcoming,
)
from tests.shared_env import SharedEnv


@pytest.fixture(scope="module")
def fresh():  # type: ignore[no-untyped-def]
    return resets(["OOOO155"], [jaxtro.make_params()])[0]


def test_one_compilation_for_every_deck_stake_and_challenge():  # type: ignore[no-untyped-def]
    decks = [jaxtro.make_params(deck=row["key"]) for row in DECKS.rows if row["key"] != "b_challenge"]
    stakes = [jaxtro.make_params(stake=row["key"]) for row in STAKES.rows]
    challenges = [jaxtro.make_params(challenge=row["key"]) for row in CHALLENGES.rows]
    params = decks + stakes + challenges
    # Other tests may have called the shared programs in other ways, so what counts is that these calls add nothing.
    step_all(resets(["TEST123"], [jaxtro.make_params()]), [act(Kind.SELECT)])
    sizes = [len(program.programs) for program in compiled()]
    assert min(sizes) >= 1
    states = resets(["TEST123"] * len(params), params)
    kinds = {(int(s.rules.deck), int(s.rules.stake), int(s.rules.challenge)) for s in states}
    assert len(kinds) == len(params) - 1  # Red Deck on White Stake is there twice
    out = step_all(states, [act(Kind.SELECT)] * len(states))
    assert all(int(state.phase) == Phase.SELECTING_HAND for _, state, _ in out)
    assert [len(program.programs) for program in compiled()] == sizes


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


def told(info):  # type: ignore[no-untyped-def]
    return {name: value.item() for name, value in vars(info).items()}


def test_what_a_step_tells(fresh):  # type: ignore[no-untyped-def]
    ((_, selected, info),) = step_all([fresh], [act(Kind.SELECT)])
    start = {
        "illegal": False, "overflow": False, "episode_step": 1, "chips": 0, "blind_target": 300, "ante": 1, "round": 1,
        "money": 4, "stage": Phase.SELECTING_HAND, "blind_type": 0, "plays_left": 4, "discards_left": 4,
        "score_delta": 0, "money_delta": 0, "last_action_type": Kind.SELECT, "last_action_cost": 0, "joker_count": 0,
        "joker_slot_limit": 5, "hand_type": -1, "cards_played": 0, "cards_discarded": 0, "blind_cleared": False,
        "game_end": False, "won": False,
    }  # fmt: skip
    assert told(info) == start
    ((_, discarded, info),) = step_all([selected], [act(Kind.DISCARD, cards=[4, 5, 7])])
    changed = {"episode_step": 2, "discards_left": 3, "last_action_type": Kind.DISCARD, "cards_discarded": 3}
    assert told(info) == start | changed
    jacks = [place for place, code in enumerate(hand_codes(discarded)) if code in ("S_J", "H_J")]
    ((_, played, info),) = step_all([discarded], [act(Kind.PLAY, cards=jacks)])
    pair = start | {
        "episode_step": 3, "discards_left": 3, "plays_left": 3, "last_action_type": Kind.PLAY, "cards_played": 2,
        "chips": 60, "score_delta": 60, "hand_type": HANDS.keys.index("Pair"),
    }  # fmt: skip
    assert told(info) == pair
    ((_, _, info),) = step_all([played], [act(Kind.CASH_OUT)])
    nothing = {"score_delta": 0, "hand_type": -1, "cards_played": 0}
    assert told(info) == pair | nothing | {"illegal": True, "last_action_type": Kind.CASH_OUT}


def test_what_a_step_tells_about_money_and_jokers(fresh):  # type: ignore[no-untyped-def]
    rich = put(jokers(fresh, ("j_egg", {"edition": "e_negative"})), run__money=30)
    counter = shop(rich, ["j_joker", "c_pluto"], ["p_arcana_normal_1"], ["v_hone"])
    bought, sold, voucher, pack, reroll = (
        told(info)
        for _, _, info in step_all(
            [counter] * 5,
            [act(Kind.BUY_CARD), act(Kind.SELL_JOKER), act(Kind.BUY_VOUCHER), act(Kind.BUY_PACK), act(Kind.REROLL)],
        )
    )  # fmt: skip
    spent = lambda info: (info["last_action_cost"], info["money_delta"], info["money"])  # noqa: E731
    assert spent(bought) == (2, -2, 28)
    assert (bought["joker_count"], bought["joker_slot_limit"]) == (2, 6)  # a negative joker brings its slot
    value = sold["money_delta"]
    assert value > 0
    assert spent(sold) == (-value, value, 30 + value)
    assert (sold["joker_count"], sold["joker_slot_limit"]) == (0, 5)
    assert spent(voucher) == (10, -10, 20)
    assert spent(pack) == (4, -4, 26)
    assert pack["stage"] == Phase.PACK
    assert spent(reroll) == (5, -5, 25)
    big, boss = (
        told(info)
        for _, _, info in step_all([upcoming(fresh, "bl_big"), upcoming(fresh, "bl_hook")], [act(Kind.SELECT)] * 2)
    )  # fmt: skip
    assert (big["blind_type"], boss["blind_type"]) == (1, 2)
    assert (big["blind_target"], boss["blind_target"]) == (450, 600)
    ((_, _, info),) = step_all([put(fresh, overflow=True)], [act(Kind.SELECT)])
    assert bool(info.overflow)


def test_how_a_run_ends(fresh):  # type: ignore[no-untyped-def]
    last = put(fight(hand(fresh, "S_K H_K"), "bl_hook", target=1), run__ante=1, rules__win_ante=1)
    play = act(Kind.PLAY, cards=[0])
    env = SharedEnv()
    for state, end, won, cleared in (
        (last, True, True, True),
        (put(last, run__endless=True), False, True, True),
        (put(last, round__target=1e9, round__hands_left=1), True, False, False),
        (put(last, round__target=1e9), False, False, False),
    ):
        _, _, reward, terminated, truncated, info = env.step(state, play)
        assert (bool(terminated), bool(truncated), bool(info.game_end)) == (end, False, end)
        assert (bool(info.won), bool(info.blind_cleared)) == (won, cleared)
        assert (float(reward) > 10) == won  # the win counts 10


def test_an_episode_is_cut_off_after_max_steps():  # type: ignore[no-untyped-def]
    (state,) = resets(["OOOO155"], [jaxtro.make_params(max_steps=2)])
    env = SharedEnv()
    # An illegal action does not count.
    for action, steps, cut in (
        (act(Kind.SELECT), 1, False), (act(Kind.SELECT), 1, False), (act(Kind.DISCARD, cards=[0]), 2, True),
        (act(Kind.DISCARD, cards=[0]), 3, True),
    ):  # fmt: skip
        _, state, _, terminated, truncated, info = env.step(state, action)
        assert (int(info.episode_step), bool(truncated), bool(terminated)) == (steps, cut, False)
    # A run that ends in that step has ended.
    lost = put(fight(state, hands_left=1), run__steps=1)
    _, _, _, terminated, truncated, _ = env.step(lost, act(Kind.PLAY, cards=[0]))
    assert (bool(terminated), bool(truncated)) == (True, False)


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


def test_observations_and_rewards_hold_no_float64():  # type: ignore[no-untyped-def]
    _, state = jax.eval_shape(ENV.reset, jax.random.key(0))
    observation = jax.eval_shape(ENV.observe, state)
    for path, leaf in jax.tree_util.tree_flatten_with_path(observation)[0]:
        assert leaf.dtype.name in ("int32", "float32", "bool"), jax.tree_util.keystr(path)


def test_debug_raises(fresh):  # type: ignore[no-untyped-def]
    env = jaxtro.make(debug=True)
    # An illegal action does nothing, so the step is quick even without a compilation.
    with jax.disable_jit(), pytest.raises(ValueError, match=r"illegal action PLAY .* BLIND_SELECT"):
        env.step(fresh, act(Kind.PLAY))
    # Under a transformation it cannot raise (`ENV._step`: traced by other tests already).
    env._step = ENV._step
    assert jax.eval_shape(env.step, fresh, act(Kind.PLAY))[2].shape == ()
    env._step = SharedEnv().step  # type: ignore[assignment]
    assert int(env.step(fresh, act(Kind.SELECT))[1].phase) == Phase.SELECTING_HAND
    over = put(fresh, phase=int(Phase.GAME_OVER))
    assert bool(env.step(over, act(Kind.PLAY))[3])  # every action of a finished run is legal


def test_sixty_four_bits_are_required():  # type: ignore[no-untyped-def]
    require_x64()
    try:
        jax.config.update("jax_enable_x64", False)
        with pytest.raises(RuntimeError, match=r"jax_enable_x64.*True"):
            require_x64()
    finally:
        jax.config.update("jax_enable_x64", True)
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="switched off"):
        require_x64()
    require_x64()


def test_wrong_actions():  # type: ignore[no-untyped-def]
    action = jaxtro.make_action(Kind.MOVE_HAND, slot=31, to=np.int8(0), cards=jnp.array([0, 31]))
    assert (int(action.kind), int(action.slot), int(action.to)) == (Kind.MOVE_HAND, 31, 0)
    assert np.flatnonzero(action.cards).tolist() == [0, 31]
    for wrong, text in (
        ({"cards": [0, 40]}, "cards has the place 40; give places from 0 to 31"),
        ({"cards": [-1]}, "cards has the place -1"),
        ({"cards": [3, 3]}, "twice"),
        ({"cards": [True, False, 0.5]}, "whole number"),
        ({"slot": 32}, "slot has the place 32"),
        ({"to": -1}, "to has the place -1"),
    ):
        with pytest.raises(ValueError, match=text):
            jaxtro.make_action(Kind.PLAY, **wrong)
    for kind in (-1, len(Kind)):
        with pytest.raises(ValueError, match=f"kind {kind}: there is no such action; known: 0 SELECT"):
            jaxtro.make_action(kind)
    # Traced numbers are not known yet.
    assert jax.jit(lambda slot: jaxtro.make_action(Kind.PICK, slot))(2).slot == 2


def test_a_run_can_start_at_a_later_ante():  # type: ignore[no-untyped-def]
    (later,) = resets(["OOOO155"], [jaxtro.make_params(start_ante=3)])
    assert int(later.run.ante) == 3
    ((_, state, info),) = step_all([later], [act(Kind.SELECT)])
    assert float(state.round.target) == 2000  # Small Blind of ante 3, White Stake
    assert int(info.ante) == 3


def test_wrong_arguments():  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="encode_seed"):
        ENV.reset_to_seed("OOOO155")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown deck"):
        jaxtro.make_params(deck="purple elephant")
    for wrong in (
        {"blind_scale": -1},
        {"win_ante": 0},
        {"max_steps": -1},
        {"start_ante": 0},
        {"start_ante": 9},
    ):
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
    later = put(before, run__steps=int(before.run.steps) + 1)
    assert float(reward.reward(before, later, no, reward.Weights(action=0.25))) == -0.25


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
    for content in (b"", b"money = 4\n", b"PK\x03\x04 no zip file"):
        path.write_bytes(content)
        with pytest.raises(SaveError) as caught:
            jaxtro.load_states(path)
        assert "pickle" not in str(caught.value)  # numpy's advice is of no use here
    np.savez(path, money=4)
    with pytest.raises(SaveError, match="no file of saved states; give one that save_states"):
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


def test_score_and_best_play_of_a_run(fresh):  # type: ignore[no-untyped-def]
    ((_, state, _),) = step_all([fresh], [act(Kind.SELECT)])
    score = ENV.score(state, [0, 1, 2, 3])
    assert float(score.total) == 700
    with pytest.raises(ValueError, match="no card at place"):
        ENV.score(state, [9])
    with pytest.raises(ValueError, match="hand is 1 to 5"):
        ENV.score(state, [])
