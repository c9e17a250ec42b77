"""A checkpoint is the one of its run directory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import baselines
from baselines.errors import CheckpointError
from baselines.runs.directory import RunDirectory
from baselines.storage import read_json, write_json
from baselines.training.checkpoint import load_checkpoint, save_checkpoint


def train(out: Path, env_id: str = "stmg/Penalty-v0", **more: Any) -> RunDirectory:
    settings = {"num_envs": 4, "rollout_steps": 5, "eval_interval": 20, "eval_episodes": 1, "hidden_size": 4}
    run = baselines.train("a2c-ind", env_id, out=out, **{"total_steps": 20} | settings | more)
    return RunDirectory(run.path)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"seeds": [1]}, "seeds"),
        ({"env_args": {"k": -10.0}}, "env_args"),
        ({"env_id": "stmg/Mixing-v0"}, "env_id"),
        ({"gamma": 0.5}, "config"),
        ({"priority": "random"}, "priority"),
    ],
)
def test_one_of_another_run_is_refused(tmp_path: Path, other: dict[str, Any], what: str) -> None:
    own, stranger = train(tmp_path / "own"), train(tmp_path / "other", **other)
    shutil.copy(stranger.checkpoint, own.checkpoint)
    for use in (
        baselines.load_policy,
        baselines.evaluate,
        lambda path: baselines.resume(path, total_steps=40),
    ):
        with pytest.raises(CheckpointError, match=f"is of another run: it was made with {what}="):
            use(own.path)


def test_a_longer_end_is_the_same_run(tmp_path: Path) -> None:
    own = train(tmp_path / "own")
    assert baselines.resume(own.path, total_steps=60).steps == 60
    assert baselines.resume(own.path, total_steps=60, goal="return=-1000000").steps == 60


def test_fields_that_another_version_did_not_know_are_no_difference(tmp_path: Path) -> None:
    own = train(tmp_path / "own")
    manifest = read_json(own.manifest)
    del manifest["config"]["eval_max_steps"]
    write_json(own.manifest, manifest)
    baselines.load_policy(own.path)


@pytest.mark.parametrize("progress", [{}, {"updates": -1}, {"updates": "1"}, {"seeds": []}, {"lost": [0.5]}])
def test_progress_that_is_none_is_named(tmp_path: Path, progress: dict[str, Any]) -> None:
    own = train(tmp_path / "own")
    tensors, told = load_checkpoint(own.checkpoint)
    save_checkpoint(own.checkpoint, tensors, progress and told | progress)
    with pytest.raises(CheckpointError, match="without the progress of a training"):
        baselines.load_policy(own.path)


def test_where_nothing_was_trained_resuming_begins(tmp_path: Path) -> None:
    own, whole = train(tmp_path / "own"), train(tmp_path / "whole")
    for file in (own.checkpoint, own.metrics, own.results, own.plays):
        file.unlink()
    assert baselines.resume(own.path).steps == 20
    one, two = (load_checkpoint(run.checkpoint)[0] for run in (own, whole))
    assert all((one[name] == two[name]).all() for name in two)
    # What was trained is not begun again in silence.
    own.checkpoint.unlink()
    with pytest.raises(CheckpointError, match="does not exist"):
        baselines.resume(own.path)
