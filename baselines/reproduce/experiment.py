"""What an experiment is: cells of a task, a label and a plan, and what is measured in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import networkx as nx

from baselines.runs.plan import RunPlan, make_plan
from stmg_envs.errors import UnknownNameError


@dataclass(frozen=True)
class Row:
    """Somebody on one task.

    Attributes:
        task: task name in results files.
        label: name of who plays it, in results files.
    """

    task: str
    label: str

    @property
    def key(self) -> str:
        """Its name in manifests."""
        return f"{self.task} / {self.label}"


@dataclass(frozen=True)
class Cell(Row):
    """One algorithm on one task.

    Attributes:
        algorithm: registry name.
        env_id: environment id.
        env_args: arguments of the game.
        runs: number of seeds if nobody asks otherwise.
        priority: agent names in order of decision, or the game's default.
        config: explicit fields of the configuration.
        first_seed: the seeds are this one and those after it.
    """

    algorithm: str
    env_id: str
    env_args: dict[str, Any]
    runs: int
    priority: tuple[str, ...] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    first_seed: int = 0

    def seeds(self, runs: int | None = None) -> range:
        """The seeds of so many runs; the cell's own number by default."""
        return range(self.first_seed, self.first_seed + (runs or self.runs))

    def plan(self, seeds: Sequence[int], device: str) -> RunPlan:
        """The plan of some of its seeds."""
        return make_plan(
            self.algorithm,
            self.env_id,
            seeds=seeds,
            env_args=self.env_args,
            device=device,
            priority=self.priority,
            config=self.config,
        )


@dataclass(frozen=True)
class PlayerCell(Row):
    """Somebody who learns nothing on one task; the label is a name in `baselines.reproduce.players.PLAYERS`.

    Attributes:
        env_id: environment id.
        env_args: arguments of the game.
        instances: episodes that are played, with seeds 0, 1, ...
    """

    env_id: str
    env_args: dict[str, Any]
    instances: int


AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True)
class Measure:
    """What a page shows of the final greedy policies, for the tasks that have it.

    Attributes:
        metric: its name in results files.
        title: heading of its table.
        meaning: what one run contributes.
        of_runs: whether a run either has it or not, so that what counts is the share of runs.
        published: the name of the published number to set beside it.
        share: whether it is a share in every run; its interval then ends at 0 and 1.
        among: the metric that is 1 in the episodes that count. Those of all runs are then one sample, of
            which the page shows mean and deviation, as papers do that have few instances.
    """

    metric: str
    title: str
    meaning: str
    of_runs: bool = False
    published: str | None = None
    share: bool = False
    among: str | None = None


OPTIMAL = Measure("optimal", "Share of runs at the optimum, percent", "the final greedy policy", True, "rate")
RETURN = Measure("return", "Return", "return (mean over agents, undiscounted)", published="return")


@dataclass(frozen=True)
class Experiment:
    """A table of cells.

    Attributes:
        name: names its folder under docs/results.
        title: what it shows, for people.
        cells: all of its cells, row by row.
        published: published numbers, task -> label -> {"return": ..., "rate": ...}. A label without a cell
            has a row of its own.
        measures: what the page shows, a table each; the curves are of a task's first.
        players: who plays beside those that learn.
    """

    name: str
    title: str
    cells: tuple[Cell, ...]
    published: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    measures: tuple[Measure, ...] = (OPTIMAL, RETURN)
    players: tuple[PlayerCell, ...] = ()

    @property
    def task_groups(self) -> tuple[tuple[str, ...], ...]:
        """The tasks, those together that labels have in common; groups share no label."""
        rows = (*self.cells, *self.players)
        graph = nx.Graph((("label", row.label), ("task", row.task)) for row in rows)
        tasks = list(dict.fromkeys(row.task for row in rows))
        groups = {
            tuple(task for task in tasks if ("task", task) in component)
            for component in nx.connected_components(graph)
        }
        return tuple(sorted(groups, key=lambda group: tasks.index(group[0])))

    def select(self, labels: Sequence[str], tasks: Sequence[str]) -> tuple[Cell, ...]:
        """The cells of some labels and tasks; all of them for empty lists.

        Raises:
            UnknownNameError: for a label or task that the experiment does not have.
        """
        return self._select(self.cells, labels, tasks)

    def select_players(self, labels: Sequence[str], tasks: Sequence[str]) -> tuple[PlayerCell, ...]:
        """The players of some labels and tasks; all of them for empty lists.

        Raises:
            UnknownNameError: for a label or task that the experiment does not have.
        """
        return self._select(self.players, labels, tasks)

    def _select(
        self, rows: Sequence[AnyRow], labels: Sequence[str], tasks: Sequence[str]
    ) -> tuple[AnyRow, ...]:
        every: tuple[Row, ...] = (*self.cells, *self.players)
        for kind, chosen, known in (
            ("algorithm", labels, dict.fromkeys(row.label for row in every)),
            ("game", tasks, dict.fromkeys(row.task for row in every)),
        ):
            for name in chosen:
                if name not in known:
                    raise UnknownNameError(
                        f"{kind}={name!r} is not in {self.name}; expected one of {list(known)}"
                    )
        return tuple(
            row for row in rows if (not labels or row.label in labels) and (not tasks or row.task in tasks)
        )
