"""Scores over several tasks: aggregates with stratified bootstrap intervals, profiles, comparisons.

Source: R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice",
NeurIPS 2021. Scores are arrays (M tasks, R runs); a score of 1 is optimal. Intervals are percentiles of
repetitions in which the runs of each task are drawn with replacement; the same seed gives the same intervals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from baselines.evaluation.statistics import LEVEL, Interval, iqm

Scores = NDArray[np.float64]

REPETITIONS = 5000
"""Of aggregates; curves, profiles and comparisons take fewer, for they have many points."""
CURVE_REPETITIONS = 1000

THRESHOLDS = np.linspace(0.0, 1.0, 101)
"""Scores at which performance profiles are computed."""


def interquartile_mean(scores: Scores) -> Scores:
    """IQM of all runs of all tasks, (..., M, R) -> (...)."""
    return iqm(scores.reshape(*scores.shape[:-2], -1), axis=-1)


def median(scores: Scores) -> Scores:
    """Median over tasks of the means over runs, (..., M, R) -> (...)."""
    return np.asarray(np.median(scores.mean(axis=-1), axis=-1))


def mean(scores: Scores) -> Scores:
    """Mean over tasks and runs, (..., M, R) -> (...)."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def optimality_gap(scores: Scores) -> Scores:
    """How far scores fall short of 1 on average, those above 1 counting as 1, (..., M, R) -> (...)."""
    return np.asarray(1.0 - np.minimum(scores, 1.0).mean(axis=(-2, -1)))


AGGREGATES: dict[str, Callable[[Scores], Scores]] = {
    "iqm": interquartile_mean,
    "median": median,
    "mean": mean,
    "optimality_gap": optimality_gap,
}


def aggregate(scores: Scores, seed: int = 0) -> dict[str, Interval]:
    """Every aggregate of scores (M, R) with its interval, by name."""
    drawn = resampled(scores, np.random.default_rng(seed), REPETITIONS)
    return {name: _interval(f(scores), f(drawn), scores) for name, f in AGGREGATES.items()}


def efficiency_curve(curves: Scores, seed: int = 0) -> Interval:
    """The IQM at each of T evaluations, from scores (M, R, T) to (T,)."""
    drawn = resampled(curves, np.random.default_rng(seed), CURVE_REPETITIONS)
    return _interval(
        interquartile_mean(np.moveaxis(curves, -1, 0)),
        np.stack([interquartile_mean(drawn[..., t]) for t in range(curves.shape[-1])], axis=-1),
        curves,
    )


def performance_profile(scores: Scores, seed: int = 0) -> Interval:
    """Share of runs, over all tasks, with scores (M, R) above each of the thresholds."""
    above = (scores[..., None] > THRESHOLDS).astype(np.float64)
    counts = _counts(scores, np.random.default_rng(seed))
    drawn = np.einsum("bmr,mrt->bt", counts, above, optimize=True) / scores.size
    return _interval(above.mean(axis=(0, 1)), drawn, scores)


def probability_of_improvement(scores: Scores, others: Scores, seed: int = 0) -> Interval:
    """Probability that a run scores more than a run of another algorithm, averaged over tasks.

    This is Mann-Whitney's U divided by the number of pairs; equal scores count one half.

    Args:
        scores: of the algorithm, (M, R).
        others: of the other algorithm on the same tasks, (M, S).
        seed: of the bootstrap.
    """
    ours, theirs = scores[:, :, None], others[:, None, :]
    wins = (ours > theirs) + 0.5 * (ours == theirs)
    rng = np.random.default_rng(seed)
    # Summed over our runs first: all pairs of all repetitions at once would be large.
    won = np.einsum("bmr,mrs->bms", _counts(scores, rng), wins, optimize=True)
    drawn = np.einsum("bms,bms->b", won, _counts(others, rng)) / wins.size
    return _interval(wins.mean(axis=(1, 2)).mean(), drawn, scores, others)


def resampled(scores: Scores, rng: np.random.Generator, repetitions: int) -> Scores:
    """Scores (M, R, ...) with the runs of each task drawn with replacement, (repetitions, M, R, ...)."""
    tasks, runs = scores.shape[:2]
    chosen = rng.integers(runs, size=(repetitions, tasks, runs))
    return scores[np.arange(tasks)[:, None], chosen]


def _counts(scores: Scores, rng: np.random.Generator) -> Scores:
    """How often each run of scores (M, R) is drawn in each repetition, (repetitions, M, R)."""
    tasks, runs = scores.shape
    counts = rng.multinomial(runs, np.full(runs, 1 / runs), size=(CURVE_REPETITIONS, tasks))
    return counts.astype(np.float64)


def _interval(estimate: Scores, drawn: Scores, *scores: Scores) -> Interval:
    """The percentiles of repetitions (repetitions, ...) around an estimate (...) of scores (M, R, ...).

    Unknown where there is one run per task: drawing it again and again says nothing of others.
    """
    if any(table.shape[1] == 1 for table in scores):
        unknown = np.full_like(np.asarray(estimate, dtype=np.float64), np.nan)
        return Interval(np.asarray(estimate), unknown, unknown)
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=0)
    return Interval(np.asarray(estimate), np.asarray(low), np.asarray(high))
