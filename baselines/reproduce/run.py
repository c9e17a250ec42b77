"""Run an experiment: whatever is missing, block of seeds by block of seeds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from baselines.evaluation.names import file_name
from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import Cell
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan
from baselines.runs.trainer import Progress, Trainer

BLOCK = 50
"""Seeds trained together on a CPU; the unit that is kept when an experiment is stopped for good."""

Watching = Callable[[str], AbstractContextManager[Callable[[Progress], None]]]
"""Opens a display of progress under a title."""


def run_cells(
    cells: Sequence[Cell], archive: Archive, work: Path, watching: Watching, runs: int | None, device: str
) -> None:
    """Train what the archive lacks; finished blocks are kept, an interrupted one is resumed.

    Args:
        cells: what to run.
        archive: where results go.
        work: folder for run directories.
        watching: opens a display of progress.
        runs: seeds per cell, or each cell's own number.
        device: "cpu", "cuda", ...
    """
    for index, cell in enumerate(cells, start=1):
        plan = cell.plan(cell.seeds(runs), device)
        archive.read()
        for seeds in _blocks(archive.missing(cell, plan), device):
            block = cell.plan(seeds, device)
            title = f"[{index}/{len(cells)}] {cell.label} on {cell.task}, seeds {seeds[0]}-{seeds[-1]}"
            with watching(title) as watch:
                directory = train(block, work / _folder(cell) / f"seeds-{seeds[0]}-{seeds[-1]}", watch)
            archive.add(cell, directory)


def train(plan: RunPlan, path: Path, watch: Callable[[Progress], None]) -> RunDirectory:
    """Train a block, or go on with it where an interrupted one stopped."""
    directory = next(
        directory
        for directory in map(RunDirectory, _candidates(path))
        if not directory.path.exists() or _goes_on(directory, plan)
    )
    resume = directory.path.exists()
    if not resume:
        directory.create(plan)
    Trainer(plan, directory, resume).run(watch)
    return directory


def _goes_on(directory: RunDirectory, plan: RunPlan) -> bool:
    """Whether a directory holds the beginning of a plan, and not what other settings made."""
    whole = directory.manifest.is_file() and (directory.checkpoint.is_file() or not directory.begun)
    return whole and directory.differing(plan) is None


def _candidates(path: Path) -> Iterator[Path]:
    """The path, path-2, path-3, ..."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.name}-{number}")


def _blocks(seeds: Sequence[int], device: str) -> Iterator[list[int]]:
    """Seeds that are trained together; an accelerator takes all of them."""
    size = BLOCK if device == "cpu" else max(1, len(seeds))
    for start in range(0, len(seeds), size):
        yield list(seeds[start : start + size])


def _folder(cell: Cell) -> str:
    return file_name(f"{cell.label}-{cell.task}")
