"""An experiment's page: Markdown tables beside the published numbers, and learning curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from baselines.evaluation.statistics import mean_interval, rate_interval
from baselines.reproduce.archive import Archive
from baselines.reproduce.experiments import Cell, Experiment
from baselines.reproduce.figure import draw_learning_curves


def write_page(experiment: Experiment, archive: Archive) -> Path:
    """Write `README.md` and `curves.svg` into the experiment's folder.

    What people have to say of the results stands in `notes.md` beside them and becomes part of the page.

    Returns:
        The page's path.
    """
    cells = [cell for cell in experiment.cells if archive.runs(cell)]
    (archive.folder / "curves.svg").write_text(draw_learning_curves(cells, archive), encoding="utf-8")

    def beside(quantity: str) -> str:
        published = f", then the published {quantity} and the difference to it"
        return published if experiment.published else ""

    parts = [
        f"# {experiment.title}",
        f"Made by `stmg reproduce {experiment.name}`; run it again to continue or to check. `manifest.json` "
        "holds commit, versions, seeds and configuration of every cell, `results.json` all evaluations.",
        "## Share of runs at the optimum, percent",
        f"The final greedy policy; in brackets the 95 % Wilson interval{beside('rate')}.",
        _table(cells, [_rate(cell, archive, experiment) for cell in cells]),
        "## Return",
        "Mean over runs of the final greedy policy's return (mean over agents, undiscounted), with a 95 % "
        f"t-interval{beside('mean')}.",
        _table(cells, [_return(cell, archive, experiment) for cell in cells]),
        "## Learning curves",
        "Share of runs at the optimum against environment steps, with 95 % Wilson intervals.",
        "![Learning curves of all algorithms on each task](curves.svg)",
    ]
    notes = archive.folder / "notes.md"
    if notes.is_file():
        parts.append(notes.read_text(encoding="utf-8").strip())
    path = archive.folder / "README.md"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def final_values(cell: Cell, archive: Archive, metric: str) -> list[float]:
    """The final policies' mean of a metric, one number per run."""
    runs = archive.runs(cell).values()
    return [float(np.mean(run["absolute_metrics"][metric])) for run in runs]


def _rate(cell: Cell, archive: Archive, experiment: Experiment) -> str:
    values = final_values(cell, archive, "optimal")
    interval = rate_interval(round(sum(values)), len(values))
    percent, low, high = (100 * float(x) for x in (interval.estimate, interval.low, interval.high))
    shown = f"{percent:.3g} [{low:.3g}, {high:.3g}] of {len(values)}"
    return shown + _against(cell, experiment, "rate", percent)


def _return(cell: Cell, archive: Archive, experiment: Experiment) -> str:
    interval = mean_interval(final_values(cell, archive, "return"))
    shown = f"{interval.estimate:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
    return shown + _against(cell, experiment, "return", float(interval.estimate))


def _against(cell: Cell, experiment: Experiment, quantity: str, ours: float) -> str:
    published = experiment.published.get(cell.task, {}).get(cell.label)
    if published is None:
        return ""
    return f"<br>published {published[quantity]:g}, {ours - published[quantity]:+.3g}"


def _table(cells: list[Cell], entries: list[str]) -> str:
    """A Markdown table with a row per label and a column per task."""
    labels = list(dict.fromkeys(cell.label for cell in cells))
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    found = {(cell.label, cell.task): entry for cell, entry in zip(cells, entries, strict=True)}
    lines = [f"| | {' | '.join(tasks)} |", f"|---{'|---' * len(tasks)}|"]
    for label in labels:
        lines.append(f"| {label} | {' | '.join(found.get((label, task), '') for task in tasks)} |")
    return "\n".join(lines)
