"""Trainings that end when evaluations have reached a goal three times in a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_files import without_times

import baselines
from baselines.errors import ConfigError
from baselines.evaluation.goal import Goal
from baselines.evaluation.report import render_report
from baselines.evaluation.report_inputs import read_run

LEARNABLE: dict[str, Any] = {"env_id": "stmg/Cooperation-v0", "preset": "matrix-one-shot", "seeds": 2}
OFTEN = {"total_steps": 20_000, "eval_interval": 500, "goal": "optimal=1"}


@pytest.mark.parametrize(
    ("curve", "reached"),
    [
        ([[0.0, 0.5, 1.0, 0.5]], True),
        ([[1.0, 1.0, 0.4, 1.0]], False),
        ([[1.0, 1.0]], False),
        ([[0.0, 1.0, 1.0, 1.0], [0.0, 0.5, 0.5, 0.5]], True),
        ([[0.0, 1.0, 1.0, 1.0], [0.0, 0.5, 0.5, 0.4]], False),
    ],
)
def test_the_last_three_evaluations_of_every_run_count(curve: list[list[float]], reached: bool) -> None:
    assert Goal("win_rate", 0.5).reached(np.array(curve)) is reached


def test_training_ends_at_its_goal(tmp_path: Path) -> None:
    trained = baselines.train("steer", out=tmp_path / "run", **LEARNABLE, **OFTEN)

    assert trained.steps < 20_000
    runs = json.loads((tmp_path / "run" / "results.json").read_text())["stmg"]["cooperation"]["steer"]
    optimal = np.array(
        [[run[name]["optimal"][0] for name in run if name != "absolute_metrics"] for run in runs.values()]
    )
    assert optimal[:, -3:].all()
    assert not any(optimal[:, end - 3 : end].all() for end in range(3, optimal.shape[1]))

    assert "not complete" not in render_report(read_run(tmp_path / "run"))

    before = without_times(tmp_path / "run" / "results.json")
    again = baselines.train("steer", out=tmp_path / "run", resume=True, **LEARNABLE, **OFTEN)
    assert again.steps == trained.steps
    assert without_times(tmp_path / "run" / "results.json") == before


def test_a_goal_is_a_metric_that_is_measured(tmp_path: Path) -> None:
    goal = OFTEN | {"goal": "win_rate=0.9"}
    with pytest.raises(
        ConfigError, match=r"goal=win_rate=0.9 is not measured; expected .*'optimal', 'return'"
    ):
        baselines.train("steer", out=tmp_path / "run", **LEARNABLE, **goal)


def test_a_run_that_reached_its_goal_goes_on_to_another(tmp_path: Path) -> None:
    few = OFTEN | {"total_steps": 3000}
    baselines.train("steer", out=tmp_path / "whole", **LEARNABLE, **few | {"goal": ""})
    soon = baselines.train("steer", out=tmp_path / "run", **LEARNABLE, **few | {"goal": "optimal=0"})
    assert soon.steps == 1000
    with pytest.raises(ConfigError, match="is not measured"):
        baselines.train("steer", out=tmp_path / "run", resume=True, **LEARNABLE, **few | {"goal": "a=1"})
    further = baselines.train("steer", out=tmp_path / "run", resume=True, **LEARNABLE, **few | {"goal": ""})
    assert further.steps == 3000
    assert without_times(tmp_path / "run" / "results.json") == without_times(
        tmp_path / "whole" / "results.json"
    )
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest["config"]["goal"] == ""
    (resumption,) = manifest["resumed"]
    assert resumption["step"] == 1000
    assert resumption["before"] == {"goal": "optimal=0", "total_steps": 3000}
    assert resumption["commit"] == manifest["commit"] and resumption["versions"] == manifest["versions"]
