"""The well-formed files that are changed: a run that was really trained, and its results in an archive."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import baselines
from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import Cell
from baselines.runs.directory import RunDirectory

SETTINGS = {
    "num_envs": 2,
    "rollout_steps": 5,
    "eval_interval": 20,
    "eval_episodes": 2,
    "hidden_size": 4,
    "total_steps": 40,
}
CELL = Cell("penalty(k=-50)", "mappo", "mappo", "stmg/Penalty-v0", {"k": -50}, 2, config=SETTINGS)


@functools.cache
def folder() -> Path:
    """Where they are, for as long as this process lives."""
    path = Path(tempfile.mkdtemp(prefix="stmg-fuzz-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def run() -> Path:
    """The run directory of a small training of two seeds."""
    cell, out = CELL, folder() / "run"
    path = baselines.train(
        cell.algorithm, cell.env_id, env_args=cell.env_args, seeds=cell.runs, out=out, **cell.config
    ).path
    shutil.rmtree(path / "tensorboard")
    return path


@functools.cache
def archive() -> Path:
    """The same as a published table has it: results with a manifest."""
    path = folder() / "archive"
    Archive(path).add(CELL, RunDirectory(run()))
    return path


def copy_of(path: Path, to: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(path, to, ignore=shutil.ignore_patterns(".lock")))
