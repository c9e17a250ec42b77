"""Runs beside each other: one line for each, and what two or more of them differ in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.errors import RunDirectoryError
from baselines.evaluation.comparison import interval_text, outcome_interval
from baselines.evaluation.final_table import MAIN_METRICS, last_metrics
from baselines.evaluation.numbers import duration, percent, ranges
from baselines.evaluation.report_inputs import Manifest, ReportInputs, read_run
from baselines.evaluation.statistics import metric_interval
from stmg_envs.errors import STMGError

MISSING = "-"
SECTIONS = ("config", "env_args", "versions")
"""Entries of a manifest that hold fields of their own."""
INCIDENTAL = ("command",)
"""Entries of a manifest that say nothing which the others do not."""


@dataclass(frozen=True)
class RunLine:
    """One run in a list of runs, in words.

    Attributes:
        path: the run directory.
        algorithm: registry name.
        task: task name.
        seeds: "0-9".
        done: how far it has come, "100 %".
        time: seconds of training at the last evaluation, "6 min 32 s".
        results: of the main metrics that the game has, mean over runs with its interval.
        problem: why the run cannot be read; empty if it can.
    """

    path: Path
    algorithm: str = ""
    task: str = ""
    seeds: str = ""
    done: str = ""
    time: str = ""
    results: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def list_runs(folder: Path) -> list[RunLine]:
    """The runs below a folder, by path; one that cannot be read is listed with the reason.

    Raises:
        RunDirectoryError: if there is no such folder.
    """
    if not folder.is_dir():
        raise RunDirectoryError(
            f"{str(folder)!r} does not exist; expected a folder of runs, such as the one of stmg train --out"
        )
    return [_line(path.parent) for path in sorted(folder.rglob("run.json"))]


def _line(directory: Path) -> RunLine:
    try:
        run = read_run(directory)
        metrics = last_metrics(run.evaluations)
        return RunLine(
            directory,
            run.manifest.algorithm,
            run.task,
            ranges(run.manifest.seeds),
            percent(_share_done(run)),
            duration(run.evaluations.elapsed),
            {name: _interval_of(name, metrics[name]) for name in MAIN_METRICS if name in metrics},
        )
    except STMGError as error:
        return RunLine(directory, problem=str(error))


def _share_done(run: ReportInputs) -> float:
    if run.evaluations.final is not None:
        return 1.0
    last = max(run.metrics["step"], default=0.0) if run.metrics else 0.0
    planned = run.manifest.config.get("total_steps")
    return min(1.0, float(last) / planned) if isinstance(planned, int) and planned > 0 else math.nan


@dataclass(frozen=True)
class Contrast:
    """Runs side by side, all as text, one column per run.

    Attributes:
        settings: name -> its value in every run, of what is not the same in all of them.
        metrics: metric -> mean over seeds with its interval in every run.
    """

    settings: dict[str, tuple[str, ...]]
    metrics: dict[str, tuple[str, ...]]


def contrast(directories: Sequence[Path]) -> Contrast:
    """What runs differ in, and what came of it.

    Args:
        directories: run directories.

    Raises:
        RunDirectoryError, InvalidArgumentError: if one cannot be read.
    """
    runs = [read_run(directory) for directory in directories]
    settings = _rows([{name: _plain(value) for name, value in _flat(run.manifest).items()} for run in runs])
    results = [last_metrics(run.evaluations) for run in runs]
    return Contrast(
        {name: cells for name, cells in settings.items() if len(set(cells)) > 1},
        _rows([{name: _interval_of(name, values) for name, values in found.items()} for found in results]),
    )


def _rows(columns: Sequence[dict[str, str]]) -> dict[str, tuple[str, ...]]:
    """Every name that one of the columns has, with its cell in each of them."""
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: tuple(column.get(name, MISSING) for column in columns) for name in names}


def _flat(manifest: Manifest) -> dict[str, Any]:
    entries = {name: value for name, value in asdict(manifest).items() if name not in INCIDENTAL}
    inner = {
        f"{section}.{name}": value for section in SECTIONS for name, value in entries.pop(section).items()
    }
    return entries | inner


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _interval_of(name: str, values: NDArray[np.float64]) -> str:
    return interval_text(
        outcome_interval(name, values) if name == "optimal" else metric_interval(name, values)
    )
