"""The board: what is averaged over what, in which order, and what no other result can change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made import board_of, made_runs, write_results

DILEMMAS = {"prisonersdilemma": (7.5, 10.0), "maintain": (95 / 18, 17.5), "meeting": (139 / 54, 20 / 3)}


def dilemmas(*scores: float) -> dict[str, list[float]]:
    """Returns with these scores on every social dilemma."""
    return {name: [low + (high - low) * x for x in scores] for name, (low, high) in DILEMMAS.items()}


def results(**algorithms: dict[str, list[float]]) -> dict[str, dict[str, object]]:
    """Tasks of algorithms' returns."""
    tasks = {
        task: {name: made_runs(returns[task]) for name, returns in algorithms.items() if task in returns}
        for task in DILEMMAS
    }
    return {task: found for task, found in tasks.items() if found}


def test_a_suite_averages_scores(tmp_path: Path) -> None:
    write_results(tmp_path, results(good=dilemmas(*[0.9] * 12), poor=dilemmas(*[0.2] * 10)))
    (suite,) = board_of(tmp_path).suites
    assert [row.algorithm for row in suite.rows] == ["good", "poor"]
    assert suite.families == ("matrix-one-shot",)
    good, poor = suite.rows
    assert (good.runs, poor.runs) == (12, 10)
    for row, score in ((good, 0.9), (poor, 0.2)):
        for name in ("iqm", "median", "mean"):
            assert row.aggregates[name].estimate == pytest.approx(score)
        assert row.aggregates["optimality_gap"].estimate == pytest.approx(1 - score)
    wins = suite.comparisons[0][1]
    assert wins is not None and wins.estimate == wins.low == wins.high == 1.0
    assert suite.comparisons[0][0] is None
    # Half way through training half of the return is there, but not half of the score.
    low, high = np.array(list(DILEMMAS.values())).T
    halves = np.repeat((0.5 * (low + (high - low) * 0.9) - low) / (high - low), 12)
    assert good.efficiency.estimate[10] == pytest.approx(np.sort(halves)[9:-9].mean())


def test_tasks_with_more_runs_do_not_count_more(tmp_path: Path) -> None:
    returns = dilemmas(*[0.5] * 10)
    returns["meeting"] += dilemmas(*[0.0] * 90)["meeting"]
    write_results(tmp_path, results(a=returns))
    board = board_of(tmp_path)
    (row,) = board.suites[0].rows
    assert row.scores.shape == (3, 10)
    assert row.aggregates["mean"].estimate == pytest.approx(0.5)
    meeting = next(task for task in board.tasks if task.task.name == "meeting")
    assert meeting.rows[0].runs == 100


def test_some_of_the_tasks_are_not_averaged(tmp_path: Path) -> None:
    partial = dilemmas(1.0, 1.0)
    del partial["meeting"]
    write_results(tmp_path, results(partial=partial))
    (suite,) = board_of(tmp_path).suites
    assert suite.rows == ()
    assert suite.incomplete == (("partial", tmp_path.name, "algorithm", 2),)


def test_among_equals_few_runs_come_last(tmp_path: Path) -> None:
    write_results(tmp_path, results(few=dilemmas(1.0), many=dilemmas(*[1.0] * 12)))
    assert [row.algorithm for row in board_of(tmp_path).suites[0].rows] == ["many", "few"]


def test_other_results_change_nothing(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).uniform(size=12)
    write_results(tmp_path / "a", results(mine=dilemmas(*scores)))
    write_results(tmp_path / "b", results(mine=dilemmas(0.9, -5.0), other=dilemmas(0.95)))
    alone = board_of(tmp_path / "a").suites[0].rows[0]
    together = next(row for row in board_of(tmp_path).suites[0].rows if row.source == "a")
    for name, interval in alone.aggregates.items():
        again = together.aggregates[name]
        assert (interval.estimate, interval.low, interval.high) == (again.estimate, again.low, again.high)


def test_a_task_without_bounds_is_shown_only(tmp_path: Path) -> None:
    write_results(tmp_path, {"duel": {"a": made_runs([3.0, 1.0], optimal=1.0, speed=2.0)}})
    board = board_of(tmp_path)
    assert board.suites == ()
    (row,) = board.tasks[0].rows
    assert row.mean_return.estimate == 2.0
    assert row.aggregates == {}
    assert row.optimal is not None and row.optimal.estimate == 1.0
    assert {name: float(interval.estimate) for name, interval in row.metrics.items()} == {"speed": 2.0}
