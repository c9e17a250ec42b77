"""Files of others with one thing wrong: run directories, results files, manifests, tables."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from baselines.evaluation.play_tables import joint_plays
from baselines.evaluation.report_inputs import read_run
from baselines.evaluation.results import ResultsFile, read_absolute_metrics
from baselines.leaderboard.board import make_board
from baselines.leaderboard.entries import read_entries
from baselines.reproduce.archive import Archive
from baselines.runs.directory import RunDirectory
from baselines.training.metrics import MetricsLog
from fuzz import originals
from fuzz.judge import Case, Kind
from fuzz.mutations import Place, Rng, pick, spoiled_bytes, spoiled_json

Spoil = Callable[[Rng, bytes], tuple[str, bytes]]


def of_file(original: Callable[[], Path], name: str, spoil: Spoil, read: Callable[[Path], Any]) -> Kind:
    """Cases of one file of a folder.

    Args:
        original: the folder.
        name: the file.
        spoil: changes its bytes.
        read: what is made of the folder; it may only write into it.
    """

    @functools.cache
    def expected() -> Any:
        return read(originals.copy_of(original(), originals.folder() / f"read-{name}-{read.__name__}"))

    def kind(rng: Rng, folder: Path) -> Case:
        copy = originals.copy_of(original(), folder / "copy")
        change, data = spoil(rng, (copy / name).read_bytes())
        (copy / name).write_bytes(data)
        return Case(f"{name}: {change}", lambda: read(copy), expected())

    return kind


def json_without(may_miss: Callable[[Place], bool]) -> Spoil:
    """Changes of JSON; what a file may lack is not left out."""
    return lambda rng, data: spoiled_json(rng, json.loads(data), may_miss)


def plain(value: Any) -> Any:
    """What can be compared with `==`."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


# --- run directories ---


def plan_and_task(run: Path) -> Any:
    return RunDirectory(run).plan().as_dict(), read_run(run).task, RunDirectory(run).going_on()[:12]


def evaluations(run: Path) -> Any:
    inputs = read_run(run)
    last = int(inputs.evaluations.steps[-1])
    kept = ResultsFile(run / "results.json", inputs.task, "mappo", (0, 1), last)
    absolute = [read_absolute_metrics(run / "results.json", inputs.task, "mappo", seed) for seed in (0, 1)]
    numbers = plain(inputs.evaluations)
    # A run of an older version may not say how long it took.
    del numbers["elapsed"]
    return numbers, kept.curve("return").tolist(), absolute


def played(run: Path) -> Any:
    inputs = read_run(run)
    assert inputs.plays is not None
    return joint_plays(inputs.game, inputs.plays), plain(inputs.plays)


def metrics(run: Path) -> Any:
    columns = plain(read_run(run).metrics)
    log = MetricsLog(run, (0, 1), keep_until=10**6)
    log.close()
    return columns, log.path.read_text(encoding="utf-8")


def spoiled_table(rng: Rng, data: bytes) -> tuple[str, bytes]:
    """A CSV file with one thing wrong; what a crash leaves, rows that are missing, is not wrong."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    row, column = int(rng.integers(len(rows))), int(rng.integers(3))
    what = int(rng.integers(4))
    if what == 0:
        change, cut = spoiled_bytes(rng, data)
        # Torn ends and zeros are what crashes leave; they are left out.
        torn = change.startswith(("cut", "a zero"))
        return ("nothing but commas", b",,,\n,,,\n") if torn else (change, cut)
    if what == 1:
        del rows[row][column]
        change = f"row {row} without column {column}"
    elif what == 2:
        rows[row].insert(column, "1")
        change = f"row {row} with one more column {column}"
    else:
        wrong = pick(rng, ("nonsense", "", "nan", "inf", "-1", "1e400", "9" * 400, "0x10", "1_000", "\u0663"))
        rows[row][column] = wrong
        change = f"row {row}, column {column} is {wrong[:20]!r}"
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return change, text.getvalue().encode()


def may_miss_in_manifest(place: Place) -> bool:
    # Older versions did not have every field, and some machines do not know everything.
    needed = ("algorithm", "env_id", "seeds", "config")
    return (place[0] == "config" and len(place) > 1) or place[0] not in needed


# --- published results ---


def board(folder: Path) -> Any:
    entries, _ = read_entries([folder / "results.json"])
    return [(entry.algorithm, entry.task.name, entry.final["return"].tolist()) for entry in entries], [
        (row.mean_return.estimate.tolist(), row.runs)
        for task in make_board(entries).tasks
        for row in task.rows
    ]


def cells(folder: Path) -> Any:
    entries, _ = read_entries([folder / "results.json"])
    archive = Archive(folder)
    cell = originals.CELL
    plan = archive.plan(cell, [0, 1], "cpu").as_dict() if archive.runs(cell) else None
    return [entry.kind for entry in entries], plan, sorted(archive.runs(cell))


def may_miss_in_archive(place: Place) -> bool:
    # A cell or a run that is in one of the two files alone is not there.
    # A recipe's arguments are the task's own where it has a name of its own.
    named = "config" in place[:-1] or "env_args" in place[:-1]
    return len(place) < 3 or named or (place[1] == "blocks" and place[-1] != "seeds")


def no_time(place: Place) -> bool:
    return place[-1] == "elapsed_time"


def no_time_or_run(place: Place) -> bool:
    # A published file may have any of the runs.
    return no_time(place) or len(place) == 4


FILES: dict[str, Kind] = {
    "run manifest": of_file(originals.run, "run.json", json_without(may_miss_in_manifest), plan_and_task),
    "run results": of_file(originals.run, "results.json", json_without(no_time), evaluations),
    "run plays": of_file(originals.run, "plays.json", json_without(lambda place: False), played),
    "run metrics": of_file(originals.run, "metrics.csv", spoiled_table, metrics),
    "results file": of_file(originals.archive, "results.json", json_without(no_time_or_run), board),
    "archive manifest": of_file(originals.archive, "manifest.json", json_without(may_miss_in_archive), cells),
}
