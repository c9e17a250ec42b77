"""An experiment's page: Markdown tables beside the published numbers, and learning curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from baselines.reproduce.archive import Archive
from baselines.reproduce.experiment import Cell, Experiment, Measure
from baselines.reproduce.figure import draw_learning_curves, has, interval_of


def write_page(experiment: Experiment, archive: Archive) -> Path:
    """Write `README.md` and `curves.svg` into the experiment's folder.

    What people have to say of the results stands in `notes.md` beside them and becomes part of the page.

    Returns:
        The page's path.
    """
    cells = [cell for cell in experiment.cells if archive.runs(cell)]
    curves = draw_learning_curves(cells, experiment.measures, archive)
    (archive.folder / "curves.svg").write_text(curves, encoding="utf-8")
    parts = [
        f"# {experiment.title}",
        f"Made by `stmg reproduce {experiment.name}`; run it again to continue or to check. `manifest.json` "
        "holds commit, versions, seeds and configuration of every cell, `results.json` all evaluations.",
    ]
    for measure in experiment.measures:
        measured = [cell for cell in cells if has(cell, archive, measure)]
        if measured:
            parts += [f"## {measure.title}", _caption(measure, experiment)]
            parts.append(_table(measured, [_entry(cell, archive, experiment, measure) for cell in measured]))
    parts += [
        "## Learning curves",
        "The first of these measures that a task has, against environment steps, with 95 % intervals.",
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


def _caption(measure: Measure, experiment: Experiment) -> str:
    if measure.of_runs:
        text = "The final greedy policy; in brackets the 95 % Wilson interval"
    else:
        text = f"Mean over runs of the final greedy policy's {measure.meaning}, with a 95 % t-interval"
        text += " cut at 0 and 1" if measure.share else ""
    if experiment.published and measure.published:
        text += ", then the published number and the difference to it"
    return f"{text}."


def _entry(cell: Cell, archive: Archive, experiment: Experiment, measure: Measure) -> str:
    values = final_values(cell, archive, measure.metric)
    interval = interval_of(values, measure)
    if measure.of_runs:
        ours, low, high = (100 * float(x) for x in (interval.estimate, interval.low, interval.high))
        shown = f"{ours:.3g} [{low:.3g}, {high:.3g}] of {len(values)}"
    else:
        ours = float(interval.estimate)
        shown = f"{ours:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
    published = experiment.published.get(cell.task, {}).get(cell.label)
    if published is None or measure.published is None:
        return shown
    theirs = published[measure.published]
    return f"{shown}<br>published {theirs:g}, {ours - theirs:+.3g}"


def _table(cells: list[Cell], entries: list[str]) -> str:
    """A Markdown table with a row per label and a column per task."""
    labels = list(dict.fromkeys(cell.label for cell in cells))
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    found = {(cell.label, cell.task): entry for cell, entry in zip(cells, entries, strict=True)}
    lines = [f"| | {' | '.join(tasks)} |", f"|---{'|---' * len(tasks)}|"]
    for label in labels:
        lines.append(f"| {label} | {' | '.join(found.get((label, task), '') for task in tasks)} |")
    return "\n".join(lines)
