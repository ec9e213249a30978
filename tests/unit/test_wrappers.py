"""The flat view and AutoReset, step by step: on the shared compiled step, and in batches on a toy environment."""

from dataclasses import dataclass, replace
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env.actions import Kind
from jaxtro.env.flat import NAMES, NUM_ACTIONS, FlatState
from jaxtro.env.state import Phase
from jaxtro.env.wrappers import AutoState
from tests.run_tools import BATCH, ENV, act, compiled, consumables, fight, put, resets, step_all
from tests.shared_env import SharedEnv

FLAT = jaxtro.FlatBalatro(SharedEnv())  # type: ignore[arg-type]
NOTHING = np.zeros(32, bool)


@pytest.fixture(scope="module")
def fresh():  # type: ignore[no-untyped-def]
    return resets(["OOOO155"], [jaxtro.make_params()])[0]


def step(env, state, action):  # type: ignore[no-untyped-def]
    """A step of a wrapper around `SharedEnv`: the wrapper's own jit is off, the game's step is compiled."""
    with jax.disable_jit():
        return env.step(state, action)


def flat_steps(flat, *names):  # type: ignore[no-untyped-def]
    """Does actions by name. -> the last step's results"""
    for name in names:
        out = step(FLAT, flat, NAMES.index(name))
        flat = out[1]
        assert not bool(out[5].illegal), name
    return out


def chosen(flat):  # type: ignore[no-untyped-def]
    return np.flatnonzero(flat.chosen).tolist()


# --- the flat view --------------------------------------------------------------------------------------


def test_flat_numbers_are_stable_and_masks_agree(fresh):  # type: ignore[no-untyped-def]
    assert NUM_ACTIONS == len(set(NAMES)) == 177
    for number, name in (
        (0, "toggle card 0"),
        (32, "select blind"),
        (35, "play"),
        (37, "sort by rank"),
        (44, "next round"),
        (176, "move hand card 31 left"),
    ):
        assert NAMES[number] == name
    flat = jaxtro.FlatBalatro(ENV)
    ((_, state, _),) = step_all([fresh], [act(Kind.SELECT)])
    two = NOTHING.copy()
    two[[0, 3]] = True
    for cards in (NOTHING, two):
        now = FlatState(state, jnp.asarray(cards))
        mask = np.asarray(flat.legal_actions(now))
        actions = jax.vmap(lambda n: flat.action_of(now, n))(jnp.arange(NUM_ACTIONS))  # noqa: B023
        direct = np.asarray(jax.jit(jax.vmap(ENV.is_legal, in_axes=(None, 0)))(state, actions))
        # Toggles aside, the mask says what the factored view says.
        assert (mask[32:] == direct[32:]).all()
        assert (np.flatnonzero(mask[:32]) == np.arange(8)).all()


def test_cards_are_chosen_one_by_one_and_played(fresh):  # type: ignore[no-untyped-def]
    _, flat, *_ = flat_steps(FlatState(fresh, jnp.asarray(NOTHING)), "select blind")
    before = jax.tree.map(np.asarray, flat.state)
    _, flat, reward, _, _, info = flat_steps(
        flat, *(f"toggle card {card}" for card in (0, 1, 2, 7, 3)), "toggle card 7"
    )
    assert chosen(flat) == [0, 1, 2, 3]
    chex.assert_trees_all_equal(flat.state, before)  # a toggle is no action of the game
    assert (float(reward), int(info.episode_step)) == (0, 1)
    _, flat, reward, terminated, truncated, info = flat_steps(flat, "play")
    assert (int(info.cards_played), float(info.score_delta), bool(info.blind_cleared)) == (4, 700, True)
    assert float(reward) > 1
    assert not (bool(terminated) | bool(truncated))
    assert chosen(flat) == []


def test_illegal_numbers_change_nothing(fresh):  # type: ignore[no-untyped-def]
    start = FlatState(fresh, jnp.asarray(NOTHING))
    for number in (NAMES.index("toggle card 0"), NAMES.index("play"), -1, NUM_ACTIONS, 10**6):
        _, flat, reward, _, _, info = step(FLAT, start, number)
        assert bool(info.illegal)
        assert float(reward) == 0
        chex.assert_trees_all_equal(flat, start)
    _, flat, *_ = flat_steps(start, "select blind", *(f"toggle card {card}" for card in range(5)))
    _, after, _, _, _, info = step(FLAT, flat, NAMES.index("toggle card 5"))
    assert bool(info.illegal)  # five are the most
    assert chosen(after) == chosen(flat) == [0, 1, 2, 3, 4]


def test_the_choice_stays_while_the_hand_lies_as_it_did(fresh):  # type: ignore[no-untyped-def]
    _, flat, *_ = flat_steps(FlatState(fresh, jnp.asarray(NOTHING)), "select blind", "toggle card 1")
    holding = replace(flat, state=consumables(jax.tree.map(np.asarray, flat.state), "c_pluto", "c_mars"))
    # A planet takes no targets: it is used whatever is chosen.
    _, used, _, _, _, info = flat_steps(holding, "use consumable 0")
    assert int(info.last_action_type) == Kind.USE
    assert chosen(used) == [1]
    assert chosen(flat_steps(flat, "sort by suit")[1]) == []
    assert chosen(flat_steps(flat, "discard")[1]) == []


def test_a_finished_run_stays_in_the_flat_view(fresh):  # type: ignore[no-untyped-def]
    lost = FlatState(put(fresh, phase=int(Phase.GAME_OVER)), jnp.asarray(NOTHING))
    assert np.asarray(FLAT.legal_actions(lost)).all()
    for number in (0, 35):
        _, flat, reward, terminated, _, info = step(FLAT, lost, number)
        assert (float(reward), bool(terminated), bool(info.illegal)) == (0, True, False)
        chex.assert_trees_all_equal(flat, lost)


# --- AutoReset ------------------------------------------------------------------------------------------


def test_a_run_that_ends_is_followed_by_a_new_one(fresh):  # type: ignore[no-untyped-def]
    auto = jaxtro.AutoReset(FLAT)
    with jax.disable_jit():
        _, start = auto.reset(jax.random.key(3), jaxtro.make_params("Blue Deck"))
    cards = NOTHING.copy()
    cards[0] = True
    losing = FlatState(fight(flat_steps(start.state, "select blind")[1].state, hands_left=1), cards)
    observation, after, _, terminated, truncated, info = step(
        auto, replace(start, state=losing), NAMES.index("play")
    )
    assert (bool(terminated), bool(truncated)) == (True, False)
    # What is told of the step is the old run's, what is seen the new one's.
    assert (int(info.stage), int(info.round), int(info.plays_left)) == (Phase.GAME_OVER, 1, 0)
    assert int(observation.phase) == int(after.state.state.phase) == Phase.BLIND_SELECT
    assert not np.any(after.state.chosen)
    assert int(after.state.state.run.steps) == 0
    assert int(after.state.state.run.hands) == 5  # Blue Deck again
    assert not np.array_equal(after.state.state.streams.seed, start.state.state.streams.seed)
    assert not np.array_equal(jax.random.key_data(after.key), jax.random.key_data(start.key))
    # Where nothing ends, nothing is drawn.
    _, on, _, terminated, _, _ = step(auto, start, NAMES.index("select blind"))
    assert not bool(terminated)
    assert np.array_equal(on.state.state.streams.seed, start.state.state.streams.seed)
    assert np.array_equal(jax.random.key_data(on.key), jax.random.key_data(start.key))


def test_a_truncated_run_is_followed_by_a_new_one(fresh):  # type: ignore[no-untyped-def]
    auto = jaxtro.AutoReset(SharedEnv())
    with jax.disable_jit():
        _, start = auto.reset(jax.random.key(4), jaxtro.make_params(max_steps=1))
    observation, after, _, terminated, truncated, info = step(auto, start, act(Kind.SELECT))
    assert (bool(terminated), bool(truncated)) == (False, True)
    assert (int(info.stage), int(info.episode_step)) == (Phase.SELECTING_HAND, 1)
    assert int(observation.phase) == Phase.BLIND_SELECT
    assert (int(after.state.run.steps), int(after.state.run.max_steps)) == (0, 1)


def test_restart_resets_only_what_ended():  # type: ignore[no-untyped-def]
    auto = jaxtro.AutoReset(ENV)
    keys = jax.random.split(jax.random.key(0), BATCH)
    params = jax.tree.map(lambda value: np.stack([value] * BATCH), jax.device_get(jaxtro.make_params()))
    _, states = compiled()[1](jaxtro.random_seeds(0, BATCH), params)
    done = np.arange(BATCH) % 4 == 0
    observation, after = jax.jit(jax.vmap(auto.restart))(AutoState(states, keys, params), states, done)
    same = np.asarray((after.state.streams.seed == states.streams.seed).all(axis=1))
    assert (same == ~done).all()
    seeds = {bytes(seed) for seed in np.asarray(after.state.streams.seed)}
    assert len(seeds) == BATCH
    chex.assert_trees_all_equal(observation, jax.jit(jax.vmap(ENV.observe))(after.state))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Count:
    """A run of the toy environment: ends at `end`, is cut off at `cut`."""

    steps: Any
    end: Any
    cut: Any
    name: Any


class CountingEnv:
    """A toy environment that counts its steps; the weight is the reward."""

    default_params = (np.int32(3), np.int32(100))

    def reset(self, key: jax.Array, params: Any = None) -> tuple[Any, Count]:
        end, cut = self.default_params if params is None else params
        name = jax.random.randint(key, (), 0, 2**30, jnp.int32)
        return jnp.int32(0), Count(jnp.int32(0), jnp.asarray(end), jnp.asarray(cut), name)

    def observe(self, state: Count) -> Any:
        return state.steps

    def step(self, state: Count, action: Any, weight: Any) -> tuple:
        state = replace(state, steps=state.steps + action)
        over, cut = state.steps >= state.end, state.steps >= state.cut
        return state.steps, state, jnp.float32(weight), over, cut & ~over, state.steps


def test_auto_reset_in_a_batch_under_jit_and_scan():  # type: ignore[no-untyped-def]
    auto = jaxtro.AutoReset(CountingEnv())
    ends, cuts = np.array([2, 3, 50, 50], np.int32), np.array([9, 9, 4, 90], np.int32)
    keys = jax.random.split(jax.random.key(1), 4)
    _, games = jax.vmap(auto.reset)(keys, (ends, cuts))

    def turn(games, _):  # type: ignore[no-untyped-def]
        out = jax.vmap(auto.step, in_axes=(0, None, None))(games, jnp.int32(1), 0.5)
        return out[1], (out[0], *out[2:], out[1].state.name)

    last, (seen, reward, terminated, truncated, info, name) = jax.device_get(
        jax.jit(lambda games: jax.lax.scan(turn, games, length=12))(games)
    )
    ticks = np.arange(1, 13)[:, None]
    lengths = np.array([2, 3, 4, 100])
    ended = ticks % lengths == 0
    assert (terminated == ended & np.array([True, True, False, False])).all()
    assert (truncated == ended & np.array([False, False, True, False])).all()
    assert (seen == ticks % lengths).all()  # the first observation of the new run
    assert (info == np.where(ended, lengths, seen)).all()  # of the run that ended
    assert (reward == 0.5).all()
    assert [len(set(row)) for row in name.T] == [7, 5, 4, 1]  # a new draw each time
    assert (last.params[0] == ends).all()


# Plain numbers stand for keys of the default kind.
@pytest.mark.parametrize(("kind", "raw"), [("threefry2x32", False), ("threefry2x32", True), ("rbg", False)])
def test_auto_reset_keeps_the_kind_of_its_keys(kind, raw):  # type: ignore[no-untyped-def]
    auto = jaxtro.AutoReset(CountingEnv())
    keys = jax.random.split(jax.random.key(1, impl=kind), 3)
    keys = jax.random.key_data(keys) if raw else keys
    _, games = jax.vmap(auto.reset, in_axes=(0, None))(keys, (np.int32(2), np.int32(9)))
    step = jax.jit(jax.vmap(auto.step, in_axes=(0, None, None)))
    _, after, *_ = step(games, jnp.int32(1), 0.5)
    assert after.key.dtype == games.key.dtype
    data = lambda games: games.key if raw else jax.random.key_data(games.key)  # noqa: E731
    np.testing.assert_array_equal(data(after), data(games))
    _, new, _, ended, _, _ = step(after, jnp.int32(1), 0.5)
    assert bool(ended.all())
    assert new.key.dtype == games.key.dtype
    assert (np.asarray(data(new)) != np.asarray(data(games))).any(axis=1).all()
    assert (np.asarray(new.state.name) != np.asarray(games.state.name)).all()


def test_wrappers_in_a_batch_keep_shapes_and_types():  # type: ignore[no-untyped-def]
    # Traced, not compiled: the whole step of both wrappers at once.
    auto = jaxtro.AutoReset(jaxtro.FlatBalatro(ENV))
    keys = jax.random.split(jax.random.key(0), 4)
    observation, games = jax.eval_shape(jax.vmap(auto.reset, in_axes=(0, None)), keys, jaxtro.make_params())
    out = jax.eval_shape(jax.vmap(auto.step), games, jax.ShapeDtypeStruct((4,), np.int32))
    chex.assert_trees_all_equal_shapes_and_dtypes(out[0], observation)
    chex.assert_trees_all_equal_shapes_and_dtypes(out[1], games)
    assert [leaf.dtype.name for leaf in out[2:5]] == ["float32", "bool", "bool"]
    mask = jax.eval_shape(jax.vmap(auto.legal_actions), games)
    assert (mask.shape, mask.dtype.name) == ((4, NUM_ACTIONS), "bool")
