"""Behaviour cloning and its records."""

import json
from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.agents.bc import CloneConfig, _by_phase, fit, held_out, make_collect, returns_of
from jaxtro.agents.network import NetworkConfig, PolicyValue
from jaxtro.agents.records import FIELDS, RecordError, macro_of, read_records, write_records
from jaxtro.agents.saved_policy import init_params
from jaxtro.seed_text import decode_seed
from tests.agents.mini import MiniExpert, mini, mini_steps

CONFIG = NetworkConfig(entity=8, hidden=16)


@pytest.fixture(scope="module")
def steps():
    return mini_steps(2000)


def test_the_network_learns_what_the_expert_does(steps):
    net, params = PolicyValue(CONFIG), init_params(CONFIG, jax.random.PRNGKey(0))
    config = CloneConfig(epochs=6, minibatch=128, learning_rate=1e-2, held_out=0.1)
    epochs = [figures for _, figures in fit(net, params, steps, np.asarray(steps.reward), config)]
    assert [figures["epoch"] for figures in epochs] == [1, 2, 3, 4, 5, 6]
    assert epochs[-1]["loss"] < epochs[0]["loss"] / 2
    assert epochs[-1]["top1"] > max(0.6, epochs[0]["top1"])
    assert all(figures["top3"] >= figures["top1"] for figures in epochs)
    assert all(
        figures["top1_selecting_hand"] == figures["top1"] for figures in epochs
    )  # the only phase there


def test_agreement_by_phase():
    agrees, phases = np.array([True, False, True, True]), np.array([1, 1, 3, 3])
    assert _by_phase(agrees, phases) == {"top1_selecting_hand": 0.5, "top1_shop": 1.0}


def test_too_few_decisions(steps):
    one = jax.tree.map(lambda values: values[:1], steps)
    net, params = PolicyValue(CONFIG), init_params(CONFIG, jax.random.PRNGKey(0))
    with pytest.raises(ValueError, match="too few"):
        list(fit(net, params, one, np.zeros(1, np.float32), CloneConfig()))


def test_returns_stop_at_the_end_of_a_run(steps):
    """Two runs, their decisions mixed up: one ends, of the other the end was not collected."""
    four = jax.tree.map(lambda values: values[:5], steps)
    seed = np.stack([jaxtro.encode_seed(text) for text in ("AAAA", "BBBB", "AAAA", "BBBB", "AAAA")])
    four = replace(
        four, seed=seed, step=np.array([2, 0, 0, 1, 1], np.int32), done=np.array([1, 0, 0, 0, 0], bool),
        reward=np.array([4.0, 1, 1, 2, 2], np.float32),
    )  # fmt: skip
    np.testing.assert_allclose(returns_of(four, 0.5), [4.0, np.nan, 3.0, np.nan, 4.0])


def test_whole_runs_are_held_out(steps):
    runs = replace(steps, seed=steps.seed[np.arange(2000) // 4])
    mask = held_out(runs, 0.2)
    assert 0.1 < mask.mean() < 0.3
    assert (mask.reshape(-1, 4) == mask.reshape(-1, 4)[:, :1]).all()
    # More decisions change nothing for those that were there.
    np.testing.assert_array_equal(held_out(jax.tree.map(lambda leaf: leaf[:800], runs), 0.2), mask[:800])
    one = jax.tree.map(lambda leaf: leaf[:4], runs)
    assert held_out(one, 0.2).sum() == 1


def test_values_that_are_not_known_are_left_out(steps):
    net, params = PolicyValue(CONFIG), init_params(CONFIG, jax.random.PRNGKey(0))
    unknown = np.full(len(steps.reward), np.nan, np.float32)
    fitted, figures = next(fit(net, params, steps, unknown, CloneConfig(epochs=1, minibatch=128)))
    chex.assert_tree_all_finite(fitted)
    assert np.isfinite(figures["loss"])


def test_dagger_notes_the_expert_while_the_student_plays():
    env = mini()
    params, count = init_params(CONFIG, jax.random.PRNGKey(0)), 64
    keys = jax.random.split(jax.random.PRNGKey(1), count)
    carry = jax.vmap(env.reset, in_axes=(0, None))(keys, jnp.int32(0))
    collect = jax.jit(make_collect(env, MiniExpert(), 6, CONFIG, with_student=True))
    expert = collect(carry, keys[0], params, jnp.float32(0))[1]
    (_, after), both = collect(carry, keys[0], params, jnp.float32(0.5))
    both, half = jax.device_get(both), count // 2
    # The student's games go another way (its first plays bring less), the expert's are the same.
    chex.assert_trees_all_equal(*(jax.tree.map(lambda leaf: leaf[:, half:], s) for s in (expert, both)))
    assert both.reward[0, :half].mean() < expert.reward[0, :half].mean() - 0.5
    # What is noted is the expert's action on what was seen, in every game.
    high = np.asarray(both.features.hand.rank)[..., :32] >= 10
    chosen = np.asarray(both.taken.cards)
    some = high.any(axis=-1)
    assert (chosen[some] <= high[some]).all()
    assert both.done.shape == (6, count)
    assert both.done[2].all()
    assert not both.done[[0, 1, 3]].any()
    assert after.key.shape[0] == count


def test_records_come_back_as_they_were(steps, tmp_path):
    some = jax.tree.map(lambda values: values[:20], steps)
    path = tmp_path / "steps.jsonl"
    assert write_records(path, some) == 20
    chex.assert_trees_all_equal(read_records(path), some)
    chex.assert_trees_all_equal_dtypes(read_records(path), some)
    line = json.loads(path.read_text().splitlines()[0])
    assert tuple(line) == FIELDS
    assert line["episode_id"] == decode_seed(some.seed[0])
    assert line["expert_action_id"] in line["legal_action_ids"]
    assert line["phase"] == "SELECTING_HAND"
    assert line["macro_action"]["kind"] == "play"
    assert line["macro_action"]["cards"] == np.flatnonzero(some.taken.cards[0]).tolist()
    assert macro_of(jax.tree.map(lambda values: values[0], some.taken)) == line["macro_action"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda line: "{", "line 2"),
        (lambda line: json.dumps({"phase": "SHOP"}), "fields timestamp"),
        (lambda line: json.dumps(line | {"phase": "LUNCH"}), "LUNCH"),
        (lambda line: json.dumps(line | {"features": [1, 2]}), "not of this program"),
        (lambda line: json.dumps(line | {"legal_action_ids": [999]}), "no action 999"),
        (lambda line: json.dumps(line | {"legal_action_ids": [-1]}), "no action -1"),
        (lambda line: json.dumps(line | {"step_id": 10**12}), "line 2"),
        (lambda line: json.dumps(line | {"reward_info": []}), "line 2"),
        (
            lambda line: json.dumps(line | {"macro_action": {"kind": "play", "cards": []}}),
            "different actions",
        ),
        (lambda line: json.dumps(line | {"features": {"seen": {}, "masks": {}}}), "must have the fields"),
    ],
)
def test_lines_that_are_no_records(steps, tmp_path, change, text):
    path = tmp_path / "steps.jsonl"
    write_records(path, jax.tree.map(lambda values: values[:2], steps))
    first, second = path.read_text().splitlines()
    path.write_text(first + "\n" + change(json.loads(second)) + "\n")
    with pytest.raises(RecordError, match=text):
        read_records(path)


def test_episodes_of_other_names_stay_apart(steps, tmp_path):
    path = tmp_path / "steps.jsonl"
    write_records(path, jax.tree.map(lambda values: values[:2], steps))
    names = ("a name that is no seed", "another name")
    lines = [
        json.loads(text) | {"episode_id": name}
        for text, name in zip(path.read_text().splitlines(), names, strict=True)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = read_records(path).seed
    assert (found[0] != found[1]).any()


def test_an_empty_file(tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(RecordError, match="no record"):
        read_records(tmp_path / "none.jsonl")
