"""What people say of results: a template whose numbers come from the archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from baselines.errors import ResultsError
from baselines.reproduce import words
from baselines.reproduce.archive import Archive
from baselines.reproduce.cell_results import CellResults
from baselines.reproduce.experiment import Cell, Experiment
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.player_results import PlayerResults
from baselines.reproduce.plays import Plays
from baselines.reproduce.tuning import Tried, rank_settings, settings
from stmg_envs.errors import UnknownNameError

NOTES = "notes.md"
"""The template in an experiment's folder."""


@dataclass(frozen=True)
class Results:
    """An experiment with its results, as templates see it.

    Attributes:
        experiment: its cells.
        archive: their results.
    """

    experiment: Experiment
    archive: Archive

    @property
    def task_groups(self) -> tuple[tuple[str, ...], ...]:
        """The tasks, those together that labels have in common."""
        return self.experiment.task_groups

    @property
    def algorithms(self) -> list[str]:
        """Registry names of its algorithms."""
        return list(dict.fromkeys(cell.algorithm for cell in self.experiment.cells))

    def labels(self, task: str) -> list[str]:
        """The labels that have results on a task."""
        cells = self.experiment.cells
        return [cell.label for cell in cells if cell.task == task and self.archive.runs(cell)]

    def has(self, task: str, label: str) -> bool:
        """Whether a cell has results."""
        return bool(self.archive.runs(self._find(task, label)))

    def cell(self, task: str, label: str) -> CellResults:
        """A cell.

        Raises:
            UnknownNameError: if the experiment does not have it.
            ResultsError: if it has no results.
        """
        cell = self._find(task, label)
        if not self.archive.runs(cell):
            raise ResultsError(
                f"{self.archive.folder / NOTES} speaks of {cell.key}, which has no results; run it first"
            )
        return CellResults(cell, self.archive)

    def cells(self, task: str, labels: list[str]) -> list[CellResults]:
        """Several cells of a task."""
        return [self.cell(task, label) for label in labels]

    def player(self, task: str, label: str) -> PlayerResults:
        """A player that learns nothing.

        Raises:
            UnknownNameError: if the experiment does not have it.
            ResultsError: if it has not played.
        """
        plays = Plays(self.archive.folder)
        for cell in self.experiment.players:
            if (cell.task, cell.label) == (task, label):
                if plays.has(cell):
                    return PlayerResults(cell, plays)
                raise ResultsError(
                    f"{self.archive.folder / NOTES} speaks of {label} on {task}, who has not played; "
                    "run it first"
                )
        raise UnknownNameError(f"player={f'{task} / {label}'!r} is not in {self.experiment.name}")

    def means(self, cells: list[CellResults], metric: str = "return") -> list[float]:
        """The mean of a metric over the final policies of each of some cells."""
        return [cell.mean(metric) for cell in cells]

    def tried(self, tasks: tuple[str, ...], algorithm: str) -> int:
        """How many settings of an algorithm the experiment tries on some tasks."""
        return len(settings(self.experiment.cells, tasks, algorithm))

    def ranking(self, tasks: tuple[str, ...], algorithm: str) -> list[Tried]:
        """The settings of an algorithm whose results on some tasks are all there, best first."""
        return rank_settings(settings(self.experiment.cells, tasks, algorithm), self.archive)

    def presets_are_best(self, tasks: tuple[str, ...]) -> bool | None:
        """Whether every algorithm's preset is among its best settings; None while that may still change.

        Of an algorithm whose preset has all its runs at the optimum no other setting can do better.
        """
        rankings = {algorithm: self.ranking(tasks, algorithm) for algorithm in self.algorithms}
        if any(not self.searched(tasks, algorithm) for algorithm in rankings):
            return None
        return all(
            any(tried.in_force and tried.optima == ranking[0].optima for tried in ranking)
            for ranking in rankings.values()
        )

    def searched(self, tasks: tuple[str, ...], algorithm: str) -> bool:
        """Whether all settings of an algorithm were tried, or its preset leaves nothing to be found."""
        ranking = self.ranking(tasks, algorithm)
        whole = len(ranking) == self.tried(tasks, algorithm)
        return whole or any(tried.in_force and tried.optima == tried.runs for tried in ranking)

    @property
    def published(self) -> dict[str, dict[str, dict[str, float]]]:
        """Published numbers, by task and label."""
        return self.experiment.published

    def results_of(self, name: str) -> Results:
        """Another experiment, whose folder is beside this one."""
        return Results(EXPERIMENTS[name](), Archive(self.archive.folder.parent / name))

    def require(self, holds: bool, claim: str) -> None:
        """Guard words that no number stands in.

        Raises:
            ResultsError: if what the words claim is not so.
        """
        if not holds:
            raise ResultsError(
                f"{self.archive.folder / NOTES} claims that {claim}, which is not so: rewrite its words"
            )

    def _find(self, task: str, label: str) -> Cell:
        for cell in self.experiment.cells:
            if (cell.task, cell.label) == (task, label):
                return cell
        raise UnknownNameError(f"cell={f'{task} / {label}'!r} is not in {self.experiment.name}")


FILTERS = {word.__name__: word for word in (words.listed, words.percent, words.spread, words.thousands)}
VOCABULARY = tuple(name for name in dir(Results) if not name.startswith("_"))
"""What templates know of `Results`."""


def render_notes(experiment: Experiment, archive: Archive) -> str:
    """The notes in an archive's folder with their numbers filled in; nothing if there are none."""
    path: Path = archive.folder / NOTES
    if not path.is_file():
        return ""
    # A page is Markdown, not HTML.
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    environment.filters.update(FILTERS)
    results = Results(experiment, archive)
    template = environment.from_string(path.read_text(encoding="utf-8"))
    return template.render({name: getattr(results, name) for name in VOCABULARY}).strip()
