"""Our results in marl-eval's hands, and our statistics beside rliable's; see data/README.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import baselines
from baselines.evaluation.aggregates import (
    AGGREGATES,
    THRESHOLDS,
    aggregate,
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)
from baselines.leaderboard.entries import read_entries
from baselines.leaderboard.tasks import known_bounds

DATA = Path(__file__).parent / "data"
RECORDED = json.loads((DATA / "recorded.json").read_text())


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    """Our entries of the recorded results, by algorithm, in the order of the tasks."""
    table: dict[str, Any] = {}
    for entry in read_entries([DATA / "results.json"])[0]:
        table.setdefault(entry.algorithm, []).append(entry)
    return table


def form(results: dict[str, Any]) -> set[tuple[str, ...]]:
    """Every path of names through a results file and what is there, with numbers left out."""
    paths = set()
    for suite, tasks in results.items():
        runs = [run for algorithms in tasks.values() for run in algorithms.values()]
        for seeds in runs:
            for seed, steps in seeds.items():
                order = [int(step.removeprefix("step_")) for step in list(steps)[:-1]]
                assert order == list(range(len(order)))
                for step, point in steps.items():
                    names = (suite, re.sub(r"\d+$", "", seed), re.sub(r"\d+$", "", step))
                    kinds = ((name, json.dumps(x, default=str)) for name, x in point.items())
                    paths |= {(*names, name, re.sub(r"-?\d+(\.\d+)?", "#", text)) for name, text in kinds}
    return paths


def test_files_written_today_have_the_form_that_marl_eval_has_checked(tmp_path: Path) -> None:
    assert all(RECORDED["check"]["stmg"].values())
    run = baselines.train(
        "mappo", "stmg/Mixing-v0", seeds=2, out=tmp_path / "run", total_steps=300, eval_interval=100
    )
    written, checked = (
        form(json.loads(path.read_text())) for path in (run.path / "results.json", DATA / "results.json")
    )
    assert written == checked


def test_the_same_bounds() -> None:
    assert {name: list(known_bounds()[name]) for name in RECORDED["bounds"]} == RECORDED["bounds"]


def test_the_same_scores(ours: dict[str, Any]) -> None:
    for algorithm, entries in ours.items():
        scores = np.stack([entry.scores for entry in entries], axis=1)
        np.testing.assert_allclose(scores, RECORDED["final"]["scores"][algorithm], rtol=0, atol=1e-12)


def test_the_same_sample_efficiency(ours: dict[str, Any]) -> None:
    for algorithm, entries in ours.items():
        curves = np.stack([entry.curves for entry in entries])
        course = interquartile_mean(np.moveaxis(curves, -1, 0))
        np.testing.assert_allclose(course, RECORDED["efficiency"][algorithm], rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", ["final", "drawn"])
def test_the_same_point_estimates(case: str) -> None:
    recorded = RECORDED[case]
    tables = {name: np.array(scores).T for name, scores in recorded["scores"].items()}
    for name, scores in tables.items():
        assert list(AGGREGATES) == list(recorded["aggregates"][name])
        for aggregated, interval in aggregate(scores).items():
            assert interval.estimate == pytest.approx(recorded["aggregates"][name][aggregated], abs=1e-12)
        assert len(THRESHOLDS) == len(recorded["profiles"][name])
        np.testing.assert_allclose(
            performance_profile(scores).estimate, recorded["profiles"][name], atol=1e-12
        )
        for other, probability in recorded["improvement"][name].items():
            interval = probability_of_improvement(scores, tables[other])
            assert interval.estimate == pytest.approx(probability, abs=1e-12)
