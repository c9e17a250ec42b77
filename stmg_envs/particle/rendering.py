"""Pictures of particle games: bodies with their trails and views, and who can talk to whom.

Plotting libraries are imported where they are used, so that playing a game needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmg_envs.palette import BLUE, GREEN, INK, MUTED, PALE, PURPLE, RED

Point = tuple[float, float]

SIZE = 480
"""Width and height in pixels."""

COLORS = {
    "attacker": BLUE,
    "interceptor": GREEN,
    "prey": RED,
    "purple": PURPLE,
    "blue": BLUE,
    "green": GREEN,
}


@dataclass(frozen=True)
class Body:
    """What is drawn as a disc.

    Attributes:
        name: shown in text.
        color: a key of `COLORS`.
        radius: lengths.
        trail: positions (x, y), the present one first.
        view: radius of what it sees, lengths, or None if it sees everything or nothing.
        faded: whether it is out of the game.
        filled: whether the disc is filled.
    """

    name: str
    color: str
    radius: float
    trail: list[Point]
    view: float | None = None
    faded: bool = False
    filled: bool = True


@dataclass(frozen=True)
class Picture:
    """What there is to see.

    Attributes:
        bodies: the agents first.
        caption: one line.
    """

    bodies: list[Body]
    caption: str


def write(picture: Picture) -> str:
    """One line of text: every body's name and position, and the caption."""
    places = (f"{body.name} ({body.trail[0][0]:+.2f}, {body.trail[0][1]:+.2f})" for body in picture.bodies)
    return f"{'  '.join(places)}  {picture.caption}"


def draw(
    picture: Picture, arena: float, edges: Sequence[tuple[int, int]], priority: Sequence[int]
) -> NDArray[np.uint8]:
    """Draw a picture.

    Discs are bodies, numbers in them the rank of agents in the order of decision, faint discs what they
    see, grey lines the edges of the communication graph, fading lines where bodies have been.

    Args:
        picture: what there is to see.
        arena: half side of the square, lengths.
        edges: pairs of agents that are neighbours.
        priority: agent indices in order of decision.

    Returns:
        A new uint8 array (SIZE, SIZE, 3).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle, Rectangle

    # At 72 dots per inch a point is a pixel.
    figure = Figure(figsize=(SIZE / 72, SIZE / 72), dpi=72, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    # Independent of the user's settings, and with room for the caption.
    axes = figure.add_axes((0.0, 0.0, 1.0, 0.95))
    axes.set_axis_off()
    places = [body.trail[0] for body in picture.bodies]
    limit = max(1.2 * arena, *(abs(coordinate) + 0.1 * arena for place in places for coordinate in place))
    axes.set_xlim(-limit / 0.95, limit / 0.95)
    axes.set_ylim(-limit, limit)
    axes.add_patch(
        Rectangle((-arena, -arena), 2 * arena, 2 * arena, fill=False, edgecolor=PALE, linewidth=1.5)
    )
    for one, other in edges:
        axes.plot(*zip(places[one], places[other], strict=True), color=MUTED, linewidth=1, zorder=2)
    for body in picture.bodies:
        color, strength = COLORS[body.color], 0.35 if body.faded else 1.0
        if body.view is not None and not body.faded:
            axes.add_patch(Circle(body.trail[0], body.view, color=color, alpha=0.05, linewidth=0, zorder=1))
            rim = {"fill": False, "edgecolor": color, "linestyle": "--", "alpha": 0.4}
            axes.add_patch(Circle(body.trail[0], body.view, linewidth=1, zorder=1, **rim))
        steps = list(zip(body.trail, body.trail[1:], strict=False))
        for age, step in enumerate(steps):
            opacity = 0.7 * strength * (1 - age / len(steps))
            axes.plot(*zip(*step, strict=True), color=color, alpha=opacity, linewidth=2, zorder=3)
        face = color if body.filled else "white"
        axes.add_patch(
            Circle(
                body.trail[0], body.radius, facecolor=face, edgecolor=color, lw=2, alpha=strength, zorder=4
            )
        )
    for rank, agent in enumerate(priority):
        x, y = places[agent]
        axes.text(x, y, str(rank + 1), color="white", size=11, ha="center", va="center", zorder=5)
    figure.text(0.5, 0.97, picture.caption, color=INK, size=14, ha="center", va="center")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
