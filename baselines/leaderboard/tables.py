"""The site's tables as files: the same rows as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import SupportsFloat

from baselines.evaluation.statistics import Interval
from baselines.leaderboard.board import Board, SuiteBoard, TaskBoard, TaskRow
from baselines.storage import write_text

Row = dict[str, str | int | float | None]
"""Names of columns with a row's cells; what is unknown is None, empty in CSV."""


def write_table(stem: Path, rows: Sequence[Row]) -> None:
    """Write rows as `stem.csv` and `stem.json`; a column is there if any row has it."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(stem.with_name(f"{stem.name}.csv"), text.getvalue())
    whole = [{name: row.get(name) for name in columns} for row in rows]
    write_text(stem.with_name(f"{stem.name}.json"), json.dumps(whole, indent=1) + "\n")


def result_rows(board: Board) -> list[Row]:
    """All results, a row for each algorithm on each task."""
    return [_result(row) for task in board.tasks for row in task.rows]


def task_rows(board: TaskBoard) -> list[Row]:
    """The results on a task."""
    return [_result(row) for row in board.rows]


def run_rows(board: TaskBoard) -> list[Row]:
    """The runs on a task, with the metrics of each."""
    rows: list[Row] = []
    for row in board.rows:
        entry = row.entry
        for index, run in enumerate(entry.runs):
            cells: Row = {
                "algorithm": entry.algorithm,
                "source": entry.source,
                "kind": entry.kind,
                "run": run,
            }
            cells |= {name: _number(values[index]) for name, values in entry.final.items()}
            rows.append(cells | {"score": _number(entry.scores[index])})
    return rows


def suite_rows(board: SuiteBoard) -> list[Row]:
    """The aggregates of a suite."""
    rows: list[Row] = []
    for row in board.rows:
        cells: Row = {"algorithm": row.algorithm, "source": row.source, "kind": row.kind, "runs": row.runs}
        for name, interval in row.aggregates.items():
            cells |= _cells(name, interval)
        rows.append(cells)
    return rows


def comparison_rows(board: SuiteBoard) -> list[Row]:
    """How probable it is that one algorithm of a suite improves on another."""
    rows: list[Row] = []
    for row, intervals in zip(board.rows, board.comparisons, strict=True):
        for other, interval in zip(board.rows, intervals, strict=True):
            if interval is not None:
                cells: Row = {"algorithm": row.algorithm, "source": row.source}
                cells |= {"than_algorithm": other.algorithm, "than_source": other.source}
                rows.append(cells | _cells("probability", interval))
    return rows


def _result(row: TaskRow) -> Row:
    entry = row.entry
    cells: Row = {
        "algorithm": entry.algorithm,
        "source": entry.source,
        "kind": entry.kind,
        "task": entry.task.name,
        "family": entry.task.family,
        "runs": row.runs,
        "episodes": entry.evaluations.final_episodes,
    }
    cells |= _cells("return", row.mean_return)
    for name, interval in row.aggregates.items():
        cells |= _cells(f"score_{name}", interval)
    if row.optimal is not None:
        cells |= _cells("optimal", row.optimal)
    for name, interval in row.metrics.items():
        cells |= _cells(name, interval)
    return cells


def _cells(name: str, interval: Interval) -> Row:
    ends = {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {column: _number(value) for column, value in ends.items()}


def _number(value: SupportsFloat) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
