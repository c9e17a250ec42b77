"""`stmg runs`: what has been trained, and what runs differ in."""

from __future__ import annotations

from pathlib import Path

import rich_click as click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from baselines.evaluation.overview import contrast, list_runs

FOLDER = click.Path(file_okay=False, path_type=Path)
WIDTH = 120


@click.group(name="runs")
def command() -> None:
    """List runs and compare them; intervals are over seeds and hold 95 %.

    Example: stmg runs list
    """


@command.command(name="list")
@click.argument("folder", type=FOLDER, default=Path("runs"))
def list_command(folder: Path) -> None:
    """List the runs below FOLDER, by default ./runs, finished or not.

    Example: stmg runs list runs/tuning
    """
    lines = list_runs(folder)
    console = Console(width=max(WIDTH, Console().width), highlight=False)
    if not lines:
        console.print(f"no runs below {folder}; stmg train makes some")
        return
    table = Table(
        Column("run", overflow="fold"),
        "algorithm",
        Column("task", overflow="fold"),
        "seeds",
        "done",
        "time",
        Column("results", no_wrap=True),
        box=SIMPLE_HEAD,
    )
    for line in lines:
        if not line.problem:
            results = "\n".join(f"{name} {text}" for name, text in line.results.items())
            cells = (line.algorithm, line.task, line.seeds, line.done, line.time, results)
            table.add_row(str(line.path), *cells)
    if table.row_count:
        console.print(table)
    for line in lines:
        if line.problem:
            console.print(f"cannot be read: {line.problem}", markup=False, soft_wrap=True)


@command.command(name="compare")
@click.argument("run_dirs", nargs=-1, required=True, type=FOLDER)
def compare_command(run_dirs: tuple[Path, ...]) -> None:
    """Set runs side by side: every setting that is not the same in all, and the metrics.

    Metrics are those of the final policies, or of the last evaluation so far.

    Example: stmg runs compare runs/penalty runs/penalty-faster
    """
    found = contrast(run_dirs)
    console = Console(width=max(WIDTH, Console().width), highlight=False)
    for title, rows in (("differs", found.settings), ("metric", found.metrics)):
        table = Table(title, *map(str, run_dirs), box=SIMPLE_HEAD)
        for name, cells in rows.items():
            table.add_row(name, *cells)
        console.print(table if rows else f"{title}: nothing")
