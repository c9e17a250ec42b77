"""Line charts as geometry: the template draws them, and the page's script reads the same numbers on hover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import EngFormatter, MaxNLocator
from numpy.typing import NDArray

from baselines.evaluation.statistics import Interval
from baselines.leaderboard.provenance import Kind

WIDTH, HEIGHT = 440, 264
"""Of a chart, in its own units: small, so that text stays readable on a phone."""

LEFT, RIGHT, TOP, BOTTOM = 48, 420, 18, 226
"""The plot's edges."""

COLOURS, DASHES = 8, ("", "7 4", "2 3", "9 3 2 3")
"""Colours that the style has, and what tells apart lines that share one."""

SHOWN = 8
"""Lines that are drawn before the reader chooses others."""

MOST_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart: heights with their band at T places.

    Attributes:
        name: what it shows.
        x: the places, (T,).
        interval: heights and band at each.
        kind: what it is the result of; at first only lines of algorithms are drawn, if there are any.
        runs: number of runs behind it, if it is to be filtered by that.
    """

    name: str
    x: NDArray[np.float64]
    interval: Interval
    kind: Kind = "algorithm"
    runs: int | None = None


@dataclass(frozen=True)
class DrawnLine:
    """A line in the chart's units.

    Attributes:
        name: what it shows.
        colour: index of its colour.
        dash: its dashes, as SVG writes them.
        path: the line.
        band: outline of its band.
        shown: whether it is drawn at first.
        kind: what it is the result of.
        runs: number of runs behind it, if known.
    """

    name: str
    colour: int
    dash: str
    path: str
    band: str
    shown: bool
    kind: Kind
    runs: int | None


@dataclass(frozen=True)
class Chart:
    """A chart, ready to draw.

    Attributes:
        title: heading.
        x_label: below the axis.
        lines: in the order of the legend.
        x_ticks: (place, text).
        y_ticks: likewise.
        reference: place of a dashed line across, with its text.
        remark: what the reader should know.
        data: the numbers, for the page's script.
    """

    title: str
    x_label: str
    lines: tuple[DrawnLine, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    reference: tuple[float, str] | None
    remark: str
    data: dict[str, Any]


def line_chart(
    title: str,
    x_label: str,
    lines: Sequence[Line],
    *,
    percent: tuple[bool, bool] = (False, False),
    least: float | None = None,
    reference: tuple[float, str] | None = None,
) -> Chart:
    """Lay out a chart.

    Args:
        title: heading.
        x_label: below the axis.
        lines: at least one, with at least one place each.
        percent: whether x and y are shares.
        least: the y-axis does not go below it, nor further than the lines go without their bands; what lies
            outside is cut off. By default all of the bands are inside.
        reference: a height to mark, and its name.
    """
    x_low, x_high = min(line.x.min() for line in lines), max(line.x.max() for line in lines)
    heights = np.concatenate([_finite(line.interval, with_band=least is None) for line in lines])
    if reference is not None:
        heights = np.append(heights, reference[0])
    y_low, y_high = (float(heights.min()), float(heights.max())) if len(heights) else (0.0, 1.0)
    cut = least is not None and y_low < least
    if least is not None:
        y_low = max(y_low, min(least, y_high))
    margin = 0.04 * (y_high - y_low) or 0.5
    horizontal = _Axis(x_low, x_high if x_high > x_low else x_low + 1, LEFT, RIGHT, percent[0])
    vertical = _Axis(y_low - margin, y_high + margin, BOTTOM, TOP, percent[1])
    kinds = {line.kind for line in lines}
    at_first = {"algorithm"} & kinds or kinds
    first = [index for index, line in enumerate(lines) if line.kind in at_first][:SHOWN]
    return Chart(
        title=title,
        x_label=x_label,
        lines=tuple(
            _draw(line, index, index in first, horizontal, vertical) for index, line in enumerate(lines)
        ),
        x_ticks=horizontal.ticks(5),
        y_ticks=vertical.ticks(5),
        reference=None if reference is None else (vertical(reference[0]), reference[1]),
        remark=f"What lies below {y_low:.4g} is cut off." if cut else "",
        data={
            "x": [horizontal.low, horizontal.high, LEFT, RIGHT],
            "y": [vertical.low, vertical.high, BOTTOM, TOP],
            "percent": list(percent),
            "lines": [_numbers(line) for line in lines],
        },
    )


@dataclass(frozen=True)
class _Axis:
    """Numbers low..high shown at places start..end."""

    low: float
    high: float
    start: float
    end: float
    percent: bool

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, most: int) -> tuple[tuple[float, str], ...]:
        places = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        inside = [float(x) + 0.0 for x in places if self.low - 1e-9 <= x <= self.high + 1e-9]
        return tuple((self(x), self._text(x)) for x in inside)

    def _text(self, value: float) -> str:
        if self.percent:
            return f"{100 * value:.4g}\N{NO-BREAK SPACE}%"
        return EngFormatter(sep="")(value) if abs(value) >= 1000 else f"{value:.4g}"


def _finite(interval: Interval, with_band: bool) -> NDArray[np.float64]:
    parts = [interval.estimate, *([interval.low, interval.high] if with_band else [])]
    values = np.concatenate(parts)
    return values[np.isfinite(values)]


def _draw(line: Line, index: int, shown: bool, horizontal: _Axis, vertical: _Axis) -> DrawnLine:
    interval = line.interval
    upper = _points(line.x, interval.high, horizontal, vertical)
    lower = _points(line.x, interval.low, horizontal, vertical)
    path = _points(line.x, interval.estimate, horizontal, vertical)
    return DrawnLine(
        name=line.name,
        colour=index % COLOURS,
        dash=DASHES[index // COLOURS % len(DASHES)],
        path="M" + "L".join(path) if path else "",
        band="M" + "L".join([*upper, *reversed(lower)]) + "Z" if upper and lower else "",
        shown=shown,
        kind=line.kind,
        runs=line.runs,
    )


def _points(
    x: NDArray[np.float64], heights: NDArray[np.float64], horizontal: _Axis, vertical: _Axis
) -> list[str]:
    known = (pair for pair in zip(x, heights, strict=True) if math.isfinite(pair[1]))
    return [f"{horizontal(float(a)):g} {vertical(float(b)):g}" for a, b in known]


def _numbers(line: Line) -> dict[str, Any]:
    """A line's name and columns, unknown numbers as null."""
    columns = {
        "x": line.x,
        "y": line.interval.estimate,
        "low": line.interval.low,
        "high": line.interval.high,
    }
    return {"name": line.name} | {name: [_number(v) for v in column] for name, column in columns.items()}


def _number(value: float) -> float | None:
    return float(f"{value:.{MOST_DIGITS}g}") if math.isfinite(value) else None
