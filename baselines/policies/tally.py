"""What a policy has played, and what it counts."""

from __future__ import annotations

import numpy as np

from baselines.evaluation.greedy import Evaluated, reached_optimum
from baselines.policies.play import Episodes

FAILED = "failed_episodes"
"""Metric: how many episodes of a run the policy has not played to their end."""


class Tally:
    """K runs of E episodes, of which some may fail.

    Args:
        runs: K.
        episodes: E.
        agents: n.
        low: return that counts as score 0, None if the task has no bounds.

    Attributes:
        returns: undiscounted return of each agent, float64 (K, E, n).
        finished: which episodes were played to their end, bool (K, E).
        metrics: the game's own at the end of each episode, each (K, E).
        optimal: whether each episode reached a known optimum, bool (K, E), or None if none is known.
    """

    def __init__(self, runs: int, episodes: int, agents: int, low: float | None) -> None:
        shape = (runs, episodes)
        self.low = low
        self.returns = np.zeros((*shape, agents))
        self.finished = np.zeros(shape, bool)
        self.metrics: dict[str, np.ndarray] = {}
        self.optimal: np.ndarray | None = np.zeros(shape, bool)

    def add(self, run: int, first: int, batch: Episodes) -> None:
        """Take what a batch of episodes of a run has come to; `first` is the number of its first episode."""
        rows = (run, slice(first, first + len(batch.finished)))
        self.returns[rows] = batch.returns
        self.finished[rows] = batch.finished
        for name, values in batch.metrics.items():
            self.metrics.setdefault(name, np.zeros(self.finished.shape))[rows] = values
        optimal = reached_optimum(batch.env, batch.returns[None], batch.priority[None])
        if optimal is None:
            self.optimal = None
        elif self.optimal is not None:
            self.optimal[rows] = optimal[0] & batch.finished

    @property
    def failed_return(self) -> float | None:
        """What an unfinished episode counts: the bound, or the worst finished one if that is less."""
        known = self.returns.mean(axis=-1)[self.finished].tolist()
        return min([*known, *([] if self.low is None else [self.low])], default=None)

    def run_metrics(self) -> list[dict[str, list[float]]] | None:
        """The lists that results files hold, one table per run; None if unfinished episodes count nothing.

        If an episode failed, the game's own metrics are left out: nobody knows what they would have been.
        """
        complete, worst = bool(self.finished.all()), self.failed_return
        if not complete and worst is None:
            return None
        returns = self.returns if worst is None else np.where(self.finished[..., None], self.returns, worst)
        evaluated = Evaluated(returns, self.optimal, self.metrics if complete else {}, [], None)
        failed = (~self.finished).sum(axis=1)
        return [evaluated.as_metrics(k) | {FAILED: [float(failed[k])]} for k in range(len(self.finished))]
