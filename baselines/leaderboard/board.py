"""The numbers of the leaderboard: each task's results, and each suite's aggregates over its tasks."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from baselines.evaluation.aggregates import (
    Scores,
    aggregate,
    efficiency_curve,
    performance_profile,
    probability_of_improvement,
)
from baselines.evaluation.results import RETURN
from baselines.evaluation.statistics import Interval, mean_interval, metric_interval, rate_interval
from baselines.leaderboard.entries import Entry
from baselines.leaderboard.provenance import Kind
from baselines.leaderboard.suites import Suite, list_suites
from baselines.leaderboard.tasks import Task

FEW_RUNS = 10
"""Rows with fewer runs are marked: their intervals say little."""

OPTIMAL = "optimal"

TRAINING_SHARES = np.linspace(0.0, 1.0, 21)
"""Where sample efficiency is compared: tasks are trained for different numbers of steps."""


@dataclass(frozen=True, eq=False)
class TaskRow:
    """An entry as its task's page shows it.

    Attributes:
        entry: what it is about.
        mean_return: mean over runs, with Student's interval.
        aggregates: of its scores, by name; none without bounds.
        optimal: share of runs at the optimum, with Wilson's interval, if an optimum is known.
        metrics: means over runs of the game's own metrics.
    """

    entry: Entry
    mean_return: Interval
    aggregates: dict[str, Interval]
    optimal: Interval | None
    metrics: dict[str, Interval]

    @property
    def runs(self) -> int:
        return len(self.entry.runs)


@dataclass(frozen=True, eq=False)
class TaskBoard:
    """All results on one task, the best first."""

    task: Task
    rows: tuple[TaskRow, ...]

    @property
    def optimum_known(self) -> bool:
        """Whether any row says how many runs reach it."""
        return any(row.optimal is not None for row in self.rows)

    @property
    def metrics(self) -> list[str]:
        """The game's own metrics that any row has."""
        return list(dict.fromkeys(name for row in self.rows for name in row.metrics))


@dataclass(frozen=True, eq=False)
class SuiteRow:
    """An algorithm that has results on every task of a suite, all from one source.

    Attributes:
        algorithm: its name.
        source: name of its results' folder.
        kind: what it is the result of.
        scores: normalised returns (M, R); R is the least number of runs that a task has, and of tasks with
            more the first R count, so that every task counts the same.
        aggregates: by name.
        profile: share of runs above each threshold.
        efficiency: IQM at each share of the training.
    """

    algorithm: str
    source: str
    kind: Kind
    scores: Scores
    aggregates: dict[str, Interval]
    profile: Interval
    efficiency: Interval

    @property
    def runs(self) -> int:
        return self.scores.shape[1]


@dataclass(frozen=True, eq=False)
class SuiteBoard:
    """The aggregates of a suite.

    Attributes:
        suite: which tasks.
        families: of the tasks.
        rows: the best IQM first.
        comparisons: probability that the row's algorithm improves on the column's, None on the diagonal.
        incomplete: (algorithm, source, kind, number of tasks) of those that have some of the tasks only.
    """

    suite: Suite
    families: tuple[str, ...]
    rows: tuple[SuiteRow, ...]
    comparisons: tuple[tuple[Interval | None, ...], ...]
    incomplete: tuple[tuple[str, str, Kind, int], ...]


@dataclass(frozen=True, eq=False)
class Board:
    """Everything the site shows of numbers."""

    suites: tuple[SuiteBoard, ...]
    tasks: tuple[TaskBoard, ...]


def make_board(entries: Sequence[Entry]) -> Board:
    """Compute the leaderboard; the same entries give the same numbers, whatever others there are."""
    tasks = dict.fromkeys(entry.task for entry in entries)
    boards = (_suite_board(suite, entries) for suite in list_suites())
    return Board(
        suites=tuple(board for board in boards if board.rows or board.incomplete),
        tasks=tuple(_task_board(task, [e for e in entries if e.task == task]) for task in tasks),
    )


def _task_board(task: Task, entries: Sequence[Entry]) -> TaskBoard:
    rows = [_task_row(entry) for entry in entries]
    return TaskBoard(task, tuple(sorted(rows, key=lambda row: (-row.mean_return.estimate, -row.runs))))


def _task_row(entry: Entry) -> TaskRow:
    final = entry.final
    known = entry.task.bounds is not None
    optimal = None
    if OPTIMAL in final:
        optimal = rate_interval(int((final[OPTIMAL] == 1.0).sum()), len(entry.runs))
    return TaskRow(
        entry=entry,
        mean_return=mean_interval(final[RETURN]),
        aggregates=aggregate(entry.scores[None], _seed(entry)) if known else {},
        optimal=optimal,
        metrics={
            name: metric_interval(name, values)
            for name, values in final.items()
            if name not in (RETURN, OPTIMAL)
        },
    )


def _suite_board(suite: Suite, entries: Sequence[Entry]) -> SuiteBoard:
    found: dict[tuple[str, str], dict[str, Entry]] = {}
    for entry in entries:
        if entry.task.name in suite.tasks:
            found.setdefault((entry.algorithm, entry.source), {})[entry.task.name] = entry
    complete = [table for table in found.values() if len(table) == len(suite.tasks)]
    rows = sorted(
        (_suite_row([table[name] for name in suite.tasks]) for table in complete),
        # Among equals those come first whose intervals say something.
        key=lambda row: (
            -row.aggregates["iqm"].estimate,
            row.runs < FEW_RUNS,
            -row.aggregates["mean"].estimate,
        ),
    )
    return SuiteBoard(
        suite=suite,
        families=tuple(dict.fromkeys(e.task.family for table in found.values() for e in table.values())),
        rows=tuple(rows),
        comparisons=tuple(
            tuple(None if a is b else probability_of_improvement(a.scores, b.scores) for b in rows)
            for a in rows
        ),
        incomplete=tuple(
            (algorithm, source, next(iter(table.values())).kind, len(table))
            for (algorithm, source), table in found.items()
            if len(table) < len(suite.tasks)
        ),
    )


def _suite_row(entries: Sequence[Entry]) -> SuiteRow:
    """The row of one algorithm from its entries on all tasks of a suite."""
    runs = min(len(entry.runs) for entry in entries)
    scores = np.stack([entry.scores[:runs] for entry in entries])
    seed = _seed(entries[0])
    return SuiteRow(
        algorithm=entries[0].algorithm,
        source=entries[0].source,
        kind=entries[0].kind,
        scores=scores,
        aggregates=aggregate(scores, seed),
        profile=performance_profile(scores, seed),
        efficiency=efficiency_curve(np.stack([_by_share(entry)[:runs] for entry in entries]), seed),
    )


def _by_share(entry: Entry) -> Scores:
    """Scores during training (R, T) at shares of the training, in between on straight lines."""
    steps = entry.evaluations.steps
    wanted = steps[0] + TRAINING_SHARES * (steps[-1] - steps[0])
    return np.stack([np.interp(wanted, steps, run) for run in entry.curves])


def _seed(entry: Entry) -> int:
    """A seed for the intervals of an entry that no other entry can change."""
    return zlib.crc32(f"{entry.algorithm} {entry.source} {entry.task.name}".encode())
