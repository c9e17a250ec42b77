"""Learning curves as inline SVG: the same bytes for the same numbers, colours left to the page's style.

Drawn with matplotlib's objects, not with pyplot, whose state belongs to whoever uses it.
"""

from __future__ import annotations

import re
from html import escape
from io import StringIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FixedLocator, MaxNLocator, PercentFormatter

from baselines.evaluation.learning_curves import Curve

LARGE, SMALL = (5.2, 2.9), (4.0, 2.4)
"""Inches; the page scales figures to its width, and text with them."""

COLORS = {
    "#111111": "var(--ink)",
    "#222222": "var(--muted)",
    "#333333": "var(--grid)",
    "#444444": "var(--line)",
}
"""Colours drawn with -> colours shown, so that one figure suits light and dark pages."""

INK, MUTED, GRID, LINE = COLORS

NICE = [1, 2, 2.5, 5, 10]
"""Multiples between ticks."""

SETTINGS: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.color": GRID,
    "ytick.labelcolor": MUTED,
}


def draw_curve(
    curve: Curve, name: str, reference: float | None = None, size: tuple[float, float] = LARGE
) -> str:
    """Draw a curve with its band.

    Args:
        curve: what to draw.
        name: unique among the figures of a page; made of letters, digits and hyphens.
        reference: a height to mark with a dashed line.
        size: width and height in inches, which decide how large text is beside the curve.

    Returns:
        An `<svg>` element without width and height.
    """
    # The project's settings on top of the defaults, whatever the user's are.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS | {"svg.hashsalt": name})
        figure = Figure(figsize=size, dpi=72, layout="constrained")
        _plot(figure, curve, reference)
        file = StringIO()
        canvas = FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        canvas.print_svg(file, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _inline(file.getvalue(), name, f"Learning curve: {curve.name}")


def _plot(figure: Figure, curve: Curve, reference: float | None) -> None:
    axes = figure.add_subplot()
    axes.patch.set_visible(False)
    axes.grid(axis="y")
    axes.tick_params(length=0)
    interval, steps = curve.interval, curve.steps
    # A band between unknown ends has no area, and would leave an empty path.
    if np.isfinite(interval.low).any():
        axes.fill_between(steps, interval.low, interval.high, color=LINE, alpha=0.18, linewidth=0)
        if len(steps) == 1:
            axes.vlines(steps, interval.low, interval.high, color=LINE, alpha=0.5)
    marker = "o" if len(steps) <= 30 else ""
    axes.plot(steps, interval.estimate, color=LINE, linewidth=1.8, marker=marker, markersize=3)
    if reference is not None:
        axes.axhline(reference, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)))
    if curve.kind == "rate":
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=NICE))
    few = len(steps) <= 5
    axes.xaxis.set_major_locator(FixedLocator(list(steps)) if few else MaxNLocator(5, steps=NICE))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("environment steps per run")


def _inline(document: str, name: str, label: str) -> str:
    """The `<svg>` element of an SVG document, fit for a page with other figures."""
    svg = document[document.index("<svg") :].strip()
    # Styles of one figure would hold for the whole page, which has its own.
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    # Identifiers are unique within one figure only.
    svg = re.sub(r'(\sid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("xlink:href=", "href=")
    for drawn, shown in COLORS.items():
        svg = svg.replace(drawn, shown)
    end = svg.index(">")
    # The page decides the size.
    head = re.sub(r'\s(width|height|version|xmlns(:\w+)?)="[^"]*"', "", svg[:end])
    return f'{head} role="img" aria-label="{escape(label, quote=True)}"{svg[end:]}'
