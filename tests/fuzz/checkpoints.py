"""Checkpoints with one thing wrong: cut off, with another header, with other progress, with NaN."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import baselines
from baselines.runs.directory import RunDirectory
from baselines.runs.trainer import Trainer
from fuzz import originals
from fuzz.files import of_file
from fuzz.judge import Kind
from fuzz.mutations import Place, Rng, pick, spoiled_bytes, spoiled_json

NAN = b"\x00\x00\xc0\x7f"
"""A number of float32 that is none."""


def spoiled(rng: Rng, data: bytes) -> tuple[str, bytes]:
    """A safetensors file with one thing wrong."""
    size = int.from_bytes(data[:8], "little")
    header, tensors = json.loads(data[8 : 8 + size]), data[8 + size :]
    if rng.integers(2):
        # As older versions wrote it; else whatever is changed is noticed by the digest.
        del header["__metadata__"]["digest"]
    what = int(rng.integers(5))
    if what == 0:
        return spoiled_bytes(rng, data)
    if what == 1:
        wrong = int(pick(rng, (0, size - 1, size + 8, 2**40, 2**63)))
        return f"header of {wrong} bytes", wrong.to_bytes(8, "little") + data[8:]
    if what == 2:
        name = pick(rng, [name for name in header if name.startswith("policy.")])
        start, end = header[name]["data_offsets"]
        at = start + 4 * int(rng.integers((end - start) // 4))
        return f"{name} has NaN", _file(header, tensors[:at] + NAN + tensors[at + 4 :])
    if what == 3:
        change, progress = spoiled_json(rng, json.loads(header["__metadata__"]["progress"]), _older)
        header["__metadata__"]["progress"] = progress.decode("utf-8", "replace")
        return f"progress: {change}", _file(header, tensors)
    change, text = spoiled_json(rng, header)
    return f"header: {change}", len(text).to_bytes(8, "little") + text + tensors


def _file(header: dict[str, Any], tensors: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + tensors


def _older(place: Place) -> bool:
    # Checkpoints of older versions do not say which run they are of, and count no episodes that were lost.
    return place[0] in ("lost", "plan")


def policy(run: Path) -> Any:
    loaded = baselines.load_policy(run, seed=1)
    return [value.tolist() for _, value in sorted(loaded._population.parameters.items())]


def training(run: Path) -> Any:
    directory = RunDirectory(run)
    trainer = Trainer(directory.plan(), directory, resume=True)
    state = trainer.blocks.state()
    trainer.blocks.close()
    return trainer.step, trainer.lost.tolist(), [(name, state[name].tolist()) for name in sorted(state)]


def _both(read: Callable[[Path], Any]) -> Kind:
    return of_file(originals.run, "checkpoint.safetensors", spoiled, read)


CHECKPOINTS: dict[str, Kind] = {"checkpoint": _both(policy), "checkpoint to go on with": _both(training)}
