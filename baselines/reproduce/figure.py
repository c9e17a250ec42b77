"""Learning curves of an experiment: a panel per task, a line per algorithm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import StringIO

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from baselines.evaluation.statistics import rate_interval
from baselines.reproduce.archive import Archive
from baselines.reproduce.experiments import Cell

COLUMNS = 4


def draw_learning_curves(cells: Sequence[Cell], archive: Archive) -> str:
    """An SVG of the share of runs at the optimum against environment steps.

    Args:
        cells: those with results.
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
                colour = colours[labels.index(cell.label) % len(colours)]
                steps, interval = _rates(cell, archive)
                lines[cell.label] = panel.plot(steps, interval[0], color=colour, linewidth=1.4)[0]
                panel.fill_between(steps, interval[1], interval[2], color=colour, alpha=0.15, linewidth=0)
            panel.set(title=task, ylim=(-0.03, 1.03), xlabel="environment steps")
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


def _rates(cell: Cell, archive: Archive) -> tuple[list[int], tuple[list[float], list[float], list[float]]]:
    """Steps, and the share of optimal runs at each with the ends of its interval."""
    runs = list(archive.runs(cell).values())
    names = [name for name in runs[0] if name.startswith("step_")]
    steps = [int(runs[0][name]["step_count"]) for name in names]
    intervals = [
        rate_interval(round(sum(float(np.mean(run[name]["optimal"])) for run in runs)), len(runs))
        for name in names
    ]
    ends = ([float(getattr(i, end)) for i in intervals] for end in ("estimate", "low", "high"))
    return steps, tuple(ends)  # type: ignore[return-value]
