"""Learning curves of an experiment: a panel per task, a line per algorithm."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from io import StringIO

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from baselines.evaluation.statistics import Interval, mean_interval, rate_interval
from baselines.reproduce.archive import Archive
from baselines.reproduce.cell_results import CellResults
from baselines.reproduce.experiment import Cell, Measure

COLUMNS = 4

LINE_STYLES = ("solid", "dashed", "dotted")
"""Tell lines apart where there are more than colours."""

TITLE_WIDTH = 40
"""Characters above a panel."""


def interval_of(values: Sequence[float], measure: Measure) -> Interval:
    """The mean of a measure over runs with its 95 % interval."""
    if measure.of_runs:
        return rate_interval(round(sum(values)), len(values))
    interval = mean_interval(values)
    if not measure.share:
        return interval
    return Interval(interval.estimate, np.maximum(interval.low, 0.0), np.minimum(interval.high, 1.0))


def draw_learning_curves(cells: Sequence[Cell], measures: Sequence[Measure], archive: Archive) -> str:
    """An SVG of the first measure that a task has against environment steps.

    Args:
        cells: those with results.
        measures: what to look for.
        archive: their results.
    """
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    labels = list(dict.fromkeys(cell.label for cell in cells))
    rows = max(1, math.ceil(len(tasks) / COLUMNS))
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"svg.hashsalt": "curves", "svg.fonttype": "none", "font.size": 9})
        legend_rows = math.ceil(len(labels) / COLUMNS)
        height = 2.6 * rows + 0.2 * legend_rows
        figure = Figure(figsize=(3.1 * COLUMNS, height), layout="constrained")
        axes = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
        colours = matplotlib.colormaps["tab10" if len(labels) <= 10 else "tab20"].colors  # type: ignore[attr-defined]
        lines = {}
        for panel, task in zip(axes, tasks, strict=False):
            for cell in (cell for cell in cells if cell.task == task):
                turn, number = divmod(labels.index(cell.label), len(colours))
                colour, style = colours[number], LINE_STYLES[turn % len(LINE_STYLES)]
                measure = next(m for m in measures if CellResults(cell, archive).has(m.metric))
                steps, interval = _curve(cell, archive, measure)
                (line,) = panel.plot(steps, interval[0], color=colour, linewidth=1.4, linestyle=style)
                lines[cell.label] = line
                panel.fill_between(steps, interval[1], interval[2], color=colour, alpha=0.15, linewidth=0)
            title = textwrap.fill(task.replace(",", ", "), TITLE_WIDTH)
            panel.set(title=title, xlabel="environment steps", ylabel=measure.metric)
            if measure.of_runs:
                panel.set_ylim(-0.03, 1.03)
        for panel in axes[len(tasks) :]:
            panel.set_visible(False)
        figure.legend(
            lines.values(),
            lines.keys(),
            loc="outside lower left",
            ncols=COLUMNS,
            frameon=False,
            fontsize=8,
        )
        file = StringIO()
        FigureCanvasSVG(figure).print_svg(file, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return file.getvalue()


def _curve(
    cell: Cell, archive: Archive, measure: Measure
) -> tuple[list[int], tuple[list[float], list[float], list[float]]]:
    """Steps, and a measure's mean over runs at each with the ends of its interval."""
    runs = list(archive.runs(cell).values())
    names = [name for name in runs[0] if name.startswith("step_")]
    steps = [int(runs[0][name]["step_count"]) for name in names]
    intervals = [
        interval_of([float(np.mean(run[name][measure.metric])) for run in runs], measure) for name in names
    ]
    ends = ([float(getattr(i, end)) for i in intervals] for end in ("estimate", "low", "high"))
    return steps, tuple(ends)  # type: ignore[return-value]
