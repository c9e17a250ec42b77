from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

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


@pytest.mark.parametrize("where", [0.1, 0.5, 0.75, 0.999])
def test_one_bit_that_turned_is_noticed(tmp_path: Path, where: float) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(
        path, {"a": torch.randn(50), "b": torch.tensor(3), "c": torch.tensor([True])}, {"updates": 3}
    )
    whole = bytearray(path.read_bytes())
    whole[int(where * len(whole))] ^= 4
    path.write_bytes(whole)
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors is (truncated|damaged)"):
        load_checkpoint(path)


def test_names_and_shapes_count(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, {"a": torch.zeros(2, 3)}, {"updates": 3})
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    save_file({"b": torch.zeros(2, 3)}, path, metadata=told)
    with pytest.raises(CheckpointError, match="not those that were written"):
        load_checkpoint(path)
    save_file({"a": torch.zeros(3, 2)}, path, metadata=told)
    with pytest.raises(CheckpointError, match="not those that were written"):
        load_checkpoint(path)
    save_file({"a": torch.zeros(2, 3)}, path, metadata=told)
    assert load_checkpoint(path)[1] == {"updates": 3}
