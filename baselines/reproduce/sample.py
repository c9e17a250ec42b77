"""Numbers of episodes as papers of few instances show them: a mean and the deviation around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from baselines.evaluation.spread import Spread

NONE = "-"
"""What stands for the mean of no episodes."""


@dataclass(frozen=True)
class Sample:
    """A metric in those episodes that count.

    Attributes:
        values: one number per episode.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean; NaN of none."""
        return self.spread.mean if self.spread else float("nan")

    @property
    def spread(self) -> Spread | None:
        """Their mean and the deviation around it; None of none."""
        return Spread.of(self.values)

    def __str__(self) -> str:
        return str(self.spread or NONE)


def sample(evaluations: Iterable[Mapping[str, Any]], metric: str, among: str) -> Sample:
    """A metric in all episodes of some evaluations in which another metric is 1.

    Args:
        evaluations: metrics, each a list of a number per episode.
        metric: what counts.
        among: the metric that says whether it does.
    """
    return Sample(
        tuple(
            value
            for evaluation in evaluations
            for value, counts in zip(evaluation[metric], evaluation[among], strict=True)
            if counts == 1
        )
    )
