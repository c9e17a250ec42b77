"""An experiment's page: Markdown tables beside the published numbers, and learning curves."""

from __future__ import annotations

from pathlib import Path

from baselines.reproduce.archive import Archive
from baselines.reproduce.cell_results import CellResults
from baselines.reproduce.experiment import Cell, Experiment, Measure
from baselines.reproduce.figure import draw_learning_curves, has, interval_of
from baselines.reproduce.notes import render_notes
from baselines.reproduce.origin import describe_origin
from baselines.storage import write_text


def write_page(experiment: Experiment, archive: Archive) -> Path:
    """Write `README.md` and `curves.svg` into the experiment's folder.

    Returns:
        The page's path.
    """
    curves = draw_learning_curves(_present(experiment, archive), experiment.measures, archive)
    write_text(archive.folder / "curves.svg", curves)
    path = archive.folder / "README.md"
    write_text(path, page_text(experiment, archive))
    return path


def page_text(experiment: Experiment, archive: Archive) -> str:
    """The page, with what people have to say of the results, `notes.md`, and how the cells were made."""
    cells = _present(experiment, archive)
    call = f"stmg reproduce {experiment.name}"
    parts = [
        f"# {experiment.title}",
        f"Made by `{call}`; `{call} --check 3` trains three of its runs again and compares them bit by bit. "
        "`manifest.json` holds commit, versions, seeds and configuration of every cell, `results.json` all "
        "evaluations.",
    ]
    for measure in experiment.measures:
        measured = [cell for cell in cells if has(cell, archive, measure)]
        if measured:
            parts += [f"## {measure.title}", _caption(measure, experiment)]
        for tasks in experiment.task_groups:
            group = [cell for cell in measured if cell.task in tasks]
            if group:
                parts.append(_table(group, [_entry(cell, archive, experiment, measure) for cell in group]))
    parts += [
        "## Learning curves",
        "The first of these measures that a task has, against environment steps, with 95 % intervals.",
        "![Learning curves of all algorithms on each task](curves.svg)",
        render_notes(experiment, archive),
        "## How the cells were made",
        describe_origin(cells, archive),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _present(experiment: Experiment, archive: Archive) -> list[Cell]:
    """The cells with results."""
    return [cell for cell in experiment.cells if archive.runs(cell)]


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
    values = CellResults(cell, archive).final(measure.metric)
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
