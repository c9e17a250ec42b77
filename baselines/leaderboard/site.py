"""The leaderboard as a web site: an index and a page per task that need no network and no server."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Template
from markupsafe import Markup, escape

from baselines.evaluation import statistics
from baselines.evaluation.aggregates import REPETITIONS, THRESHOLDS
from baselines.evaluation.html import html_templates
from baselines.evaluation.names import file_name
from baselines.evaluation.numbers import compact, percent
from baselines.evaluation.results import RETURN
from baselines.leaderboard.board import FEW_RUNS, TRAINING_SHARES, Board, SuiteBoard, TaskBoard, make_board
from baselines.leaderboard.charts import Chart, Line, line_chart
from baselines.leaderboard.entries import Picture, find_results, read_entries
from baselines.leaderboard.language_models import language_model_rows, language_model_table
from baselines.leaderboard.tables import (
    Row,
    comparison_rows,
    result_rows,
    run_rows,
    suite_rows,
    task_rows,
    write_table,
)
from baselines.leaderboard.tasks import Task
from baselines.storage import read_bytes, whole_folder, write_bytes, write_text
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.games import BOUNDS_VERSION

STEPS = "environment steps per run"

METRIC_TITLES = {RETURN: "Return of the greedy policies", "optimal": "Runs at the optimum"}

STILLS = (".gif", ".png")
MOST_PICTURE = 2**28
"""Bytes of a film or a still at most."""
INDEX = "index.html"
DATA = "data"
"""Folder of the tables' files in the site."""


@dataclass(frozen=True)
class Site:
    """A site that was written.

    Attributes:
        index: its first page.
        pages: of tasks.
        entries: number of results shown.
    """

    index: Path
    pages: tuple[Path, ...]
    entries: int


def write_site(results: Sequence[Path], out: Path) -> Site:
    """Write the leaderboard of results files; the same files give the same bytes.

    Args:
        results: results files, and folders to search for them.
        out: the site's folder, replaced as a whole; files of it that are no pages of the new site stay.

    Raises:
        InvalidArgumentError: if there are no results, or the site cannot be written.
        ResultsError: if a file is no results file, or a transcript is not the one it was made from.
    """
    entries, pictures = read_entries(find_results(results))
    models = [entry for entry in entries if entry.kind == "language model"]
    board = make_board([entry for entry in entries if entry.kind != "language model"])
    names = _page_names([task.task for task in board.tasks])
    environment = html_templates("baselines.leaderboard", "baselines.evaluation")
    environment.filters.update(link=quote, breakable=_breakable)
    environment.globals.update(
        few_runs=FEW_RUNS,
        level=percent(statistics.LEVEL),
        repetitions=REPETITIONS,
        bounds_version=BOUNDS_VERSION,
        version=version("stmg"),
        names=names,
        number_text=_number_text,
        percent_text=lambda value, _: percent(value),
    )
    try:
        with whole_folder(out) as folder:
            shown = _copy(pictures, folder)
            answered = language_model_rows(models, folder)
            tables = {"results": result_rows(board), "language-models": language_model_table(answered)}
            _write_tables(folder / DATA, {name: rows for name, rows in tables.items() if rows})
            for suite in board.suites:
                tables = {"results": suite_rows(suite), "improvement": comparison_rows(suite)}
                _write_tables(folder / DATA / "suites" / suite.suite.name, tables)
            context = _index_context(board) | {"answered": answered}
            _write_page(folder / INDEX, environment.get_template("index.html.j2"), context)
            for task in board.tasks:
                media = [row for row in shown if row["task"] == task.task]
                context = {"board": task, "charts": task_charts(task), "media": media}
                page = folder / names[task.task.name]
                tables = {"results": task_rows(task), "runs": run_rows(task)}
                _write_tables(folder / DATA / "tasks" / page.stem, tables)
                _write_page(page, environment.get_template("task.html.j2"), context)
    except OSError as error:
        raise InvalidArgumentError(f"out={str(out)!r} cannot be written ({error}); choose another") from None
    return Site(out / INDEX, tuple(out / names[task.task.name] for task in board.tasks), len(entries))


def _write_page(path: Path, template: Template, context: Mapping[str, Any]) -> None:
    write_text(path, template.render(context).rstrip() + "\n")


def _write_tables(folder: Path, tables: Mapping[str, Sequence[Row]]) -> None:
    """Write tables, name -> rows, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        write_table(folder / name, rows)


def suite_charts(board: SuiteBoard) -> list[Chart]:
    """Performance profiles and sample efficiency of a suite."""
    profiles, curves = (
        [
            Line(_label(row.algorithm, row.source), x, getattr(row, course), row.kind, row.runs)
            for row in board.rows
        ]
        for x, course in ((THRESHOLDS, "profile"), (TRAINING_SHARES, "efficiency"))
    )
    return [
        line_chart("Performance profile", "score", profiles, percent=(False, True)),
        line_chart("Sample efficiency", "share of the training", curves, percent=(True, False), least=-0.25),
    ]


def task_charts(board: TaskBoard) -> list[Chart]:
    """Learning curves of every metric on a task."""
    metrics = dict.fromkeys(name for row in board.rows for name in row.entry.evaluations.curves)
    charts = []
    for metric in sorted(
        metrics, key=lambda name: list(METRIC_TITLES).index(name) if name in METRIC_TITLES else 9
    ):
        lines = []
        for row in board.rows:
            evaluations = row.entry.evaluations
            if metric in evaluations.curves:
                interval = _curve(metric, evaluations.curves[metric])
                steps = evaluations.steps.astype(float)
                name = _label(row.entry.algorithm, row.entry.source)
                lines.append(Line(name, steps, interval, row.entry.kind, row.runs))
        bounds = board.task.bounds if metric == RETURN else None
        charts.append(
            line_chart(
                METRIC_TITLES.get(metric, metric.replace("_", " ").capitalize()),
                STEPS,
                lines,
                percent=(False, metric == "optimal"),
                least=None if bounds is None else 1.5 * bounds[0] - 0.5 * bounds[1],
                reference=None if bounds is None else (bounds[1], f"score 1: {compact(bounds[1])}"),
            )
        )
    return charts


def _curve(metric: str, values: Any) -> statistics.Interval:
    """A metric's course over runs (R, T) with its band."""
    if metric == "optimal":
        return statistics.rate_curve(values == 1.0)
    return statistics.metric_interval(metric, values)


def _index_context(board: Board) -> dict[str, Any]:
    """What the index is filled with."""
    all_rows = [row for task in board.tasks for row in task.rows]
    # What a page shows at first is what it says of itself.
    rows = [row for row in all_rows if row.entry.kind == "algorithm"] or all_rows
    return {
        "board": board,
        "charts": {suite.suite.name: suite_charts(suite) for suite in board.suites if suite.rows},
        "families": sorted({task.task.family for task in board.tasks}),
        "algorithms": len({row.entry.algorithm for row in rows}),
        "runs": sum(row.runs for row in rows),
        "sources": len({row.entry.source for row in rows}),
        "kinds": {row.entry.kind for row in all_rows},
        "unknown": [task.task for task in board.tasks if task.task.bounds is None],
    }


def _breakable(name: str) -> Markup:
    """A name that may be broken after what joins its parts."""
    return Markup(re.sub(r"[_(,=]", r"\g<0><wbr>", str(escape(name))))


def _number_text(value: float, decimals: int | None) -> str:
    return compact(value) if decimals is None else f"{value + 0.0:.{decimals}f}"


def _label(algorithm: str, source: str) -> str:
    return f"{algorithm} \N{MIDDLE DOT} {source}"


def _page_names(tasks: Sequence[Task]) -> dict[str, str]:
    """A file name for the page of every task, each of its own."""
    names: dict[str, str] = {}
    for task in tasks:
        names[task.name] = _free_name(task.slug, ".html", {INDEX, *names.values()})
    return names


def _free_name(stem: str, ending: str, taken: Container[str]) -> str:
    """The first of stem, stem-2, stem-3, ... that is not taken."""
    name, number = stem + ending, 2
    while name in taken:
        name, number = f"{stem}-{number}{ending}", number + 1
    return name


def _copy(pictures: Sequence[Picture], out: Path) -> list[dict[str, Any]]:
    """Copy films and stills into the site; what the pages show of them."""
    shown = []
    folders: dict[str, str] = {}
    for picture in pictures:
        if picture.source not in folders:
            # In lower case, as some file systems do not tell names apart that differ in that alone.
            words = file_name(picture.source.lower()).strip("-.") or "results"
            folders[picture.source] = _free_name(words, "", folders.values())
        target = out / "media" / folders[picture.source] / picture.path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, read_bytes(picture.path, MOST_PICTURE))
        shown.append(
            {
                "link": quote(target.relative_to(out).as_posix()),
                "name": picture.path.stem.replace("-", " ").replace("_", " "),
                "source": picture.source,
                "task": picture.task,
                "still": picture.path.suffix.lower() in STILLS,
            }
        )
    return shown
