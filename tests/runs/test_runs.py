"""Whole runs as a user makes them."""

from __future__ import annotations

import csv
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from run_files import without_times
from small import MINIBATCHES, SIZES, parts

import baselines
import stmg_envs
from baselines.errors import CheckpointError, ConfigError, PairingError, RunDirectoryError
from baselines.runs.plan import make_plan
from baselines.runs.trainer import Progress
from baselines.training.checkpoint import load_checkpoint
from stmg_envs.errors import InvalidArgumentError, InvalidPriorityError, UnknownNameError

SHORT: dict[str, Any] = {"total_steps": 1000, "eval_interval": 300}
SMALL = SHORT | SIZES["steer"]


def interrupt_at(step: int) -> Any:
    """What a user's Ctrl-C does, at a step of the training."""

    def watch(progress: Progress) -> None:
        if progress.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


@pytest.mark.parametrize(("algorithm", "minibatches"), MINIBATCHES)
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, algorithm: str, minibatches: int) -> None:
    def cooperate(name: str, **arguments: Any) -> None:
        sizes = {"preset": "matrix-one-shot", "num_envs": 4, "rollout_steps": 25, **parts(minibatches)}
        fixed = SHORT | SIZES[algorithm] | sizes
        baselines.train(algorithm, "stmg/Cooperation-v0", seeds=2, out=tmp_path / name, **fixed, **arguments)

    cooperate("whole")
    with pytest.raises(KeyboardInterrupt):
        cooperate("parts", watch=interrupt_at(400))
    _, progress = load_checkpoint(tmp_path / "parts" / "checkpoint.safetensors")
    assert progress["updates"] == 4
    cooperate("parts", resume=True)
    whole, _ = load_checkpoint(tmp_path / "whole" / "checkpoint.safetensors")
    resumed, _ = load_checkpoint(tmp_path / "parts" / "checkpoint.safetensors")
    # Parameters, optimiser, normaliser, environments: everything, bit by bit.
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert any(name.startswith("optimizer.") for name in whole)
    for file in ("results.json", "metrics.csv"):
        assert without_times(tmp_path / "whole" / file) == without_times(tmp_path / "parts" / file)


def test_a_finished_run_becomes_longer(tmp_path: Path) -> None:
    def cooperate(name: str, total_steps: int, resume: bool = False) -> None:
        constant = (
            SHORT | SIZES["mappo"] | {"total_steps": total_steps, "entropy_start": 0.01, "entropy_end": 0.01}
        )
        baselines.train("mappo", "stmg/Cooperation-v0", out=tmp_path / name, resume=resume, **constant)

    cooperate("whole", 1800)
    cooperate("parts", 900)
    cooperate("parts", 1800, resume=True)
    # Without schedules it is what it would have been.
    whole, _ = load_checkpoint(tmp_path / "whole" / "checkpoint.safetensors")
    parts, _ = load_checkpoint(tmp_path / "parts" / "checkpoint.safetensors")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    manifest = json.loads((tmp_path / "parts" / "run.json").read_text())
    assert manifest["config"]["total_steps"] == 1800
    assert manifest["resumed"][0]["before"]["total_steps"] == 900
    with pytest.raises(RunDirectoryError, match=r"total_steps=900 is less than 1800, .* only become longer"):
        cooperate("parts", 900, resume=True)


def test_a_run_directory_holds_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/opt/lib/libfirst.so:libsecond.so")
    out = tmp_path / "run"
    trained = baselines.train(
        "steer", "stmg/Penalty-v0", env_args={"k": -100}, seeds=[4, 2], out=out, **SMALL
    )
    results = json.loads((out / "results.json").read_text())
    runs = results["stmg"]["penalty(k=-100)"]["steer"]
    assert list(runs) == ["seed_4", "seed_2"]
    for run in runs.values():
        steps = [value["step_count"] for name, value in run.items() if name.startswith("step_")]
        assert steps == [0, 300, 600, 900, 1000]
        assert all(isinstance(value, float) for value in run["step_4"]["return"])
        assert run["absolute_metrics"].keys() == {"elapsed_time", "return", "optimal"}
    manifest = json.loads((out / "run.json").read_text())
    assert manifest["env_args"] == {"k": -100}
    assert manifest["config"]["entropy_start"] == 0.5
    assert {"torch", "numpy", "stmg", "mujoco"} <= manifest["versions"].keys()
    assert manifest["preloaded"] == ["libfirst.so", "libsecond.so"]
    with (out / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 10
    assert {"step", "seed", "episode_return", "policy_loss", "value_loss", "entropy"} <= rows[0].keys()
    assert any((out / "tensorboard").iterdir())
    plays = json.loads((out / "plays.json").read_text())
    assert plays["seed_4"]["returns"] == trained.evaluated.returns[0, 0].tolist()


def test_loaded_policies_play_what_was_evaluated(tmp_path: Path) -> None:
    trained = baselines.train("steer", "stmg/Meeting-v0", seeds=[1, 6], out=tmp_path / "run", **SMALL)
    env = stmg_envs.vector_env("stmg/Meeting-v0", 3)
    observations, _ = env.reset(seed=0)
    for k, seed in enumerate([1, 6]):
        policy = baselines.load_policy(trained.path, seed=seed)
        rewards = env.step(policy.act(observations, env.priority))[1]
        np.testing.assert_allclose(rewards.numpy(), np.tile(trained.evaluated.returns[k, 0], (3, 1)))
    with pytest.raises(CheckpointError, match="seed=7"):
        baselines.load_policy(trained.path, seed=7)


def test_evaluate_writes_absolute_metrics_over_exactly_so_many_episodes(tmp_path: Path) -> None:
    baselines.train("steer", "stmg/Mixing-v0", seeds=2, out=tmp_path / "run", **SMALL)
    evaluated = baselines.evaluate(tmp_path / "run", episodes=7)
    assert evaluated.returns.shape == (2, 7, 2)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    run = results["stmg"]["mixing"]["steer"]["seed_1"]
    assert len(run["absolute_metrics"]["return"]) == 7
    assert "step_4" in run


@pytest.mark.parametrize("priority", ["random", ("agent_1", "agent_0")])
def test_priorities_other_than_the_default_train(tmp_path: Path, priority: Any) -> None:
    trained = baselines.train("steer", "stmg/Mixing-v0", priority=priority, out=tmp_path / "run", **SMALL)
    assert np.isfinite(trained.evaluated.returns).all()
    assert json.loads((tmp_path / "run" / "run.json").read_text())["priority"] in (priority, list(priority))


def test_repeated_play_is_truncated_and_trains(tmp_path: Path) -> None:
    trained = baselines.train(
        "steer",
        "stmg/MatrixGame-v0",
        env_args={"payoffs": "chicken", "repeats": 5, "memory": True},
        out=tmp_path / "run",
        **SMALL,
    )
    assert trained.evaluated.optimal is None
    assert len(trained.evaluated.actions[0]) == 5


MISTAKES = [
    ({"algorithm": "mat", "env_id": "stmg/Meeting-v0"}, PairingError, "equal action spaces"),
    ({"algorithm": "steeer"}, UnknownNameError, "did you mean 'steer'"),
    ({"env_id": "stmg/Penaltyy-v0"}, UnknownNameError, "stmg/Penalty-v0"),
    ({"env_args": {"k": "high"}}, InvalidArgumentError, "k='high'"),
    ({"env_args": {"q": 1}}, InvalidArgumentError, "q=1"),
    ({"seeds": 0}, ConfigError, "seeds=0"),
    (
        {"env_id": "stmg/Skirmish-v0", "env_args": {"opponent": print}},
        ConfigError,
        "env_args opponent=<built-in function print> cannot be stored with a run",
    ),
    ({"seeds": [1, 1]}, ConfigError, "distinct"),
    ({"device": "tpu"}, ConfigError, "device='tpu'"),
    ({"priority": ["agent_0", "agent_0"]}, InvalidPriorityError, "permutation"),
    ({"workers": 2}, InvalidArgumentError, "workers=2 of stmg/Penalty-v0: a native game"),
    ({"workers": -1}, InvalidArgumentError, "workers=-1"),
    ({"preset": "best"}, ConfigError, "preset='best'"),
    ({"learning_rate": -1.0}, ConfigError, "learning_rate=-1.0"),
    ({"learning_rate": "fast"}, ConfigError, "learning_rate='fast'"),
    ({"lerning_rate": 1.0}, ConfigError, "did you mean 'learning_rate'"),
    ({"goal": "win_rate>0.9"}, ConfigError, "goal='win_rate>0.9'"),
]


def test_numbers_and_arrays_of_numpy_are_stored_as_plain_ones() -> None:
    plan = make_plan("steer", "stmg/Penalty-v0", env_args={"k": np.float64(-100)})
    assert plan.as_dict()["env_args"] == {"k": -100.0} and type(plan.as_dict()["env_args"]["k"]) is float
    plan = make_plan("steer", "stmg/MatrixGame-v0", env_args={"payoffs": np.array([[[3, 1], [0, 2]]] * 2)})
    assert plan.as_dict()["env_args"] == {"payoffs": [[[3, 1], [0, 2]]] * 2}


@pytest.mark.parametrize(("mistake", "error", "message"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_one_clear_error_before_any_work(
    tmp_path: Path, mistake: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"algorithm": "steer", "env_id": "stmg/Penalty-v0", "out": tmp_path / "run"} | mistake
    with pytest.raises(error, match=message.replace("(", r"\(")):
        baselines.train(**arguments)
    assert not (tmp_path / "run").exists()


def test_an_existing_directory_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(RunDirectoryError, match="exists already"):
        baselines.train("steer", "stmg/Penalty-v0", out=tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize("name", ["x" * 300, "file/run", "null\0"])
def test_a_directory_that_cannot_be_made_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunDirectoryError, match=r"cannot be made.*choose another --out"):
        baselines.train("steer", "stmg/Penalty-v0", out=tmp_path / name)


def test_resuming_needs_the_same_run_and_a_whole_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="no run directory"):
        baselines.train("steer", "stmg/Penalty-v0", out=tmp_path / "none", resume=True)
    out = tmp_path / "run"
    baselines.train("steer", "stmg/Penalty-v0", out=out, **SMALL)
    with pytest.raises(RunDirectoryError, match="config"):
        baselines.train("steer", "stmg/Penalty-v0", out=out, resume=True, **(SMALL | {"gamma": 0.5}))
    checkpoint = out / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="truncated"):
        baselines.train("steer", "stmg/Penalty-v0", out=out, resume=True, **SMALL)
    with pytest.raises(CheckpointError, match="truncated"):
        baselines.evaluate(out)
