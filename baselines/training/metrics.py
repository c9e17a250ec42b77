"""Metrics of training: to CSV, one row per update and run, and to trackers, over runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from baselines.errors import RunDirectoryError
from baselines.storage import AppendLog, read_bytes, write_text
from baselines.training.trackers import Tracker


class MetricsLog:
    """Writes `metrics.csv` of a run directory, and tells trackers.

    Args:
        directory: the run directory.
        seeds: one seed per run, (K,).
        trackers: get the means over runs; closed with this.
        keep_until: on resuming, rows of later steps are dropped, and what a crash tore.

    Raises:
        RunDirectoryError: if the file that is there holds something else.
    """

    def __init__(
        self, directory: Path, seeds: tuple[int, ...], trackers: Sequence[Tracker] = (), keep_until: int = -1
    ) -> None:
        self.path = directory / "metrics.csv"
        self.seeds = seeds
        self._drop_after(keep_until)
        # Made by the first row: without the file nothing has been trained.
        self._log: AppendLog | None = None
        self._trackers = trackers

    def write(self, step: int, elapsed: float, metrics: dict[str, Tensor]) -> None:
        """Append the metrics of one update.

        Args:
            step: environment steps per run so far.
            elapsed: seconds of training so far.
            metrics: named values, each (K,).
        """
        table = {name: value.tolist() for name, value in metrics.items()}
        if self._log is None:
            self._log = AppendLog(self.path)
        rows = [["step", "elapsed", "seed", *table]] if self._log.empty else []
        for k, seed in enumerate(self.seeds):
            numbers = (f"{values[k]:.6g}" for values in table.values())
            rows.append([str(step), f"{elapsed:.3f}", str(seed), *numbers])
        self._log.append(_csv(rows))
        finite = {name: value[torch.isfinite(value)] for name, value in metrics.items()}
        self.track(
            step, {f"{name}/mean": float(value.mean()) for name, value in finite.items() if len(value)}
        )

    def track(self, step: int, values: Mapping[str, float]) -> None:
        """Tell the trackers alone: what is said of evaluations, which have a file of their own."""
        for tracker in self._trackers:
            tracker.write(step, values)

    def sync(self) -> None:
        """Have the rows so far on the disk: before a checkpoint says that their updates are done."""
        if self._log is not None:
            self._log.sync()

    def close(self) -> None:
        """Flush everything."""
        if self._log is not None:
            self._log.close()
        for tracker in self._trackers:
            tracker.close()

    def _drop_after(self, step: int) -> None:
        """Keep the header and whole rows up to a step."""
        if not self.path.is_file():
            return
        lines = read_lines(self.path)
        if lines and lines[0][0] != "step":
            raise RunDirectoryError(
                f"{self.path} begins with {lines[0][0]!r}, not with the column step of training's metrics; "
                f"restore it, or move it away, and a new one is begun"
            )
        kept = [row for row in lines[1:] if _whole(row, len(lines[0])) and float(row[0]) <= step]
        write_text(self.path, _csv([*lines[:1], *kept]))


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def read_lines(path: Path) -> list[list[str]]:
    """The lines of a CSV file but for empty ones.

    A line without an end is still being written, or was torn; zeros are what some file systems leave of one.
    """
    text = read_bytes(path).decode("utf-8-sig", errors="replace")
    lines = text[: text.rfind("\n") + 1].splitlines()
    return [row for row in csv.reader(line for line in lines if "\0" not in line) if row]


def _whole(row: list[str], columns: int) -> bool:
    """Whether a row has a number in every column."""
    try:
        return len([float(cell) for cell in row]) == columns
    except ValueError:
        return False
