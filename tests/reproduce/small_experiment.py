"""An experiment that takes seconds, and what watches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from small import SIZES

from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import Cell, Experiment
from baselines.reproduce.run import run_cells
from baselines.runs.trainer import Progress

SHORT: dict[str, Any] = {"total_steps": 200, "eval_interval": 100}
SMALL_STEER, SMALL_MAPPO = SHORT | SIZES["steer"], SHORT | SIZES["mappo"]
PENALTY = Cell("penalty(k=0)", "steer", "steer", "stmg/Penalty-v0", {"k": 0}, 3, config=SMALL_STEER)
MIXING = Cell("mixing", "mappo", "mappo", "stmg/Mixing-v0", {}, 2, config=SMALL_MAPPO)
PUBLISHED = {"penalty(k=0)": {"steer": {"return": 10.0, "rate": 100.0}}}
SMALL = Experiment("small", "A small experiment", (PENALTY, MIXING), PUBLISHED)


class Titles:
    """Remembers what was trained."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.seen: list[str] = []
        self.stop_at = stop_at

    @contextmanager
    def watching(self, title: str) -> Iterator[Callable[[Progress], None]]:
        self.seen.append(title)
        if self.stop_at is not None and self.stop_at in title:
            raise KeyboardInterrupt
        yield lambda progress: None


def run(
    tmp_path: Path, titles: Titles, cells: tuple[Cell, ...] = SMALL.cells, runs: int | None = None
) -> Archive:
    archive = Archive(tmp_path / "results")
    run_cells(cells, archive, tmp_path / "work", titles.watching, runs, "cpu")
    return archive
