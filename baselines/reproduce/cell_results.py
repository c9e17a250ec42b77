"""The results of one cell, as pages quote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from baselines.errors import ResultsError
from baselines.evaluation.numbers import ranges
from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import OPTIMAL, Cell
from baselines.reproduce.sample import Sample, sample


@dataclass(frozen=True)
class CellResults:
    """A cell that has results.

    Attributes:
        cell: which.
        archive: where its results are.
    """

    cell: Cell
    archive: Archive

    @property
    def config(self) -> dict[str, Any]:
        """Every field of the configuration that it was made with."""
        config: dict[str, Any] = self.archive.recipe(self.cell)["config"]
        return config

    @property
    def env_args(self) -> dict[str, Any]:
        """Arguments of its game."""
        arguments: dict[str, Any] = self.archive.recipe(self.cell)["env_args"]
        return arguments

    @property
    def runs(self) -> int:
        """Its number of runs."""
        return len(self.archive.runs(self.cell))

    @property
    def seeds(self) -> str:
        """The seeds of its runs: 1000-1023."""
        return ranges(seed for block in self.archive.blocks(self.cell) for seed in block["seeds"])

    @property
    def episodes(self) -> int:
        """Episodes that each of its final policies plays."""
        first = next(iter(self.archive.runs(self.cell).values()))
        return len(first["absolute_metrics"]["return"])

    @property
    def seconds(self) -> float:
        """How long its training took."""
        return float(sum(block["seconds"] for block in self.archive.blocks(self.cell)))

    @property
    def optima(self) -> int:
        """Runs that end at the optimum."""
        return round(sum(self.final(OPTIMAL.metric)))

    @property
    def optimal(self) -> str:
        """How many of its runs end at the optimum: 17 of 32."""
        return f"{self.optima} of {self.runs}"

    def final(self, metric: str = "return") -> list[float]:
        """The final policies' mean of a metric, one number per run."""
        runs = self.archive.runs(self.cell).values()
        return [float(np.mean(run["absolute_metrics"][metric])) for run in runs]

    def mean(self, metric: str = "return") -> float:
        """The mean of a metric over the final policies."""
        return float(np.mean(self.final(metric)))

    def has(self, metric: str) -> bool:
        """Whether the final policies have a metric."""
        return all(metric in run["absolute_metrics"] for run in self.archive.runs(self.cell).values())

    def sample(self, metric: str, among: str) -> Sample:
        """A metric in those episodes of the final policies, of all runs, in which another one is 1."""
        runs = self.archive.runs(self.cell).values()
        return sample((run["absolute_metrics"] for run in runs), metric, among)

    def curve(self, metric: str = "return") -> dict[int, float]:
        """The mean of a metric over runs at every evaluation, by its step."""
        values: dict[int, list[float]] = {}
        for run in self.archive.runs(self.cell).values():
            for name, evaluation in run.items():
                if name.startswith("step_"):
                    values.setdefault(evaluation["step_count"], []).append(float(np.mean(evaluation[metric])))
        return {step: float(np.mean(means)) for step, means in values.items()}

    def ahead_of(self, other: CellResults, metric: str = "return") -> int:
        """The step of the evaluation from which the mean of a metric stays above another cell's.

        Raises:
            ResultsError: if it ends below.
        """
        theirs = other.curve(metric)
        ahead = None
        for step, mean in self.curve(metric).items():
            if mean <= theirs[step]:
                ahead = None
            elif ahead is None:
                ahead = step
        if ahead is None:
            raise ResultsError(f"{metric} of {self.cell.key} does not end above that of {other.cell.key}")
        return ahead

    def first(self, level: float, metric: str = "return") -> int:
        """The step of the first evaluation at which the mean of a metric over runs is at least so much.

        Raises:
            ResultsError: if it never is.
        """
        for step, mean in self.curve(metric).items():
            if mean >= level:
                return step
        raise ResultsError(f"{metric} of {self.cell.key} never is {level}; expected a level that it reaches")
