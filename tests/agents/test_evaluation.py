"""Fixed seeds, what became of runs, and comparing agents on the same seeds."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.agents.evaluation import Player, paired
from jaxtro.agents.results import Runs, summary, wilson
from jaxtro.agents.seed_lists import COUNT, seed_list, seed_texts
from jaxtro.env.actions import Action, Kind
from jaxtro.seed_text import decode_seed, random_seeds
from tests.agents.mini import MiniEnv, MiniExpert

SEEDS = 20
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class LowCard(MiniExpert):
    """Plays the first card, whatever it is."""

    name: str = "low"

    def act(self, params: Any, key: Any, state: Any, observation: Any, legal: Any) -> Action:
        """See `Agent.act`."""
        action = super().act(params, key, state, observation, legal)
        return replace(action, cards=jnp.arange(32) == 0)


@dataclass(frozen=True)
class Cheat(LowCard):
    """Sells what it does not have."""

    name: str = "cheat"

    def act(self, params: Any, key: Any, state: Any, observation: Any, legal: Any) -> Action:
        """See `Agent.act`."""
        return replace(super().act(params, key, state, observation, legal), kind=jnp.int32(Kind.SELL_JOKER))


@dataclass(frozen=True)
class Dice(MiniExpert):
    """Plays one card, drawn by its key."""

    name: str = "dice"

    def act(self, params: Any, key: Any, state: Any, observation: Any, legal: Any) -> Action:
        """See `Agent.act`."""
        action = super().act(params, key, state, observation, legal)
        return replace(action, cards=jnp.arange(32) == jax.random.randint(key, (), 0, 8))


class Strict(MiniEnv):
    """Says which actions are illegal, as the real game does."""

    def step(self, state: Any, action: Action, *weights: Any) -> tuple:
        """One play."""
        *out, info = super().step(state, action, *weights)
        return *out, replace(info, illegal=action.kind != Kind.PLAY)


def play(agent: Any, batch: int = 8, seeds: int = SEEDS) -> Runs:
    return Player(Strict(), agent, batch).play(seed_list("evaluation", seeds), jnp.int32(0), max_steps=20)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return play(MiniExpert())


def test_seed_lists_are_fixed_disjoint_and_out_of_reach_of_training():
    lists = {name: seed_texts(name) for name in ("evaluation", "test")}
    texts = lists["evaluation"] + lists["test"]
    assert len(set(texts)) == 2 * COUNT
    assert all(len(text) == 8 and "O" in text for text in texts)
    # The lists are part of what is reported: a change of them is a change of every figure.
    assert (lists["evaluation"][0], lists["test"][999]) == ("EON1BSTG", "TOCCBG47")
    assert seed_texts("test", 5) == lists["test"][:5]
    drawn = [decode_seed(seed) for seed in random_seeds(123456789, 2000)]
    assert not any("O" in text for text in drawn)


@pytest.mark.parametrize(("name", "count"), [("train", 5), ("test", 0), ("test", 1001)])
def test_wrong_lists(name, count):
    with pytest.raises(ValueError, match=r"known: evaluation, test|1 to 1000"):
        seed_list(name, count)


def test_every_seed_is_played_to_its_end(runs):
    assert len(runs) == SEEDS
    assert runs.seed == tuple(seed_texts("evaluation", SEEDS))
    assert (runs.actions == 3).all()
    assert (runs.won <= runs.finished).all()
    report = summary(runs)
    assert report["wins"] == int(runs.won.sum()) > SEEDS // 2
    assert report["win_rate_low"] < report["win_rate"] < report["win_rate_high"]
    assert report["mean_ante"] == pytest.approx(runs.ante.mean())


@pytest.mark.parametrize("agent", [MiniExpert(), Dice()])
def test_the_batch_does_not_matter(agent):
    one, other = play(agent, batch=8), play(agent, batch=7)
    for name in ("won", "blinds", "actions", "ante"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


TWO_CORES = """
from jaxtro.devices import use_cores
assert use_cores(count=2) == 2
from tests.agents.test_evaluation import Cheat, Dice, play
runs = play(Dice(), batch=128, seeds=128)
print([[int(number) for number in getattr(runs, name)] for name in ("won", "blinds", "actions", "ante")])
try:
    play(Cheat(), batch=128, seeds=128)
except RuntimeError as error:
    print(error)
"""


def test_the_cores_do_not_matter():
    done = subprocess.run(
        [sys.executable, "-c", TWO_CORES], env=os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    alone = play(Dice(), batch=8, seeds=128)
    found, told = done.stdout.splitlines()
    names = ("won", "blinds", "actions", "ante")
    assert json.loads(found) == [[int(number) for number in getattr(alone, name)] for name in names]
    assert "cheat chose 2048 illegal actions" in told  # 16 of each game, on both devices


class Endless(Strict):
    """A game whose runs go on."""

    def step(self, state: Any, action: Action, *weights: Any) -> tuple:
        """One play that does not count."""
        observation, after, *rest = super().step(state, action)
        return (
            observation,
            replace(after, phase=state.phase, run=replace(after.run, won=state.run.won)),
            *rest,
        )


def test_runs_that_are_given_up_are_told():
    short = Player(Endless(), MiniExpert(), 4).play(seed_list("evaluation", 4), jnp.int32(0), max_steps=20)
    report = summary(short)
    assert (report["finished"], report["wins"], report["lost_to"]) == (0, 0, {})
    # Calls play 16 decisions of every game.
    assert (short.actions == 32).all()


def test_paired_comparison(runs):
    low = play(LowCard())
    report = paired(runs, low)
    assert report["won"]["low"] > 0
    assert report["won"]["difference"] == pytest.approx(runs.won.mean() - low.won.mean())
    assert report["won"]["better"] + report["won"]["worse"] <= SEEDS
    same = paired(runs, runs)
    assert same["blinds"] == {"difference": 0.0, "low": 0.0, "high": 0.0, "better": 0, "worse": 0}
    with pytest.raises(ValueError, match="different seeds"):
        paired(runs, replace(low, seed=low.seed[::-1]))


def test_illegal_actions_are_an_error():
    with pytest.raises(RuntimeError, match=r"cheat chose .* illegal actions"):
        play(Cheat())


def test_wilson_interval():
    # Figures of the textbook example: 15 of 50, and the ends.
    low, high = wilson(15, 50)
    assert (round(low, 3), round(high, 3)) == (0.191, 0.438)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(0, 1000)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)
    assert round(wilson(0, 1000)[1], 4) == 0.0038
