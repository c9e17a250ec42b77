"""Distillation as a user does it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from games import Tokens, Walk
from small import SIZES

import baselines
import stmg_envs
from baselines.cli import main
from baselines.errors import CheckpointError, ConfigError, PairingError, RunDirectoryError
from baselines.evaluation.report import read_run, write_report
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan
from baselines.runs.video import film
from baselines.training.checkpoint import load_checkpoint
from stmg_envs.errors import UnknownNameError
from stmg_envs.protocol import Game

SHORT: dict[str, Any] = {
    "total_steps": 480,
    "num_envs": 8,
    "rollout_steps": 10,
    "eval_interval": 200,
    "eval_episodes": 3,
    "hidden_size": 8,
    "minibatches": 2,
}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two seeds that has hardly been trained."""
    out = tmp_path_factory.mktemp("teacher") / "run"
    settings = {"total_steps": 200, "eval_interval": 200} | SIZES["steer"]
    return baselines.train("steer", "stmg/Cooperation-v0", seeds=[4, 2], out=out, **settings).path


def test_students_do_as_well_as_their_teacher(tmp_path: Path) -> None:
    config: dict[str, Any] = {"total_steps": 30_000, "num_envs": 32, "eval_interval": 30_000}
    distilled = baselines.distill("zoo/steer-cooperation", out=tmp_path / "run", episodes=5, **config)
    assert distilled.teacher.returns.mean() == 13.0
    assert distilled.students.returns.mean() == 13.0
    assert distilled.students.optimal is not None and distilled.students.optimal.all()


def test_the_directory_is_a_run_directory(tmp_path: Path, teacher: Path) -> None:
    out = tmp_path / "run"
    distilled = baselines.distill(teacher, out=out, episodes=6, **SHORT)
    assert distilled.students.returns.shape == (2, 6, 2)
    runs = json.loads((out / "results.json").read_text())["stmg"]["cooperation"]["students"]
    assert list(runs) == ["seed_4", "seed_2"]
    for k, run in enumerate(runs.values()):
        assert [run[f"step_{i}"]["step_count"] for i in range(4)] == [0, 240, 400, 480]
        assert distilled.students.as_metrics(k).items() <= run["absolute_metrics"].items()
    taught = json.loads((out / "teacher.json").read_text())["stmg"]["cooperation"]["steer"]
    assert distilled.teacher.as_metrics(1).items() <= taught["seed_2"]["absolute_metrics"].items()
    page = (out / "comparison.md").read_text()
    assert page.splitlines()[4] == "| metric | teacher | students | students - teacher |"
    assert page.splitlines()[6].startswith("| return | ")
    manifest = json.loads((out / "run.json").read_text())
    assert manifest["algorithm"] == "students"
    assert manifest["config"]["teacher"] == str(teacher)
    assert write_report(read_run(out), out / "report.html").is_file()
    assert film(out, tmp_path / "film.gif") >= 2
    evaluated = baselines.evaluate(out, episodes=6)
    assert np.array_equal(evaluated.returns, distilled.students.returns)


def test_students_load_and_play_without_their_teacher(tmp_path: Path, teacher: Path) -> None:
    gone = shutil.copytree(teacher, tmp_path / "teacher")
    distilled = baselines.distill(gone, seed=2, out=tmp_path / "run", episodes=2, **SHORT)
    assert distilled.plan.seeds == (2,)
    shutil.rmtree(gone)
    policy = baselines.load_policy(tmp_path / "run")
    env = stmg_envs.vector_env("stmg/Cooperation-v0", 3)
    observations, _ = env.reset(seed=0)
    assert policy.act(observations).tolist() == [distilled.students.actions[0][0].tolist()] * 3


def parameters(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path / "checkpoint.safetensors")[0]


def test_seeds_reproduce_and_do_not_depend_on_companions(tmp_path: Path, teacher: Path) -> None:
    for name, seed in (("both", None), ("again", None), ("one", 2)):
        baselines.distill(teacher, seed=seed, out=tmp_path / name, episodes=2, **SHORT)
    both, again, one = (parameters(tmp_path / name) for name in ("both", "again", "one"))
    assert all(torch.equal(both[name], again[name]) for name in both)
    policies = [name for name in both if name.startswith("policy.")]
    for name in policies:
        torch.testing.assert_close(both[name][1:], one[name], rtol=1e-3, atol=1e-4)


def test_an_interrupted_distillation_goes_on(tmp_path: Path, teacher: Path) -> None:
    def stop(progress: Any) -> None:
        if progress.step == 240:
            raise KeyboardInterrupt

    baselines.distill(teacher, out=tmp_path / "whole", episodes=2, **SHORT)
    with pytest.raises(KeyboardInterrupt):
        baselines.distill(teacher, out=tmp_path / "parts", episodes=2, watch=stop, **SHORT)
    baselines.distill(teacher, out=tmp_path / "parts", episodes=2, resume=True, **SHORT)
    whole, parts = parameters(tmp_path / "whole"), parameters(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("game", [Walk, Tokens])
@pytest.mark.parametrize("algorithm", SIZES)
def test_every_policy_can_teach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, game: type[Game], algorithm: str
) -> None:
    """Continuous actions, dying agents, changing masks and a time limit."""
    monkeypatch.setattr(RunPlan, "game", lambda self: game())
    rollout = {"total_steps": 100, "num_envs": 4, "rollout_steps": 25, "eval_interval": 100}
    config = rollout | SIZES[algorithm] | {"eval_episodes": 2}
    try:
        run = baselines.train(algorithm, "stmg/Penalty-v0", out=tmp_path / "run", **config)
    except PairingError:
        return
    distilled = baselines.distill(run.path, out=tmp_path / "students", episodes=2, **SHORT)
    assert np.isfinite(distilled.students.returns).all()
    assert all(p.isfinite().all() for p in parameters(tmp_path / "students").values())
    assert {row.metric for row in distilled.compared()} == {"return", *distilled.students.metrics}


def test_a_mistake_is_one_clear_error(tmp_path: Path, teacher: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(RunDirectoryError, match="no run directory"):
        baselines.distill(tmp_path, out=out)
    with pytest.raises(CheckpointError, match=r"seed=7 .* expected one of \(4, 2\)"):
        baselines.distill(teacher, seed=7, out=out)
    with pytest.raises(ConfigError, match="hidden_size=0"):
        baselines.distill(teacher, out=out, hidden_size=0)
    with pytest.raises(ConfigError, match=r"gamma=0\.9 is no field"):
        baselines.distill(teacher, out=out, gamma=0.9)
    assert not out.exists()
    with pytest.raises(UnknownNameError, match="students"):
        baselines.train("students", "stmg/Penalty-v0", out=out)
    out.mkdir()
    with pytest.raises(RunDirectoryError, match="exists already"):
        baselines.distill(teacher, out=out)


def test_a_students_directory_is_not_trained_by_rewards(tmp_path: Path, teacher: Path) -> None:
    out = tmp_path / "run"
    baselines.distill(teacher, out=out, episodes=2, **SHORT)
    with pytest.raises(PairingError, match="stmg distill"):
        RunDirectory(out).plan().algorithm.learner(None, None, 2)  # type: ignore[arg-type]


def test_the_command_prints_a_table_of_both(tmp_path: Path, teacher: Path) -> None:
    flags = [part for name, value in SHORT.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    arguments = ["distill", str(teacher), "--seed", "4", "--episodes", "2", "--threads", "1"]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "run"), *flags])
    assert result.exit_code == 0, result.output
    assert "students - teacher" in result.output
    assert f"run directory: {tmp_path / 'run'}" in result.output
    result = CliRunner().invoke(main, ["distill", str(teacher), "--seed", "5"], terminal_width=200)
    assert result.exit_code == 2 and "seed=5" in result.output
