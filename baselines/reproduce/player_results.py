"""What a player that learns nothing did, as pages quote it."""

from __future__ import annotations

from dataclasses import dataclass

from baselines.evaluation.numbers import ranges
from baselines.reproduce.experiment import PlayerCell
from baselines.reproduce.plays import Plays
from baselines.reproduce.sample import Sample, sample


@dataclass(frozen=True)
class PlayerResults:
    """A player that has played, as pages quote it.

    Attributes:
        cell: who, on what.
        plays: what it did.
    """

    cell: PlayerCell
    plays: Plays

    @property
    def instances(self) -> int:
        """Its number of instances."""
        return len(self.plays.seeds(self.cell))

    @property
    def seeds(self) -> str:
        """Their seeds: 0-199."""
        return ranges(self.plays.seeds(self.cell))

    def has(self, metric: str) -> bool:
        """Whether there is a metric."""
        return metric in self.plays.metrics(self.cell)

    def final(self, metric: str) -> list[float]:
        """A metric, one number per instance."""
        return self.plays.metrics(self.cell)[metric]

    def mean(self, metric: str) -> float:
        """The mean of a metric over instances."""
        return Sample(tuple(self.final(metric))).mean

    def sample(self, metric: str, among: str) -> Sample:
        """A metric in the instances in which another one is 1."""
        return sample([self.plays.metrics(self.cell)], metric, among)
