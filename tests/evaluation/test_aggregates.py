"""Aggregates over tasks: values by hand, and what bootstrap intervals promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from baselines.evaluation.aggregates import (
    AGGREGATES,
    THRESHOLDS,
    aggregate,
    efficiency_curve,
    performance_profile,
    probability_of_improvement,
    resampled,
)

SCORES = np.array([[0.0, 0.5, 1.0, 1.5], [0.25, 0.25, 0.25, 0.25], [2.0, 1.0, 1.0, 0.0]])
"""Three tasks, four runs."""


def test_estimates_by_hand() -> None:
    estimates = {name: float(interval.estimate) for name, interval in aggregate(SCORES).items()}
    assert estimates == {
        # 0 0 .25 | .25 .25 .25 .5 1 1 | 1 1.5 2
        "iqm": pytest.approx((0.25 * 3 + 0.5 + 1 + 1) / 6),
        # The tasks' means are 0.75, 0.25 and 1.
        "median": 0.75,
        "mean": pytest.approx(2 / 3),
        # What is above 1 counts as 1: 2.5 + 1 + 3 of 12.
        "optimality_gap": pytest.approx(1 - 6.5 / 12),
    }


def test_probability_of_improvement_by_hand() -> None:
    # On the first task 3 of 4 pairs are won, on the second one is won and one is a tie.
    ours, theirs = np.array([[1.0, 3.0], [0.0, 0.5]]), np.array([[0.0, 2.0], [0.5, -1.0]])
    interval = probability_of_improvement(ours, theirs)
    assert interval.estimate == pytest.approx((3 / 4 + (1 + 1 + 0.5) / 4) / 2)
    assert probability_of_improvement(theirs, ours).estimate == pytest.approx(1 - interval.estimate)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


def test_profile_by_hand() -> None:
    profile = performance_profile(SCORES)
    assert profile.estimate[0] == 10 / 12
    assert profile.estimate[np.searchsorted(THRESHOLDS, 0.3)] == 6 / 12
    # Above 1, not at it.
    assert profile.estimate[-1] == 2 / 12


def test_runs_are_drawn_within_their_task() -> None:
    drawn = resampled(np.arange(12.0).reshape(3, 4), np.random.default_rng(0), 50)
    assert drawn.shape == (50, 3, 4)
    assert (drawn // 4 == np.arange(3)[:, None]).all()


def test_the_same_seed_gives_the_same_intervals() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 8))
    first, again, other = (aggregate(scores, seed)["mean"] for seed in (1, 1, 2))
    assert (first.low, first.high) == (again.low, again.high)
    assert first.low != other.low or first.high != other.high


def test_equal_runs_leave_no_doubt() -> None:
    for interval in aggregate(np.full((2, 5), 0.7)).values():
        assert interval.low == pytest.approx(interval.estimate) == pytest.approx(interval.high)


def test_efficiency_is_the_iqm_at_each_evaluation() -> None:
    curves = np.stack([SCORES - 1, SCORES], axis=-1)
    interval = efficiency_curve(curves)
    assert interval.estimate[1] == aggregate(SCORES)["iqm"].estimate
    assert interval.estimate[1] - interval.estimate[0] == pytest.approx(1.0)
    assert interval.low.shape == interval.high.shape == (2,)


def test_intervals_cover_the_truth_about_as_often_as_promised() -> None:
    samples = np.random.default_rng(3).normal(0.5, 0.2, size=(150, 2, 16))
    covered = [
        interval.low <= 0.5 <= interval.high
        for interval in (aggregate(scores, seed)["mean"] for seed, scores in enumerate(samples))
    ]
    # 150 coins with 0.93, what percentiles of 16 runs promise, rarely fall below 0.86.
    assert np.mean(covered) > 0.86


@given(arrays(np.float64, (3, 5), elements=st.floats(-2, 2)), st.floats(-1, 1))
def test_aggregates_move_with_the_scores(scores: np.ndarray, shift: float) -> None:
    for name in ("iqm", "median", "mean"):
        before, after = AGGREGATES[name](scores), AGGREGATES[name](scores + shift)
        assert after == pytest.approx(before + shift, abs=1e-9)
        assert scores.min() - 1e-9 <= before <= scores.max() + 1e-9


def test_one_run_per_task_has_no_interval() -> None:
    scores = np.array([[0.2], [0.6]])
    intervals = [
        aggregate(scores)["mean"],
        performance_profile(scores),
        efficiency_curve(scores[..., None]),
        probability_of_improvement(scores, np.array([[0.1, 0.3], [0.5, 0.7]])),
    ]
    assert intervals[0].estimate == pytest.approx(0.4)
    assert intervals[3].estimate == 0.5
    for interval in intervals:
        assert interval.low.shape == interval.high.shape == interval.estimate.shape
        assert np.isnan(interval.low).all() and np.isnan(interval.high).all()
