"""A run that was trained on a device that this machine lacks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small import SIZES

import baselines
from baselines.errors import ConfigError
from baselines.storage import read_json, write_json


def test_it_is_played_on_the_cpu(tmp_path: Path) -> None:
    settings = {"total_steps": 100, "eval_interval": 100} | SIZES["steer"]
    trained = baselines.train("steer", "stmg/Mixing-v0", out=tmp_path / "run", **settings)
    manifest = tmp_path / "run" / "run.json"
    write_json(manifest, read_json(manifest) | {"device": "cuda:99"})
    assert np.array_equal(baselines.evaluate(tmp_path / "run", 1).returns, trained.evaluated.returns)
    assert baselines.load_policy(tmp_path / "run").plan.device == "cpu"


def test_to_train_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="device='cuda:99' cannot be used"):
        baselines.train("steer", "stmg/Mixing-v0", device="cuda:99", out=tmp_path / "run")
