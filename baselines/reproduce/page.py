"""An experiment's page: Markdown tables beside the published numbers, and learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from baselines.reproduce.archive import Archive
from baselines.reproduce.entries import Entry, caption, measured
from baselines.reproduce.experiment import Cell, Experiment
from baselines.reproduce.figure import draw_learning_curves
from baselines.reproduce.notes import render_notes
from baselines.reproduce.origin import FACTS_OF_PLAYERS, describe_origin
from baselines.reproduce.plays import Plays
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
    origin = (
        f"Made by `{call}`; `{call} --check 3` trains three of its runs again and compares them bit by bit. "
        "`manifest.json` holds commit, versions, seeds and configuration of every cell, `results.json` all "
        "evaluations."
    )
    plays = Plays(archive.folder)
    players = [cell for cell in experiment.players if plays.has(cell)]
    if players:
        origin += " `players.json` holds what players that learn nothing did in every instance."
    parts = [f"# {experiment.title}", origin]
    for measure in experiment.measures:
        entries = measured(experiment, archive, measure)
        if entries:
            parts += [f"## {measure.title}", caption(experiment, measure)]
        for tasks in experiment.task_groups:
            group = [entry for entry in entries if entry.task in tasks]
            if group:
                parts.append(_table(group, tasks))
    parts += [
        "## Learning curves",
        "The first of these measures that a task has, against environment steps, with 95 % intervals.",
        "![Learning curves of all algorithms on each task](curves.svg)",
        render_notes(experiment, archive),
        "## How the cells were made",
        describe_origin(cells, archive.blocks),
    ]
    if players:
        parts += ["## How the others played", describe_origin(players, plays.blocks, FACTS_OF_PLAYERS)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _present(experiment: Experiment, archive: Archive) -> list[Cell]:
    """The cells with results."""
    return [cell for cell in experiment.cells if archive.runs(cell)]


def _table(entries: list[Entry], order: Sequence[str]) -> str:
    """A Markdown table with a row per label and a column per task, those that have entries in an order."""
    labels = list(dict.fromkeys(entry.label for entry in entries))
    tasks = [task for task in order if any(entry.task == task for entry in entries)]
    found = {(entry.label, entry.task): entry.text for entry in entries}
    lines = [f"| | {' | '.join(tasks)} |", f"|---{'|---' * len(tasks)}|"]
    for label in labels:
        lines.append(f"| {label} | {' | '.join(found.get((label, task), '') for task in tasks)} |")
    return "\n".join(lines)
