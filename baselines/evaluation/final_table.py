"""The last evaluation of every run, run by run, with summary rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.evaluation.numbers import compact, percent
from baselines.evaluation.report_inputs import Evaluations, ReportInputs
from baselines.evaluation.statistics import iqm
from stmg_envs.errors import InvalidArgumentError

MAIN_METRICS = ("win_rate", "optimal", "return")
"""What policies are judged by: the first that the game has, ties by those after it."""


@dataclass(frozen=True)
class FinalTable:
    """A table of text: a row per seed, then mean, interquartile mean, least and greatest.

    Attributes:
        columns: headings, the seed's first.
        rows: one per run.
        summary: one per statistic.
        first_play: whether columns hold returns of the first greedy episode, one per agent.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    summary: tuple[tuple[str, ...], ...]
    first_play: bool


def last_metrics(evaluations: Evaluations) -> dict[str, NDArray[np.float64]]:
    """Metrics of the final policies, or of the last evaluation so far, metric -> (K,)."""
    if evaluations.final is not None:
        return evaluations.final
    return {name: values[:, -1] for name, values in evaluations.curves.items()}


def final_table(run: ReportInputs) -> FinalTable:
    """The table of a run: returns per agent of its play, mean return, optimality, other metrics."""
    metrics = last_metrics(run.evaluations)
    columns: dict[str, NDArray[np.float64]] = {}
    per_agent = run.plays is not None and run.evaluations.final is not None
    if run.plays is not None and per_agent:
        agents = run.game.agents
        if any(len(play.returns) != len(agents) for play in run.plays):
            raise InvalidArgumentError(
                f"plays.json has other numbers of returns than one for each of {list(agents)}; evaluate the "
                f"run again"
            )
        for index, agent in enumerate(agents):
            columns[agent] = np.array([play.returns[index] for play in run.plays])
    columns["mean return"] = metrics["return"]
    others = {name: values for name, values in metrics.items() if name not in ("return", "optimal")}
    if "optimal" in metrics:
        columns["optimal"] = metrics["optimal"]
    columns |= {name: values for name, values in others.items() if name not in columns}
    seeds = run.manifest.seeds
    rows = [
        (str(seed), *(_cell(name, values[k]) for name, values in columns.items()))
        for k, seed in enumerate(seeds)
    ]
    statistics: dict[str, Callable[[NDArray[np.float64]], Any]] = {
        "mean": np.mean,
        "IQM": iqm,
        "min": np.min,
        "max": np.max,
    }
    summary = [
        (label, *(_summary(name, label, float(statistic(values))) for name, values in columns.items()))
        for label, statistic in statistics.items()
    ]
    return FinalTable(("seed", *columns), tuple(rows), tuple(summary), per_agent)


def _cell(name: str, value: float) -> str:
    if name == "optimal":
        return "yes" if value == 1.0 else "no"
    return compact(value)


def _summary(name: str, label: str, value: float) -> str:
    if name == "optimal":
        # Yes and no have a share; their quartiles and extremes say nothing more.
        return percent(value) if label == "mean" else ""
    return compact(value)
