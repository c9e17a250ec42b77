"""Pictures of an allocation: what every sum is worth, where the agents came to, and who took how much.

Plotting libraries are imported where they are used, so that playing a game needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmg_envs.palette import BLUE, GREEN, INK, MUTED, PALE, PURPLE, RED

WIDTH, HEIGHT = 640, 480
"""Size in pixels."""
COLUMNS, ROWS = 61, 8
"""Size of a curve of characters."""
NAMED = 20
"""With more agents than these, nobody is named."""
BARS = 100
"""With more agents than these, a bar stands for several that decide one after another."""
DIGITS = 50
"""Shares in a line of text."""

CURVE, BEST, FELL, BAR = BLUE, GREEN, RED, PURPLE


@dataclass(frozen=True)
class Picture:
    """What there is to see.

    Attributes:
        curve: what each sum is worth, (9 n + 1,).
        best: the sum that is worth most.
        shares: names and what they took in the last round, in order of decision; empty before the first.
        played: rounds so far.
        rounds: rounds in all.
    """

    curve: NDArray[np.float64]
    best: int
    shares: tuple[tuple[str, int], ...]
    played: int
    rounds: int

    @property
    def total(self) -> int:
        """The sum of all shares."""
        return sum(share for _, share in self.shares)

    @property
    def caption(self) -> str:
        """One line: where the joint action fell, and where it is worth most."""
        most = f"best: x = {self.best}, G = {self.curve[self.best]:.3f}"
        if not self.shares:
            return f"nobody has decided; {most}"
        share = self.curve[self.total] / self.curve[self.best]
        fell = f"x = {self.total}, G = {self.curve[self.total]:.3f} ({share:.1%})"
        return f"{fell}; {most}" + (f"; round {self.played} of {self.rounds}" if self.rounds > 1 else "")


def write(picture: Picture) -> str:
    """The caption, the curve in characters, and shares in order of decision.

    Up to `NAMED` agents have a line each; of more, every share is one digit.
    """
    return "\n".join([picture.caption, "", *_curve(picture), "", *_shares(picture)])


def _curve(picture: Picture) -> list[str]:
    last = len(picture.curve) - 1
    # Every column stands for the most that is in it, so that no peak falls between two.
    edges = np.linspace(0, last + 1, min(COLUMNS, last + 1) + 1).astype(int)
    heights = np.maximum.reduceat(picture.curve, edges[:-1]) / picture.curve.max() * ROWS
    lines = [
        "".join("#" if height > row + 0.5 else " " for height in heights) for row in reversed(range(ROWS))
    ]
    marks = [" "] * len(heights)
    marks[int(np.searchsorted(edges, picture.best, side="right")) - 1] = "*"
    if picture.shares:
        marks[int(np.searchsorted(edges, picture.total, side="right")) - 1] = "x"
    scale = f"0{last:>{len(heights) - 1}}"
    return [line.rstrip() for line in [*lines, "".join(marks), scale]] + [
        "x: the sum of all shares, *: the best sum"
    ]


def _shares(picture: Picture) -> list[str]:
    shares = picture.shares
    if len(shares) <= NAMED:
        width = max((len(name) for name, _ in shares), default=0)
        return [f"{name:<{width}}  {share}  {'#' * share}".rstrip() for name, share in shares]
    digits = "".join(str(share) for _, share in shares)
    lines = (f"{start + 1:>4}  {digits[start : start + DIGITS]}" for start in range(0, len(digits), DIGITS))
    return ["shares, first to decide first:", *lines]


def draw(picture: Picture) -> NDArray[np.uint8]:
    """Draw a picture.

    Above is what every sum is worth, with a dashed line at the best sum and a dot where the joint action
    fell; below what each agent took in order of decision, with a dashed line at an even part of the
    best sum.

    Returns:
        A new uint8 array (HEIGHT, WIDTH, 3).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # At 72 dots per inch a point is a pixel. Places are given, independent of the user's settings.
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    figure.text(0.5, 0.965, picture.caption, color=INK, size=12, ha="center", va="center")
    _draw_curve(_axes(figure, 0.5, "sum of all shares x", "worth G(x)"), picture)
    _draw_shares(figure, picture)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _axes(figure: Any, bottom: float, across: str, up: str) -> Any:
    axes = figure.add_axes((0.09, bottom, 0.88, 0.42 if bottom >= 0.5 else 0.29))
    axes.set_xlabel(across, color=INK, size=11)
    axes.set_ylabel(up, color=INK, size=11)
    axes.tick_params(colors=MUTED, labelsize=10)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(PALE)
    return axes


def _draw_curve(axes: Any, picture: Picture) -> None:
    totals, most = np.arange(len(picture.curve)), picture.curve.max()
    axes.fill_between(totals, picture.curve, color=CURVE, alpha=0.12, linewidth=0)
    axes.plot(totals, picture.curve, color=CURVE, linewidth=2)
    axes.axvline(picture.best, color=BEST, linewidth=1.5, linestyle="--")
    axes.annotate(
        "best", (picture.best, 1.06 * most), (5, 0), textcoords="offset points", color=BEST, size=10
    )
    axes.set_xlim(0, len(totals) - 1)
    axes.set_ylim(0, 1.12 * most)
    if picture.shares:
        total = picture.total
        color = BEST if total == picture.best else FELL
        axes.plot([total, total], [0, picture.curve[total]], color=color, linewidth=1.5)
        axes.plot(total, picture.curve[total], "o", color=color, markersize=9, clip_on=False)


def _draw_shares(figure: Any, picture: Picture) -> None:
    n = (len(picture.curve) - 1) // 9
    group = -(-n // BARS)
    up = "share" if group == 1 else f"mean of {group}"
    axes = _axes(figure, 0.1, "agents, first to decide first", up)
    shares = np.array([share for _, share in picture.shares])
    starts = np.arange(0, n, group)
    if len(shares):
        counts = np.diff([*starts, n])
        heights = np.add.reduceat(shares, starts) / counts
        axes.bar(starts + counts / 2, heights, 0.8 * counts, color=BAR)
    axes.axhline(picture.best / n, color=BEST, linewidth=1.5, linestyle="--")
    axes.set_xlim(0, n)
    axes.set_ylim(0, 9.5)
    axes.set_yticks([0, 3, 6, 9])
    if n <= NAMED:
        names = [name.removeprefix("agent_") for name, _ in picture.shares]
        axes.set_xticks(starts[: len(names)] + 0.5, names)
