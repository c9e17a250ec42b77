"""What ends a training before its last step: a metric that evaluations reach again and again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.errors import ConfigError

IN_A_ROW = 3
"""Evaluations that have to reach a goal, one after another."""


@dataclass(frozen=True)
class Goal:
    """A value that a metric of the evaluations is to reach.

    Attributes:
        metric: its name in results files.
        value: the least mean over episodes that counts.
    """

    metric: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Goal | None:
        """The goal in a configuration, such as "win_rate=0.93"; None if there is none."""
        metric, _, value = text.partition("=")
        return cls(metric, float(value)) if metric else None

    def check(self, metrics: Iterable[str]) -> None:
        """Raise ConfigError if the metric is none of those that are measured."""
        known = sorted(metrics)
        if self.metric not in known:
            raise ConfigError(f"goal={self.metric}={self.value:g} is not measured; expected one of {known}")

    def reached(self, curve: NDArray[np.float64]) -> bool:
        """Whether the last evaluations of every run reach it.

        Args:
            curve: the metric's mean at every evaluation so far, (K, T).
        """
        return curve.shape[1] >= IN_A_ROW and bool((curve[:, -IN_A_ROW:] >= self.value).all())
