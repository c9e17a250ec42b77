"""Two policies side by side, in the same episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.evaluation.greedy import Evaluated
from baselines.evaluation.numbers import compact, with_margin
from baselines.evaluation.statistics import Interval, mean_interval, metric_interval, rate_interval


@dataclass(frozen=True, eq=False)
class Compared:
    """One metric of two policies.

    Attributes:
        metric: its name.
        first: the mean of the first policy over all episodes, and its interval.
        second: that of the second.
        difference: the mean of second minus first, episode by episode.
    """

    metric: str
    first: Interval
    second: Interval
    difference: Interval

    def cells(self) -> tuple[str, ...]:
        """The metric and its three intervals as people read them."""
        return (self.metric, *map(interval_text, (self.first, self.second, self.difference)))


def compare(first: Evaluated, second: Evaluated) -> list[Compared]:
    """All metrics of two groups of policies that played the same episodes.

    Of several runs the intervals are over runs, each of which is one mean over its episodes, for how runs
    differ says how another one would be. Of one run they are over episodes, with its policy as it is:
    Wilson's for shares of episodes, Student's t for other means and for differences.
    """
    values, others = _episodes(first), _episodes(second)
    interval = outcome_interval if len(first.returns) == 1 else _over_runs
    return [
        Compared(
            name,
            interval(name, table),
            interval(name, others[name]),
            mean_interval(_independent(others[name] - table)),
        )
        for name, table in values.items()
    ]


def compared_over(runs: int) -> str:
    """What the intervals of a comparison are over, in words."""
    return "over seeds" if runs > 1 else "over episodes"


def _independent(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of values (K, E): the runs' means where there are several runs, else the episodes' values."""
    return values.mean(axis=1) if len(values) > 1 else values.ravel()


def _over_runs(metric: str, values: NDArray[np.float64]) -> Interval:
    return metric_interval(metric, _independent(values))


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its first column to the left."""
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def interval_text(interval: Interval) -> str:
    """An estimate and the ends of its interval: "74.9 (73.1 to 76.7)"."""
    estimate, low, high = map(float, (interval.estimate, interval.low, interval.high))
    if np.isnan(low) or low == high:
        return compact(estimate)
    estimate_text, _, low_text, high_text = with_margin(estimate, low, high)
    return f"{estimate_text} ({low_text} to {high_text})"


def _episodes(evaluated: Evaluated) -> dict[str, NDArray[np.float64]]:
    """Every metric of every episode, (K, E)."""
    table = {"return": evaluated.returns.mean(axis=-1)}
    if evaluated.optimal is not None:
        table["optimal"] = evaluated.optimal.astype(np.float64)
    return table | evaluated.metrics


def outcome_interval(metric: str, values: NDArray[np.float64]) -> Interval:
    """The mean of all values of a metric: by Wilson's interval if each is 0 or 1, else by Student's t."""
    if np.isin(values, (0.0, 1.0)).all():
        return rate_interval(int(values.sum()), values.size)
    return metric_interval(metric, values.ravel())
