"""Training metrics to CSV, one row per update and run, and to TensorBoard, over runs."""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter


class MetricsLog:
    """Writes `metrics.csv` and `tensorboard/` of a run directory.

    Args:
        directory: the run directory.
        seeds: one seed per run, (K,).
        keep_until: on resuming, rows of later steps are dropped.
    """

    def __init__(self, directory: Path, seeds: tuple[int, ...], keep_until: int = -1) -> None:
        self.path = directory / "metrics.csv"
        self.seeds = seeds
        self._columns: list[str] = []
        if self.path.is_file():
            self._drop_after(keep_until)
        self._writer = SummaryWriter(str(directory / "tensorboard"), purge_step=keep_until + 1)

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
        for name, value in metrics.items():
            finite = value[torch.isfinite(value)]
            if len(finite):
                self._writer.add_scalar(f"{name}/mean", float(finite.mean()), step)

    def close(self) -> None:
        """Flush everything."""
        self._writer.close()

    def _drop_after(self, step: int) -> None:
        with self.path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        with self.path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *(row for row in rows if int(row[0]) <= step)])
