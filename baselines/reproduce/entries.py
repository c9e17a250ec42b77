"""What the tables of a page show of a measure: who learns, who only plays, and what is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from baselines.reproduce.archive import Archive
from baselines.reproduce.cell_results import CellResults
from baselines.reproduce.experiment import Experiment, Measure
from baselines.reproduce.figure import interval_of
from baselines.reproduce.player_results import PlayerResults
from baselines.reproduce.plays import Plays
from baselines.reproduce.sample import NONE
from baselines.reproduce.words import listed

DEVIATION = "_deviation"
"""Ends the name of a published deviation."""


@dataclass(frozen=True)
class Entry:
    """One cell of a table.

    Attributes:
        label: its row.
        task: its column.
        text: what stands there.
    """

    label: str
    task: str
    text: str


def measured(experiment: Experiment, archive: Archive, measure: Measure) -> list[Entry]:
    """The entries of a measure; what has not been trained or played has none."""
    plays = Plays(archive.folder)
    learned = [CellResults(cell, archive) for cell in experiment.cells if archive.runs(cell)]
    played = [PlayerResults(cell, plays) for cell in experiment.players if plays.has(cell)]
    results: list[CellResults | PlayerResults] = [*learned, *played]
    found = [
        Entry(one.cell.label, one.cell.task, _shown(one, measure, experiment))
        for one in results
        if one.has(measure.metric)
    ]
    return found + _quoted(experiment, measure) if found else []


def caption(experiment: Experiment, measure: Measure) -> str:
    """What the entries of a measure are."""
    if measure.of_runs:
        text = "The final greedy policy; in brackets the 95 % Wilson interval"
    elif measure.among:
        text = (
            f"Mean of the {measure.meaning} over those episodes of all runs' final greedy policies that have "
            f"{measure.among}; in brackets their standard deviation as a population"
        )
    else:
        text = f"Mean over runs of the final greedy policy's {measure.meaning}, with a 95 % t-interval"
        text += " cut at 0 and 1" if measure.share else ""
    if measure.published and any(_beside(experiment, cell.task, cell.label) for cell in experiment.cells):
        text += ", then the published number and the difference to it"
    if experiment.players and not measure.among:
        text += ". Of players that learn nothing, it is over instances, not over runs"
    if quoted := dict.fromkeys(entry.label for entry in _quoted(experiment, measure)):
        text += f". {listed(quoted)} as published"
    return f"{text}."


def _shown(results: CellResults | PlayerResults, measure: Measure, experiment: Experiment) -> str:
    """What somebody reached, and what is published of it."""
    if measure.among:
        return str(results.sample(measure.metric, measure.among))
    values = results.final(measure.metric)
    interval = interval_of(values, measure)
    if measure.of_runs:
        ours, low, high = (100 * float(x) for x in (interval.estimate, interval.low, interval.high))
        shown = f"{ours:.3g} [{low:.3g}, {high:.3g}] of {len(values)}"
    else:
        ours = float(interval.estimate)
        shown = f"{ours:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
    published = _beside(experiment, results.cell.task, results.cell.label)
    if published is None or measure.published is None:
        return shown
    theirs = published[measure.published]
    return f"{shown}<br>published {theirs:g}, {ours - theirs:+.3g}"


def _beside(experiment: Experiment, task: str, label: str) -> Mapping[str, float] | None:
    """What is published of a cell."""
    return experiment.published.get(task, {}).get(label)


def _quoted(experiment: Experiment, measure: Measure) -> list[Entry]:
    """Published numbers of those who have no cell here, for tasks of which one is published."""
    name = measure.published
    ours = {cell.label for cell in experiment.cells}
    return [
        Entry(label, task, _as_published(numbers, name))
        for task, labels in experiment.published.items()
        for label, numbers in labels.items()
        if name and label not in ours and any(name in others for others in labels.values())
    ]


def _as_published(numbers: Mapping[str, float], name: str) -> str:
    """A published number, with its deviation if that is published too."""
    if name not in numbers:
        return NONE
    deviation = numbers.get(name + DEVIATION)
    return str(numbers[name]) + ("" if deviation is None else f" ({deviation})")
