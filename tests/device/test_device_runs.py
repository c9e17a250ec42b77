"""Whole trainings on a device: trained, gone on with, played, distilled, taken to the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import SIZES

import baselines
from baselines.runs.video import film
from baselines.storage import read_json
from stmg_envs import vector_env

SHORT: dict[str, Any] = {"num_envs": 4, "rollout_steps": 10, "eval_interval": 40, "eval_episodes": 2}


def trained(algorithm: str, env_id: str, out: Path, device: str, **changes: Any) -> baselines.TrainedRun:
    settings = SHORT | {"total_steps": 80} | SIZES[algorithm] | changes
    return baselines.train(algorithm, env_id, seeds=2, device=device, out=out, **settings)


@pytest.mark.parametrize("algorithm", ["steer", "happo", "dqn-dri"])
def test_a_run_is_resumed_there_and_on_the_cpu(tmp_path: Path, device: str, algorithm: str) -> None:
    run = trained(algorithm, "stmg/Cooperation-v0", tmp_path / "run", device)
    assert run.steps == 80
    assert read_json(run.path / "run.json")["device"] == device
    assert np.isfinite(run.evaluated.returns).all()
    there = baselines.resume(run.path, total_steps=120)
    assert (there.steps, there.plan.device) == (120, device)
    moved = baselines.resume(run.path, total_steps=160, device="cpu")
    assert (moved.steps, moved.plan.device) == (160, "cpu")
    back = baselines.resume(run.path, total_steps=200, device=device)
    assert (back.steps, back.plan.device) == (200, device)
    assert np.isfinite(back.evaluated.returns).all()


@pytest.mark.parametrize(
    ("algorithm", "env_id"),
    [("steer", "stmg/Penalty-v0"), ("mappo", "stmg/CooperativeCollection-v0")],
)
def test_evaluations_and_loaded_policies_play_there(
    tmp_path: Path, device: str, algorithm: str, env_id: str
) -> None:
    run = trained(algorithm, env_id, tmp_path / "run", device)
    assert baselines.evaluate(run.path, 5).returns.shape[:2] == (2, 5)
    policy = baselines.load_policy(run.path, seed=1)
    env = vector_env(env_id, 3, device)
    observations, _ = env.reset(seed=0)
    for _ in range(3):
        actions = policy.act(observations, env.priority)
        assert actions.device.type == torch.device(device).type
        observations, *_ = env.step(actions)


def test_a_policy_decides_on_the_cpu_as_on_the_device(tmp_path: Path, device: str) -> None:
    run = trained("steer", "stmg/Cooperation-v0", tmp_path / "run", device)
    observations, _ = vector_env("stmg/Cooperation-v0", 5).reset(seed=0)
    there = baselines.load_policy(run.path)
    decided = there.act({name: x.to(device) for name, x in observations.items()}).cpu()
    here = baselines.load_policy(run.path, device="cpu")
    assert here.plan.device == "cpu"
    assert torch.equal(here.act(observations), decided)


def test_a_recurrent_policy_forgets_there(tmp_path: Path, device: str) -> None:
    run = trained("mappo", "stmg/Cooperation-v0", tmp_path / "run", device, recurrent=True, chunk_length=5)
    policy = baselines.load_policy(run.path)
    observations, _ = vector_env("stmg/Cooperation-v0", 4, device).reset(seed=0)
    first = policy.act(observations)
    policy.act(observations)
    policy.reset(torch.tensor([True, False, True, False], device=device))
    policy.reset()
    assert torch.equal(policy.act(observations), first)


def test_students_learn_there(tmp_path: Path, device: str) -> None:
    teacher = trained("steer", "stmg/Cooperation-v0", tmp_path / "teacher", device).path
    settings = SHORT | {"total_steps": 80, "hidden_size": 8, "minibatches": 2}
    distilled = baselines.distill(teacher, out=tmp_path / "students", episodes=4, **settings)
    assert distilled.plan.device == device
    assert np.isfinite(distilled.students.returns).all()


def test_an_engine_s_environments_train_there(tmp_path: Path, device: str) -> None:
    for algorithm in ("mappo", "dqn-dri"):
        run = trained(algorithm, "gymnasium/CartPole-v1", tmp_path / algorithm, device)
        assert np.isfinite(run.evaluated.returns).all()


def test_a_run_is_filmed(tmp_path: Path, device: str) -> None:
    run = trained("mappo", "stmg/Cooperation-v0", tmp_path / "run", device)
    assert film(run.path, tmp_path / "film.gif") >= 2
