"""Which settings did best over the tasks that they were tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from baselines.reproduce.archive import Archive
from baselines.reproduce.cell_results import CellResults
from baselines.reproduce.experiment import OPTIMAL, Cell


@dataclass(frozen=True)
class Tried:
    """A setting of an algorithm that was tried on all tasks of a budget.

    Attributes:
        setting: its name.
        optima: runs at the optimum, of all tasks together.
        runs: runs of all tasks together.
        along: share of all evaluations during training at which a run is at the optimum, the mean over tasks.
        in_force: whether the algorithm's presets are this setting today.
    """

    setting: str
    optima: int
    runs: int
    along: float
    in_force: bool


def settings(cells: Sequence[Cell], tasks: Sequence[str], algorithm: str) -> dict[str, list[Cell]]:
    """The settings that an experiment tries of an algorithm on some tasks, with their cells."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.algorithm == algorithm and cell.task in tasks:
            found.setdefault(cell.label.removeprefix(f"{algorithm}: "), []).append(cell)
    return found


def rank_settings(tried: dict[str, list[Cell]], archive: Archive) -> list[Tried]:
    """Those settings whose cells are all there, best first: by optima, then by how soon they come there."""
    found = [
        Tried(
            setting,
            sum(CellResults(cell, archive).optima for cell in cells),
            sum(CellResults(cell, archive).runs for cell in cells),
            fmean(fmean(CellResults(cell, archive).curve(OPTIMAL.metric).values()) for cell in cells),
            all(in_force(cell) for cell in cells),
        )
        for setting, cells in tried.items()
        if all(not archive.missing(cell, cell.plan(cell.seeds(), "cpu")) for cell in cells)
    ]
    return sorted(found, key=lambda tried: (-tried.optima, -tried.along))


def in_force(cell: Cell) -> bool:
    """Whether a cell plays as its algorithm's preset does."""
    preset = replace(cell, config={})
    return cell.plan([0], "cpu").config == preset.plan([0], "cpu").config
