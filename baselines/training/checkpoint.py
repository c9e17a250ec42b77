"""Checkpoints: one safetensors file each, written atomically, without pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from baselines.errors import CheckpointError
from baselines.storage import require_plain, write_bytes
from stmg_envs.errors import InvalidArgumentError

MOST_BYTES = 2**36
"""Of a checkpoint, at most: large populations have large ones."""


def save_checkpoint(path: Path, tensors: dict[str, Tensor], progress: dict[str, Any]) -> None:
    """Write tensors and JSON-able progress; a crash leaves the previous file whole.

    Args:
        path: the file.
        tensors: named tensors, on any device.
        progress: plain data that goes into the file's header.
    """
    contiguous = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    text = json.dumps(progress, allow_nan=False)
    metadata = {"progress": text, "digest": _digest(contiguous, text)}
    # Written here because safetensors' own files are for their owner's eyes only, whatever the umask says.
    write_bytes(path, save(contiguous, metadata=metadata))


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_checkpoint` wrote, on the CPU.

    Raises:
        CheckpointError: if the file is missing, truncated, or no checkpoint, or if anything in it is not
            what was written.
    """
    try:
        require_plain(path, MOST_BYTES)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} does not exist; expected the checkpoint of a run; train the run first"
        ) from None
    except InvalidArgumentError as error:
        raise CheckpointError(str(error)) from None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            told = file.metadata()
            progress = json.loads(told["progress"])
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise damaged_checkpoint(path, f"truncated or no checkpoint ({error})") from None
    # Older versions wrote none.
    if "digest" in told and told["digest"] != _digest(tensors, told["progress"]):
        raise damaged_checkpoint(path, "damaged: its numbers are not those that were written (SHA-256)")
    return tensors, progress


def damaged_checkpoint(path: Path, how: str) -> CheckpointError:
    """The error of a checkpoint that does not hold what was written; `how` follows its path and "is"."""
    return CheckpointError(f"{path} is {how}; restore it from a copy, or train again into another directory")


def _digest(tensors: Mapping[str, Tensor], progress: str) -> str:
    """The SHA-256 of everything that a checkpoint says."""
    digest = hashlib.sha256(progress.encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with a prefix before their names; `under` takes it off."""
    return {prefix + name: value for name, value in tensors.items()}


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
