"""Trainings end with everything that was computed, however they end: signals, lost readers, two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from run_files import without_times

import baselines
from baselines.errors import RunDirectoryError
from baselines.runs import trainer
from baselines.runs.blocks import BlocksHere
from baselines.runs.directory import RunDirectory
from baselines.runs.saved import SavedProgress
from baselines.training.checkpoint import load_checkpoint

SETTINGS: dict[str, Any] = {
    "num_envs": 4,
    "rollout_steps": 5,
    "eval_interval": 400,
    "eval_episodes": 1,
    "hidden_size": 4,
}
COMMAND = [sys.executable, "-m", "baselines", "train", "a2c-ind", "stmg/Penalty-v0", "--threads", "1"]
COMMAND += [word for name, value in SETTINGS.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def train(out: Path, **more: Any) -> baselines.TrainedRun:
    return baselines.train("a2c-ind", "stmg/Penalty-v0", out=out, **{"total_steps": 400} | SETTINGS | more)


def progress(out: Path) -> int:
    """Updates in the checkpoint."""
    return int(load_checkpoint(out / "checkpoint.safetensors")[1]["updates"])


def test_there_is_a_checkpoint_before_the_first_update(tmp_path: Path) -> None:
    def stop(told: Any) -> None:
        raise ConnectionError("in the middle of the first updates")

    with pytest.raises(ConnectionError):
        train(tmp_path / "run", watch=stop)
    assert progress(tmp_path / "run") == 0
    train(tmp_path / "run", resume=True)
    train(tmp_path / "whole")
    for file in ("results.json", "metrics.csv"):
        assert without_times(tmp_path / "run" / file) == without_times(tmp_path / "whole" / file)


def test_checkpoints_come_with_time_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "rarely")
    saved = []
    real = trainer.save_training

    def counted(directory: RunDirectory, plan: Any, tensors: Any, told: SavedProgress) -> None:
        saved.append(told["updates"])
        real(directory, plan, tensors, told)

    monkeypatch.setattr(trainer, "save_training", counted)
    monkeypatch.setattr(trainer, "SAVE_SECONDS", 0.0)
    train(tmp_path / "often")
    assert saved == list(range(21))
    one, _ = load_checkpoint(tmp_path / "rarely" / "checkpoint.safetensors")
    two, _ = load_checkpoint(tmp_path / "often" / "checkpoint.safetensors")
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    for file in ("results.json", "metrics.csv"):
        assert without_times(tmp_path / "often" / file) == without_times(tmp_path / "rarely" / file)


def test_a_start_that_fails_leaves_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(self: BlocksHere) -> None:
        raise MemoryError("no memory for so many")

    monkeypatch.setattr(BlocksHere, "begin", no_memory)
    with pytest.raises(MemoryError):
        train(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    train(tmp_path / "run")
    with RunDirectory(tmp_path / "run").locked():
        for use in (
            lambda: train(tmp_path / "run", total_steps=800, resume=True),
            lambda: baselines.evaluate(tmp_path / "run", 1),
        ):
            with pytest.raises(RunDirectoryError, match="is being written by another process"):
                use()
    assert train(tmp_path / "run", total_steps=800, resume=True).steps == 800


def started(out: Path, **streams: Any) -> subprocess.Popen[bytes]:
    """A long training in a process of its own, which has made updates."""
    process = subprocess.Popen([*COMMAND, "--total-steps", "4000000", "--out", str(out)], **streams)
    end = time.monotonic() + 120
    while not (out / "metrics.csv").exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_to_end_saves_first(tmp_path: Path, number: int) -> None:
    process = started(tmp_path / "run", stderr=subprocess.DEVNULL)
    process.send_signal(number)
    process.wait(60)
    rows = (tmp_path / "run" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert progress(tmp_path / "run") == len(rows) - 1 > 0


@pytest.mark.parametrize("full", [False, True])
def test_output_that_nobody_takes_ends_nothing(tmp_path: Path, full: bool) -> None:
    command = [*COMMAND, "--total-steps", "1200", "--out", str(tmp_path / "run")]
    if full:
        with open("/dev/full", "wb") as nowhere:
            done = subprocess.run(command, stdout=nowhere, stderr=nowhere, check=False)
    else:
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(command, stdout=writer, stderr=writer, check=False)
        os.close(writer)
    assert done.returncode == 0
    assert progress(tmp_path / "run") == 60
    assert "absolute_metrics" in (tmp_path / "run" / "results.json").read_text(encoding="utf-8")
