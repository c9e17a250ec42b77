"""Numbers as papers of few episodes show them: 6.06 (1.30)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A mean and the deviation around it.

    Attributes:
        mean: the mean.
        deviation: the standard deviation of a population.
    """

    mean: float
    deviation: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread | None:
        """The spread of numbers; None of none."""
        return Spread(statistics.fmean(values), statistics.pstdev(values)) if values else None

    def __str__(self) -> str:
        return f"{self.mean:.2f} ({self.deviation:.2f})"
