"""Learning curves over runs: evaluations and training metrics as means with confidence bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from baselines.evaluation.report_inputs import Evaluations
from baselines.evaluation.statistics import Interval, mean_interval, metric_interval, rate_curve

MOST_POINTS = 200
"""Longer curves of training metrics are averaged over neighbouring updates, to keep pages small."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One quantity against environment steps.

    Attributes:
        name: what is shown.
        kind: "mean" of runs with a t-interval, or "rate" of runs with Wilson's.
        steps: environment steps per run, (T,).
        interval: estimate and band, each (T,).
        updates_per_point: updates averaged into each point.
        missing: values that are no finite numbers and were left out, out of `values`.
        values: numbers behind the curve.
    """

    name: str
    kind: Literal["mean", "rate"]
    steps: NDArray[np.float64]
    interval: Interval
    updates_per_point: int = 1
    missing: int = 0
    values: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not np.isfinite(self.interval.estimate).any()


def evaluation_curves(evaluations: Evaluations) -> list[Curve]:
    """Curves of greedy evaluations: the return, the share of optimal runs, then the game's own metrics."""
    steps = evaluations.steps.astype(np.float64)
    curves = []
    first = [name for name in ("return", "optimal") if name in evaluations.curves]
    for name in (*first, *(name for name in evaluations.curves if name not in first)):
        values = evaluations.curves[name]
        if name == "optimal":
            curves.append(Curve(name, "rate", steps, rate_curve(values == 1.0), values=values.size))
        else:
            curves.append(_mean_curve(name, steps, values))
    return curves


def training_curves(metrics: dict[str, NDArray[np.float64]]) -> list[Curve]:
    """Curves of training metrics, in the order of their columns.

    Args:
        metrics: columns, name -> (rows,), among them step, elapsed and seed; or nothing.
    """
    if not metrics or not len(metrics["step"]):
        return []
    steps, column = np.unique(metrics["step"], return_inverse=True)
    seeds, row = np.unique(metrics["seed"], return_inverse=True)
    size = -(-len(steps) // MOST_POINTS)
    curves = []
    for name, values in metrics.items():
        if name in ("step", "elapsed", "seed"):
            continue
        table = np.full((len(seeds), len(steps)), np.nan)
        table[row, column] = values
        curves.append(_mean_curve(name, steps, table, size))
    return curves


def _mean_curve(name: str, steps: NDArray[np.float64], values: NDArray[np.float64], size: int = 1) -> Curve:
    """The mean over runs of values (K, T), every `size` neighbours averaged first."""
    finite = np.where(np.isfinite(values), values, np.nan)
    missing = int(np.isnan(finite).sum())
    if size > 1:
        groups = range(0, len(steps), size)
        parts = [mean_interval(finite[:, start : start + size], axis=1).estimate for start in groups]
        finite = np.stack(parts, axis=1)
        steps = np.array([steps[start : start + size].mean() for start in groups])
    return Curve(name, "mean", steps, metric_interval(name, finite), size, missing, values.size)
