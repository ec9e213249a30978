"""Training on the tiny game: it learns, goes on bit for bit after any stop, and runs on several devices."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.agents import checkpoint as ckpt
from jaxtro.agents.metrics_log import draw_curves, read_lines
from jaxtro.agents.network import NetworkConfig
from jaxtro.agents.ppo import PPOConfig, advantages
from jaxtro.agents.rollout import Trajectory
from jaxtro.agents.saved_policy import BEST, LAST, load_policy
from jaxtro.agents.training import (
    Curriculum,
    TrainConfig,
    Trainer,
    check_resumable,
    params_of_seed,
    seed_folders,
    train,
    write_config,
)
from tests.agents.mini import mini
from tests.agents.train_mini import CONFIG, ROOT, UPDATES, make_trainer

PROGRAM = Path(__file__).with_name("train_mini.py")


@pytest.fixture(scope="module")
def trainer():
    return make_trainer()


@pytest.fixture(scope="module")
def whole(trainer, tmp_path_factory):
    """A training without a stop: (folder, last state)."""
    folder = tmp_path_factory.mktemp("whole")
    write_config(folder, CONFIG)
    return folder, jax.device_get(train(trainer, folder, say=lambda text: None))


def test_it_learns(whole):
    lines = read_lines(whole[0] / "metrics.jsonl")
    assert len(lines) == UPDATES
    assert lines[-1]["reward"] > lines[0]["reward"] + 0.5
    assert lines[-1]["entropy"] < lines[0]["entropy"]
    assert lines[-1]["eval_blinds_per_game"] >= lines[0]["blinds_per_game"]
    assert all(line["kl"] >= -1e-3 for line in lines)
    assert (whole[0] / "tensorboard").is_dir()
    assert draw_curves([whole[0]], "tiny game", whole[0] / "curves.png").stat().st_size > 1000


def test_resume_goes_on_bit_for_bit(trainer, whole, tmp_path):
    def stop(figures):
        if figures["update"] == 5:  # the checkpoint before is of update 4
            raise RuntimeError("stopped")

    write_config(tmp_path, CONFIG)
    with pytest.raises(RuntimeError, match="stopped"):
        train(trainer, tmp_path, say=lambda text: None, on_update=stop)
    assert ckpt.latest_step(tmp_path / LAST) == 4
    state = train(trainer, tmp_path, resume=True, say=lambda text: None)
    chex.assert_trees_all_equal(jax.device_get(state), whole[1])
    steps = [line["steps"] for line in read_lines(tmp_path / "metrics.jsonl")]
    assert steps == [line["steps"] for line in read_lines(whole[0] / "metrics.jsonl")]


def test_a_best_network_behind_the_last_checkpoint_is_no_trap(tmp_path):
    """Killed after a `best` was saved and before the next `last`: the resumed run comes to the same step again."""
    config = replace(CONFIG, eval_every=3, save_every=5)
    trainer = Trainer(mini(), config, make_params=lambda max_steps: jnp.int32(0))

    def stop(figures):
        if figures["update"] == 9:  # `best` is of update 9 or earlier, `last` of update 5
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        train(trainer, tmp_path, say=lambda text: None, on_update=stop)
    assert ckpt.latest_step(tmp_path / LAST) == 5
    assert ckpt.latest_step(tmp_path / BEST) in (6, 9)
    train(trainer, tmp_path, resume=True, say=lambda text: None)
    assert ckpt.latest_step(tmp_path / LAST) == UPDATES
    assert ckpt.latest_step(tmp_path / BEST) >= 6


def test_without_evaluations_on_the_way_there_is_one_at_the_end(tmp_path):
    config = replace(CONFIG, eval_every=0, total_steps=32 * 8 * 2)
    trainer = Trainer(mini(), config, make_params=lambda max_steps: jnp.int32(0))
    train(trainer, tmp_path, say=lambda text: None)
    lines = read_lines(tmp_path / "metrics.jsonl")
    assert ["eval_win_rate" in line for line in lines] == [False, True]
    assert ckpt.latest_step(tmp_path / BEST) == 2


def test_ctrl_c_saves(trainer, tmp_path):
    from jaxtro.agents.training import InterruptedTraining

    def press(figures):
        if figures["update"] == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(InterruptedTraining, match=r"update [34]"):
        train(trainer, tmp_path, say=lambda text: None, on_update=press)
    assert ckpt.latest_step(tmp_path / LAST) in (3, 4)


def run_program(folder, *more, **environment):
    env = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(ROOT / ".cache" / "jax")} | environment
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), *more],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_kill_loses_only_what_came_after_the_last_checkpoint(trainer, whole, tmp_path):
    process = run_program(tmp_path)
    metrics, deadline = tmp_path / "metrics.jsonl", time.time() + 900
    while time.time() < deadline and process.poll() is None:
        if metrics.exists() and len(read_lines(metrics)) >= 5:
            break
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert ckpt.latest_step(tmp_path / LAST) < UPDATES
    state = train(trainer, tmp_path, resume=True, say=lambda text: None)
    chex.assert_trees_all_equal(jax.device_get(state), whole[1])


def test_two_devices(tmp_path):
    process = run_program(tmp_path, XLA_FLAGS="--xla_force_host_platform_device_count=2", JAX_PLATFORMS="cpu")
    out, errors = process.communicate(timeout=1500)
    assert process.returncode == 0, errors[-2000:]
    devices, updates, _ = out.split()
    assert (devices, updates) == ("2", str(UPDATES))
    lines = read_lines(tmp_path / "metrics.jsonl")
    assert lines[-1]["reward"] > lines[0]["reward"] + 0.5
    assert abs(lines[0]["games"] - 32 * 8 / 3) < 32


def test_two_hosts(tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    two = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    hosts = [run_program(tmp_path, address, str(number), **two) for number in range(2)]
    try:
        ended = [host.communicate(timeout=1500) for host in hosts]
    finally:
        for host in hosts:
            host.kill()
    assert [host.returncode for host in hosts] == [0, 0], ended[0][1][-2000:] + ended[1][1][-2000:]
    # Both have the same network, and one of them wrote the figures.
    first, second = (out.splitlines()[-1].split() for out, _ in ended)
    assert first == second
    assert first[:2] == ["4", str(UPDATES)]  # devices
    lines = read_lines(tmp_path / "metrics.jsonl")
    assert len(lines) == UPDATES
    assert lines[-1]["reward"] > lines[0]["reward"] + 0.5
    assert ckpt.latest_step(tmp_path / LAST) == UPDATES
    assert (tmp_path / "config.json").is_file()


def test_several_seeds_are_as_many_trainings(whole, tmp_path):
    config = replace(CONFIG, num_seeds=2, total_steps=32 * 8 * 6)
    trainer = Trainer(mini(), config, make_params=lambda max_steps: jnp.int32(0))
    state = train(trainer, tmp_path, say=lambda text: None)
    assert jax.tree.leaves(state.params)[0].shape[0] == 2
    first, second = (read_lines(one / "metrics.jsonl") for one in seed_folders(tmp_path, config))
    alone = read_lines(whole[0] / "metrics.jsonl")
    # The first seed plays what it plays alone; later the learning rates differ, as the trainings are not as long.
    for name in ("reward", "entropy", "games", "value_loss"):
        assert first[0][name] == pytest.approx(alone[0][name], rel=1e-4)
    assert first[0]["reward"] != second[0]["reward"]
    assert len(first) == len(second) == 6
    assert ckpt.latest_step(tmp_path / LAST) == 6
    for seed, one in enumerate(seed_folders(tmp_path, config)):
        assert one.name == f"seed_{seed}"
        assert ckpt.latest_step(one / BEST) == 6
        best = load_policy(one)
        assert best.config == CONFIG.network
    chex.assert_trees_all_equal(best.params, jax.device_get(params_of_seed(state.params, 1)))
    # The folder of all has no best network: the last checkpoint's first network is the agent.
    last = load_policy(tmp_path)
    chex.assert_trees_all_equal(last.params, jax.device_get(params_of_seed(state.params, 0)))


def test_other_configuration_is_refused(whole):
    with pytest.raises(ckpt.CheckpointError, match="seed: 0 there, 7 now"):
        check_resumable(whole[0], replace(CONFIG, seed=7))
    check_resumable(whole[0], replace(CONFIG, total_steps=10**9))
    with pytest.raises(ckpt.CheckpointError, match="no checkpoint"):
        check_resumable(whole[0] / "elsewhere", CONFIG)


def test_checkpoint_of_another_shape_is_refused(whole):
    like = {"params": jax.tree.map(lambda leaf: jnp.zeros((*leaf.shape, 2)), whole[1].params)}
    with pytest.raises(ckpt.CheckpointError, match="does not fit"):
        ckpt.load_checkpoint(whole[0] / BEST, like)


def test_unwritable_folder(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises((OSError, ckpt.CheckpointError)):
        write_config(blocker / "run", CONFIG)
    with pytest.raises(ckpt.CheckpointError, match="earlier ones are kept"):
        ckpt.save_checkpoint(blocker / "run", 1, {"a": jnp.zeros(2)}, {})


def test_a_cut_line_of_metrics_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps({"steps": 1}) + '\n{"steps": 2, "rew')
    assert read_lines(path) == [{"steps": 1}]


def test_wrong_settings():
    with pytest.raises(ValueError, match="cannot be split over 4 heads"):
        NetworkConfig(entity=50, attention=1)
    with pytest.raises(ValueError, match="give 1 or more"):
        PPOConfig(epochs=0)
    with pytest.raises(ValueError, match="give 0 to 1"):
        PPOConfig(gamma=1.5)
    assert TrainConfig(num_envs=3, total_steps=1).updates == 1


def test_curriculum_goes_to_the_real_game():
    plan = Curriculum(blind_scale=0.2, win_ante=4, start_ante=3, until=0.5)
    assert plan.values_at(0.0) == {"blind_scale": 0.2, "win_ante": 4, "start_ante": 3}
    assert plan.values_at(0.25) == {"blind_scale": pytest.approx(0.6), "win_ante": 6, "start_ante": 2}
    assert plan.values_at(0.5) == plan.values_at(1.0) == {"blind_scale": 1.0, "win_ante": 8, "start_ante": 1}
    for wrong in ({"blind_scale": -1}, {"win_ante": 9}, {"start_ante": 5, "win_ante": 4}, {"until": 2}):
        with pytest.raises(ValueError, match="give"):
            Curriculum(**wrong)


def test_advantages_are_sums_of_discounted_errors():
    g = np.random.default_rng(0)
    reward, value = (g.normal(size=(5, 2)).astype(np.float32) for _ in range(2))
    done = g.random((5, 2)) < 0.3
    last = g.normal(size=2).astype(np.float32)
    step = Trajectory(None, None, None, jnp.asarray(value), jnp.asarray(reward), jnp.asarray(done))
    found, targets = advantages(step, jnp.asarray(last), 0.9, 0.8)
    for game in range(2):
        later, after = 0.0, last[game]
        for t in reversed(range(5)):
            going = 1.0 - done[t, game]
            later = reward[t, game] + 0.9 * after * going - value[t, game] + 0.9 * 0.8 * going * later
            after = value[t, game]
            np.testing.assert_allclose(found[t, game], later, rtol=1e-4)
    np.testing.assert_allclose(targets, found + value, rtol=1e-5)


def test_a_resumed_run_has_as_many_devices_as_before(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    import ppo

    asked = []
    monkeypatch.setattr(
        ppo, "use_cores", lambda games=None, count=None: asked.append((games, count)) or count
    )
    monkeypatch.setattr(ppo, "available_cores", lambda: 8)
    resumed = ppo.Args(out_dir=tmp_path, resume=True)
    ppo.choose_cores(resumed)  # nothing there, or an older version's run
    for text in ('{"devices": 4}', "{", '{"devices": "some"}'):
        (tmp_path / "config.json").write_text(text)
        ppo.choose_cores(resumed)
    ppo.choose_cores(replace(resumed, resume=False, num_envs=512))
    ppo.choose_cores(replace(resumed, resume=False, cores=8))
    assert asked == [(None, 1), (None, 4), (None, 1), (None, 1), (512, None), (1024, 8)]
    for wrong in (
        replace(resumed, cores=2),
        replace(resumed, resume=False, cores=9),
        replace(resumed, resume=False, cores=0),
        replace(resumed, distributed=True, cores=2),
    ):
        with pytest.raises(ValueError, match="--cores"):
            ppo.choose_cores(wrong)
