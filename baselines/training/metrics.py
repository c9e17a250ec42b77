"""Metrics of training: to CSV, one row per update and run, and to trackers, over runs."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from baselines.training.trackers import Tracker


class MetricsLog:
    """Writes `metrics.csv` of a run directory, and tells trackers.

    Args:
        directory: the run directory.
        seeds: one seed per run, (K,).
        trackers: get the means over runs; closed with this.
        keep_until: on resuming, rows of later steps are dropped.
    """

    def __init__(
        self, directory: Path, seeds: tuple[int, ...], trackers: Sequence[Tracker] = (), keep_until: int = -1
    ) -> None:
        self.path = directory / "metrics.csv"
        self.seeds = seeds
        self._columns: list[str] = []
        if self.path.is_file():
            self._drop_after(keep_until)
        self._trackers = trackers

    def write(self, step: int, elapsed: float, metrics: dict[str, Tensor]) -> None:
        """Append the metrics of one update.

        Args:
            step: environment steps per run so far.
            elapsed: seconds of training so far.
            metrics: named values, each (K,).
        """
        table = {name: value.tolist() for name, value in metrics.items()}
        columns = ["step", "elapsed", "seed", *table]
        fresh = not self.path.is_file()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(columns)
            for k, seed in enumerate(self.seeds):
                numbers = (f"{values[k]:.6g}" for values in table.values())
                writer.writerow([step, f"{elapsed:.3f}", seed, *numbers])
        finite = {name: value[torch.isfinite(value)] for name, value in metrics.items()}
        self.track(
            step, {f"{name}/mean": float(value.mean()) for name, value in finite.items() if len(value)}
        )

    def track(self, step: int, values: Mapping[str, float]) -> None:
        """Tell the trackers alone: what is said of evaluations, which have a file of their own."""
        for tracker in self._trackers:
            tracker.write(step, values)

    def close(self) -> None:
        """Flush everything."""
        for tracker in self._trackers:
            tracker.close()

    def _drop_after(self, step: int) -> None:
        with self.path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        with self.path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *(row for row in rows if int(row[0]) <= step)])
