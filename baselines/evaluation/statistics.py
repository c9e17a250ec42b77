"""Statistics over runs: means and rates with intervals, and the interquartile mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from stmg_envs.errors import InvalidArgumentError

LEVEL = 0.95
"""Confidence level of every interval, unless asked otherwise."""


@dataclass(frozen=True, eq=False)
class Interval:
    """Estimates with confidence intervals.

    Attributes:
        estimate: one number per column of the data, float64; NaN where there is no data.
        low: lower ends, of the same shape; NaN where one value or none leaves the interval unknown.
        high: upper ends, likewise.
    """

    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def mean_interval(values: ArrayLike, axis: int = 0, level: float = LEVEL) -> Interval:
    """Mean with Student's t-interval.

    NaN means that there is no value and is left out. Where all values are equal the interval is that
    value, exactly.

    Args:
        values: numbers, their axis `axis` over independent runs.
        axis: the axis to average over.
        level: confidence level, between 0 and 1.

    Returns:
        The interval of the mean, in the shape of `values` without that axis.

    Raises:
        InvalidArgumentError: if the level is not between 0 and 1.
    """
    _check_level(level)
    table = np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0)
    known = ~np.isnan(table)
    count = known.sum(axis=0)
    lowest = np.where(known, table, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(known, table, -np.inf).max(axis=0, initial=-np.inf)
    # Zero and one values make 0 / 0 below, and NaN is the answer there.
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, table, 0.0).sum(axis=0) / count
        # Rounding must not make an interval out of equal values.
        mean = np.where(lowest == highest, lowest, mean)
        squares = np.where(known, (table - mean) ** 2, 0.0).sum(axis=0)
        error = np.sqrt(squares / (count - 1) / count)
        half = error * stats.t.ppf(0.5 + level / 2, count - 1)
    return Interval(np.asarray(mean), np.asarray(mean - half), np.asarray(mean + half))


RATES = ("optimal", "merged")
"""Metrics that are shares between 0 and 1 beside those whose names end in `_rate`."""


def is_rate(metric: str) -> bool:
    """Whether a metric is a share between 0 and 1, by its name."""
    return metric in RATES or metric.endswith("_rate")


def metric_interval(metric: str, values: ArrayLike, axis: int = 0) -> Interval:
    """Mean of a metric over runs with Student's t-interval, which of a rate stays inside 0..1."""
    interval = mean_interval(values, axis)
    if not is_rate(metric):
        return interval
    return Interval(interval.estimate, interval.low.clip(0.0, 1.0), interval.high.clip(0.0, 1.0))


def rate_interval(successes: int, total: int, level: float = LEVEL) -> Interval:
    """Share of successes with Wilson's interval, which is never empty and stays inside 0..1.

    One run alone has no interval, as one number has none.

    Args:
        successes: number of successes, 0..total.
        total: number of independent runs, at least 1.
        level: confidence level, between 0 and 1.

    Returns:
        The interval of the rate, three numbers (0-d arrays).

    Raises:
        InvalidArgumentError: if the numbers do not fit.
    """
    _check_level(level)
    if not 0 <= successes <= total or total < 1:
        raise InvalidArgumentError(
            f"successes={successes} of total={total} is no rate; expected 0 <= successes <= total, total >= 1"
        )
    if total == 1:
        return Interval(np.asarray(float(successes)), np.asarray(np.nan), np.asarray(np.nan))
    test = stats.binomtest(int(successes), int(total))
    ends = test.proportion_ci(confidence_level=level, method="wilson")
    return Interval(np.asarray(successes / total), np.asarray(ends.low), np.asarray(ends.high))


def rate_curve(successes: NDArray[np.bool_], level: float = LEVEL) -> Interval:
    """Shares of successes over runs with Wilson's intervals, from (K, T) to (T,)."""
    rates = [rate_interval(int(count), len(successes), level) for count in successes.sum(axis=0)]
    return Interval(
        np.array([rate.estimate for rate in rates]),
        np.array([rate.low for rate in rates]),
        np.array([rate.high for rate in rates]),
    )


def iqm(values: ArrayLike, axis: int | None = None) -> NDArray[np.float64]:
    """Interquartile mean: the mean without the lowest and the highest quarter, each rounded down.

    Args:
        values: numbers, at least one; fewer than four are all kept.
        axis: the axis to average over; all values together by default.

    Raises:
        InvalidArgumentError: if there are no values.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.size == 0:
        raise InvalidArgumentError("values is empty; expected at least one number")
    return np.asarray(stats.trim_mean(table, 0.25, axis=axis))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InvalidArgumentError(f"level={level} is no confidence level; expected for instance 0.95")
