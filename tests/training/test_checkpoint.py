from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from baselines.errors import CheckpointError
from baselines.training.checkpoint import load_checkpoint, save_checkpoint


def test_tensors_and_progress_come_back(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    tensors = {"a": torch.randn(2, 3), "mask": torch.tensor([True, False]), "step": torch.tensor(7.0)}
    save_checkpoint(path, tensors, {"updates": 3, "seeds": [1, 2]})
    loaded, progress = load_checkpoint(path)
    assert progress == {"updates": 3, "seeds": [1, 2]}
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], value) for name, value in tensors.items())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("keep", [0, 5, 60, 200])
def test_a_truncated_file_is_one_clear_error(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, {"a": torch.randn(50)}, {"updates": 3})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="truncated"):
        load_checkpoint(path)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        load_checkpoint(tmp_path / "checkpoint.safetensors")


def test_a_foreign_safetensors_file_is_one_clear_error(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_checkpoint(tmp_path / "foreign.safetensors")


class Payload:
    """Runs code where somebody unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('unpickled')",)


def test_no_checkpoint_is_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    for data in (pickle.dumps(Payload()), pickle.dumps({"policy.x": torch.zeros(1)})):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="no checkpoint"):
            load_checkpoint(path)
