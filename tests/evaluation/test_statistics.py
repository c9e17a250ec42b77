"""Intervals and means against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from baselines.evaluation.statistics import iqm, mean_interval, metric_interval, rate_interval
from stmg_envs.errors import InvalidArgumentError

Z = 1.959963984540054
T_3 = 3.182446305284263
"""Quantiles 0.975 of the normal distribution and of Student's with three degrees of freedom."""


def wilson(successes: int, total: int) -> tuple[float, float]:
    rate = successes / total
    middle = rate + Z**2 / (2 * total)
    half = Z * math.sqrt(rate * (1 - rate) / total + Z**2 / (4 * total**2))
    return (middle - half) / (1 + Z**2 / total), (middle + half) / (1 + Z**2 / total)


def test_mean_interval_of_four_values() -> None:
    interval = mean_interval([1, 2, 3, 4])
    # Squares of the deviations sum to 5, so the standard error is sqrt(5 / 3 / 4).
    half = T_3 * math.sqrt(5 / 12)
    assert interval.estimate == 2.5
    assert interval.low == pytest.approx(2.5 - half)
    assert interval.high == pytest.approx(2.5 + half)


def test_level() -> None:
    # With one degree of freedom the quantile 0.75 is tan(pi / 4) = 1, and the standard error here is 1.
    interval = mean_interval([0, 2], level=0.5)
    assert (interval.low, interval.high) == (pytest.approx(0.0), pytest.approx(2.0))


def test_axis() -> None:
    values = np.arange(24.0).reshape(2, 4, 3) ** 2
    interval = mean_interval(values, axis=1)
    assert interval.estimate.shape == interval.low.shape == (2, 3)
    single = mean_interval(values[1, :, 2])
    assert interval.estimate[1, 2] == single.estimate and interval.high[1, 2] == single.high


@pytest.mark.parametrize("value", [0.1, 1e-300, -7.3e15])
def test_equal_values_give_that_value_exactly(value: float) -> None:
    interval = mean_interval([value] * 7)
    assert interval.estimate == interval.low == interval.high == value


def test_one_value_has_no_interval() -> None:
    interval = mean_interval([3.0])
    assert interval.estimate == 3.0 and np.isnan(interval.low) and np.isnan(interval.high)


def test_nan_is_left_out() -> None:
    interval = mean_interval([[1, np.nan, np.nan], [2, 5, np.nan], [3, np.nan, np.nan], [4, np.nan, np.nan]])
    np.testing.assert_array_equal(interval.estimate, [2.5, 5.0, np.nan])
    assert interval.low[0] == mean_interval([1, 2, 3, 4]).low
    assert np.isnan(interval.low[1:]).all()
    assert np.isnan(mean_interval([]).estimate)


def test_mean_interval_covers_the_truth_as_often_as_promised() -> None:
    samples = np.random.default_rng(0).normal(3.0, 2.0, size=(5, 20_000))
    interval = mean_interval(samples)
    covered = ((interval.low <= 3.0) & (interval.high >= 3.0)).mean()
    assert covered == pytest.approx(0.95, abs=0.006)


@pytest.mark.parametrize(("successes", "total"), [(0, 2), (1, 2), (0, 16), (16, 16), (5, 8), (99, 100)])
def test_rate_interval_is_wilsons(successes: int, total: int) -> None:
    interval = rate_interval(successes, total)
    low, high = wilson(successes, total)
    assert interval.estimate == successes / total
    assert interval.low == pytest.approx(low, abs=1e-12)
    assert interval.high == pytest.approx(high, abs=1e-12)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@pytest.mark.parametrize("successes", [0, 1])
def test_one_run_has_no_interval(successes: int) -> None:
    interval = rate_interval(successes, 1)
    assert interval.estimate == successes
    assert np.isnan([interval.low, interval.high]).all()


def test_means_of_rates_stay_inside_0_and_1() -> None:
    values = [1.0, 1.0, 0.7]
    rate, plain = metric_interval("win_rate", values), metric_interval("hits", values)
    assert plain.low == pytest.approx(0.9 - 0.1 * 4.302652729911275)
    assert plain.high == pytest.approx(0.9 + 0.1 * 4.302652729911275)
    assert (rate.estimate, rate.low, rate.high) == (plain.estimate, plain.low, 1.0)
    # The share of a ramp's agents that have merged is one by another name.
    assert metric_interval("merged", values).high == 1.0


def test_rate_of_sixteen_in_sixteen() -> None:
    assert rate_interval(16, 16).low == pytest.approx(16 / (16 + Z**2))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 100], 3.5),
        ([7, 1, 100, 2], 4.5),
        ([1, 2, 9], 4.0),
        ([5], 5.0),
        ([100, 1, 2, 3, 4], 3.0),
    ],
)
def test_iqm(values: list[float], expected: float) -> None:
    assert iqm(values) == expected


def test_bad_arguments() -> None:
    for level in (0.0, 1.0, 95):
        with pytest.raises(InvalidArgumentError, match=f"level={level}"):
            mean_interval([1, 2], level=level)
    for successes, total in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(InvalidArgumentError, match=f"successes={successes} of total={total}"):
            rate_interval(successes, total)
    with pytest.raises(InvalidArgumentError, match="empty"):
        iqm([])
