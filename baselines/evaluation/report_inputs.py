"""What a report is made of, read from the files of a run directory."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from baselines.errors import RunDirectoryError
from baselines.evaluation.possible import impossibilities
from baselines.evaluation.results import (
    BOOKKEEPING,
    ENVIRONMENT,
    Checked,
    Runs,
    Stored,
    broken,
    read_checked,
    task_name,
)
from baselines.evaluation.trust import require_trusted
from baselines.training.metrics import read_lines
from stmg_envs.protocol import JointSpaces
from wrappers import game_of

DIGITS = set("0123456789+-.e" + "inf" + "nan")
"""What numbers are written with; Python reads more: other scripts' digits, and 1_000."""
COLUMN = re.compile(r"[\w./:-]+", re.ASCII)

Action = float | list[float]


@dataclass(frozen=True)
class Manifest:
    """`run.json`: what was done, and with what.

    Attributes:
        algorithm: registry name.
        env_id: environment id.
        env_args: arguments of the game.
        seeds: one seed per run, (K,).
        config: the algorithm's configuration.
        device: where everything lived.
        priority: agent names, "random" (per episode), or None for the game's default.
        workers: processes that stepped an engine's environments.
        command: what was called.
        commit: commit of the source tree, or None outside a repository.
        python: version of Python.
        platform: operating system and machine.
        threads: threads of torch.
        versions: package -> version.
    """

    algorithm: str
    env_id: str
    seeds: Annotated[list[int], Field(min_length=1)]
    config: dict[str, Any]
    env_args: dict[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    priority: list[str] | str | None = None
    workers: int = 0
    command: str | None = None
    commit: str | None = None
    python: str | None = None
    platform: str | None = None
    threads: int | None = None
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Play:
    """One greedy episode of one run.

    Attributes:
        actions: joint actions, one list over agents per timestep.
        returns: undiscounted return of each agent, (n,).
    """

    actions: list[list[Action]]
    returns: list[float]


@dataclass(frozen=True, eq=False)
class Evaluations:
    """`results.json` as arrays; every number is the mean over the episodes of one evaluation.

    Attributes:
        steps: environment steps per run at each evaluation, int64 (T,).
        elapsed: seconds of training at the last evaluation.
        curves: metric -> float64 (K, T).
        final: metric -> float64 (K,), of the final policies; None if they were not evaluated.
        final_episodes: greedy episodes per run behind `final`.
    """

    steps: NDArray[np.int64]
    elapsed: float
    curves: dict[str, NDArray[np.float64]]
    final: dict[str, NDArray[np.float64]] | None
    final_episodes: int


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """Everything a report shows.

    Attributes:
        manifest: what was done, and with what.
        task: task name.
        evaluations: greedy evaluations during and after training.
        metrics: columns of `metrics.csv`, name -> float64 (rows,), among them step, elapsed and seed;
            empty before the first update.
        plays: one greedy episode per run, (K,) in the order of the seeds, or None if there are none yet.
        path: the manifest.
        trust: whether a module that it names may be imported.
    """

    manifest: Manifest
    task: str
    evaluations: Evaluations
    metrics: dict[str, NDArray[np.float64]]
    plays: list[Play] | None
    path: Path
    trust: bool = False

    @cached_property
    def game(self) -> JointSpaces:
        """The game that was played, made when it is first asked for, as engines take time or are missing.

        Raises:
            UntrustedError: if its id names a module, and is not trusted.
            STMGError: if it cannot be made, see `wrappers.game_of`.
        """
        require_trusted(self.path, self.manifest.env_id, self.trust)
        return game_of(self.manifest.env_id, **self.manifest.env_args)


def read_run(directory: Path, trust: bool = False) -> ReportInputs:
    """Read a run directory, of a finished run or of one still in progress.

    Args:
        directory: what `stmg train` wrote.
        trust: whether a module that its manifest names may be imported, to make the game.

    Raises:
        RunDirectoryError: if it is no run directory.
        InvalidArgumentError: if one of its files is missing or broken.
    """
    if not (directory / "run.json").is_file():
        raise RunDirectoryError(
            f"{str(directory)!r} is no run directory (it has no run.json); expected one made by stmg train"
        )
    manifest = read_checked(directory / "run.json", Manifest)
    path = directory / "results.json"
    task, names = task_name(manifest.env_id, manifest.env_args), [f"seed_{seed}" for seed in manifest.seeds]
    runs = read_checked(path, Stored).get(ENVIRONMENT, {}).get(task, {}).get(manifest.algorithm, {})
    if sorted(runs) != sorted(names):
        raise broken(
            path,
            f"it has the runs {sorted(runs)} of {manifest.algorithm} on {task}, expected {sorted(names)}",
        )
    for problem in impossibilities(task, runs):
        raise broken(path, problem)
    evaluations = parse_evaluations(path, runs, names)
    plays_path = directory / "plays.json"
    plays = None
    if plays_path.is_file():
        recorded = read_checked(plays_path, dict[str, Play])
        plays = [_entry(plays_path, recorded, f"seed_{seed}") for seed in manifest.seeds]
    metrics_path = directory / "metrics.csv"
    # Before the first update there is only the evaluation of the initial policies.
    fresh = len(evaluations.steps) == 1 and not metrics_path.is_file()
    metrics = {} if fresh else read_metrics(metrics_path)
    if not set(metrics.get("seed", ())) <= set(manifest.seeds):
        raise broken(metrics_path, f"it has seeds that are none of {manifest.seeds}")
    return ReportInputs(manifest, task, evaluations, metrics, plays, directory / "run.json", trust)


def parse_evaluations(path: Path, runs: Runs, names: list[str]) -> Evaluations:
    """The evaluations of all runs as arrays.

    Args:
        path: where they come from, for errors.
        runs: evaluations by run and step.
        names: the runs in their order, (K,).

    Raises:
        InvalidArgumentError: if a run or a metric is missing, or runs were evaluated at different steps.
    """
    entries = []
    for name in names:
        steps = [entry for key, entry in _entry(path, runs, name).items() if key.startswith("step_")]
        entries.append(sorted(steps, key=lambda entry: _mean(path, entry, "step_count")))
    counts = {tuple(_mean(path, entry, "step_count") for entry in run) for run in entries}
    if len(counts) != 1 or not entries[0]:
        raise broken(path, "its runs have no evaluations at the same steps")
    metrics = [name for name in entries[0][0] if name not in BOOKKEEPING]
    curves = {name: np.array([[_mean(path, e, name) for e in run] for run in entries]) for name in metrics}
    elapsed = max(float(np.mean(entry.get("elapsed_time", 0.0))) for entry in entries[0])
    final, episodes = None, 0
    if all("absolute_metrics" in runs[name] for name in names):
        last = [runs[name]["absolute_metrics"] for name in names]
        measured = [name for name in last[0] if name not in BOOKKEEPING]
        final = {name: np.array([_mean(path, entry, name) for entry in last]) for name in measured}
        values = last[0].get("return")
        episodes = len(values) if isinstance(values, list) else 1
    for table in (curves, *([] if final is None else [final])):
        _entry(path, table, "return")
    return Evaluations(np.array(counts.pop(), dtype=np.int64), elapsed, curves, final, episodes)


def read_metrics(path: Path) -> dict[str, NDArray[np.float64]]:
    """Columns of a CSV file of numbers, name -> float64 (rows,).

    Raises:
        InvalidArgumentError: if the file is missing or holds something else.
    """
    try:
        header, *rows = read_lines(path)
        _require_names_and_numbers(header, rows)
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(header))
        columns = dict(zip(header, table.T, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise broken(path, f"{error}; where a crash tore it, stmg train --resume mends it") from None
    for name in ("step", "elapsed", "seed"):
        if not (np.isfinite(_entry(path, columns, name)) & (columns[name] >= 0)).all():
            raise broken(path, f"{name} has a number that is not finite, or below 0")
    return columns


def _require_names_and_numbers(header: list[str], rows: list[list[str]]) -> None:
    strange = set("".join(map("".join, rows))) - DIGITS
    if strange:
        raise ValueError(f"{''.join(sorted(strange))[:20]!r} stands in a number")
    for name in header:
        if not COLUMN.fullmatch(name):
            raise ValueError(f"{name[:40]!r} names no column")
    if len(set(header)) < len(header):
        raise ValueError("two columns have the same name")


def _entry(path: Path, table: dict[str, Checked], name: str) -> Checked:
    if name not in table:
        raise broken(path, f"it has no {name}")
    return table[name]


def _mean(path: Path, entry: dict[str, float | list[float]], name: str) -> float:
    return float(np.mean(_entry(path, entry, name)))
