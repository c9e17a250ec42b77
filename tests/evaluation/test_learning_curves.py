"""Curves: shapes, bands, missing values and averaging over updates."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.evaluation.learning_curves import MOST_POINTS, evaluation_curves, training_curves
from baselines.evaluation.report_inputs import Evaluations
from baselines.evaluation.statistics import mean_interval, rate_interval


def table(**columns: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(values, dtype=np.float64) for name, values in columns.items()}


def test_evaluation_curves() -> None:
    returns = np.array([[0.0, 4.0], [2.0, 4.0], [7.0, 4.0]])
    optimal = np.array([[0.0, 1.0], [0.5, 1.0], [1.0, 1.0]])
    metrics = {"win_rate": returns, "optimal": optimal, "return": returns}
    curves = evaluation_curves(Evaluations(np.array([0, 10]), 1.0, metrics, None, 0))
    assert [curve.name for curve in curves] == ["return", "optimal", "win_rate"]
    first, second, _ = curves
    np.testing.assert_array_equal(first.steps, [0, 10])
    np.testing.assert_array_equal(first.interval.low, mean_interval(returns).low)
    # A policy that is optimal in some of its episodes only is not optimal.
    np.testing.assert_allclose(second.interval.estimate, [1 / 3, 1])
    assert second.interval.low[0] == rate_interval(1, 3).low
    assert second.interval.high[1] == 1.0


def test_training_curves_line_up_runs_by_step() -> None:
    # The last update has been written for one run only.
    metrics = table(step=[1, 1, 2, 2, 3], elapsed=[0] * 5, seed=[7, 3, 3, 7, 7], loss=[1, 3, 5, 7, 9])
    (curve,) = training_curves(metrics)
    assert curve.name == "loss"
    np.testing.assert_array_equal(curve.steps, [1, 2, 3])
    np.testing.assert_array_equal(curve.interval.estimate, [2, 6, 9])
    assert (curve.missing, curve.values) == (1, 6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_left_out_and_counted(bad: float) -> None:
    metrics = table(step=[1, 1, 2, 2], elapsed=[0] * 4, seed=[0, 1, 0, 1], episode_return=[bad, bad, 3, bad])
    (curve,) = training_curves(metrics)
    np.testing.assert_array_equal(curve.interval.estimate, [np.nan, 3])
    assert (curve.missing, curve.values, curve.empty) == (3, 4, False)
    metrics["episode_return"][2] = bad
    assert training_curves(metrics)[0].empty


def test_long_curves_are_averaged() -> None:
    updates = 2 * MOST_POINTS + 1
    steps = np.arange(1.0, updates + 1)
    metrics = table(step=[*steps, *steps], elapsed=[0] * 2 * updates, seed=[0] * updates + [1] * updates)
    metrics["loss"] = np.concatenate([steps, steps + 10])
    (curve,) = training_curves(metrics)
    assert curve.updates_per_point == 3
    assert len(curve.steps) == -(-updates // 3) <= MOST_POINTS
    np.testing.assert_array_equal(curve.steps[:2], [2, 5])
    np.testing.assert_array_equal(curve.interval.estimate, curve.steps + 5)
    assert curve.steps[-1] == steps[-2:].mean()


def test_no_training_yet() -> None:
    assert training_curves({}) == []
    assert training_curves(table(step=[], elapsed=[], seed=[], loss=[])) == []
