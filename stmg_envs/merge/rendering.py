"""Pictures of the road: vehicles, the order in which agents decide, and who is whose neighbour.

Plotting libraries are imported where they are used, so that playing a game needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.merge.roads import (
    AMPLITUDE,
    BEFORE,
    LANE_WIDTH,
    MERGE_END,
    MERGE_START,
    OBSTACLE,
    PHASE,
    PULSATION,
    RAMP_Y,
    ROAD_END,
)
from stmg_envs.merge.vehicles import LENGTH, WIDTH, Vehicles
from stmg_envs.palette import BLUE, INK, MUTED, PALE, RED

SIZE = (1040, 200)
"""Width and height in pixels."""

NARROWEST = 160.0
MARGIN = 30.0
"""The part of the road that is shown: at least this much, and beyond the outermost agents, metres."""

ROAD, LINE = PALE, "white"
AGENT, DRIVER, CRASHED = BLUE, "#a8842c", RED


def write(vehicles: Vehicles, agents: Sequence[str]) -> str:
    """One line of text: every agent's place and speed on the first road, and whether it has crashed."""
    words = []
    for index, name in enumerate(agents):
        if vehicles.present[index, 0]:
            x, y, speed = (float(v[index, 0]) for v in (vehicles.x, vehicles.y, vehicles.speed))
            crash = " crashed" if vehicles.crashed[index, 0] else ""
            words.append(f"{name} ({x:.0f}, {y:.1f}) m {speed:.1f} m/s{crash}")
    drivers = int(vehicles.present[len(agents) :, 0].sum())
    return f"{', '.join(words)}; {drivers} human drivers"


def draw(vehicles: Vehicles, graph: Tensor, priority: Sequence[int]) -> NDArray[np.uint8]:
    """Draw the first road.

    Blue are agents, with their rank in the order of decision, yellow human drivers, red who has crashed; grey
    lines are the edges of the neighbour graph. The picture follows the agents.

    Args:
        vehicles: the vehicles.
        graph: bool (n, n).
        priority: agent indices in order of decision.

    Returns:
        A new uint8 array (height, width, 3).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Polygon

    # At 72 dots per inch a point is a pixel. Independent of the user's settings.
    figure = Figure(figsize=(SIZE[0] / 72, SIZE[1] / 72), dpi=72, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.14, 1.0, 0.86))
    axes.set_axis_off()
    x, y, heading = (values[:, 0].tolist() for values in (vehicles.x, vehicles.y, vehicles.heading))
    present, crashed = vehicles.present[:, 0].tolist(), vehicles.crashed[:, 0].tolist()
    agents = [index for index in priority if present[index]]
    left, right = min(x[i] for i in agents) - MARGIN, max(x[i] for i in agents) + MARGIN
    spare = max(0.0, NARROWEST - (right - left)) / 2
    axes.set_xlim(left - spare, right + spare)
    axes.set_ylim(RAMP_Y + 3.5, -5.5)
    _draw_road(axes, Polygon)
    for one, other in graph.nonzero().tolist():
        if one < other:
            axes.plot([x[one], x[other]], [y[one], y[other]], color=MUTED, linewidth=1.5, zorder=3)
    for index, here in enumerate(present):
        if here:
            color = CRASHED if crashed[index] else AGENT if index < len(priority) else DRIVER
            corners = _corners(x[index], y[index], heading[index])
            axes.add_patch(Polygon(corners, facecolor=color, edgecolor=INK, linewidth=1, zorder=4))
    for rank, index in enumerate(priority):
        if present[index]:
            label: dict[str, Any] = {"size": 12, "ha": "center", "va": "center", "zorder": 5, "clip_on": True}
            axes.text(x[index], y[index], str(rank + 1), color="white", weight="bold", **label)
    speeds = vehicles.speed[:, 0].tolist()
    caption = "   ".join(f"{rank + 1}: {speeds[i]:.0f} m/s" for rank, i in enumerate(priority) if present[i])
    figure.text(0.5, 0.07, caption, color=INK, size=13, ha="center", va="center")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_road(axes: Any, polygon: Any) -> None:
    half = LANE_WIDTH / 2
    places = np.linspace(BEFORE, MERGE_START, 50)
    bend = RAMP_Y - AMPLITUDE + AMPLITUDE * np.sin(PULSATION * (places - BEFORE) + PHASE)
    along = np.concatenate([[-1e3], places, [MERGE_END]])
    across = np.concatenate([[RAMP_Y], bend, [LANE_WIDTH]])
    for xs, ys in ((along, across), (np.array([-1e3, ROAD_END + 1e3]), np.zeros(2))):
        axes.fill_between(xs, ys - half, ys + half, color=ROAD, linewidth=0, zorder=1)
    dashes = {"linestyle": (0, (8, 8)), "color": LINE, "linewidth": 2, "zorder": 2}
    axes.plot([MERGE_START, MERGE_END], [half, half], **dashes)
    x, y = OBSTACLE
    block = [(x - 1, y - 1), (x + 1, y - 1), (x + 1, y + 1), (x - 1, y + 1)]
    axes.add_patch(polygon(block, facecolor=CRASHED, edgecolor=INK, zorder=4))


def _corners(x: float, y: float, heading: float) -> list[tuple[float, float]]:
    """The corners of a vehicle."""
    cos, sin = np.cos(heading), np.sin(heading)
    box = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [
        (
            x + cos * along * LENGTH / 2 - sin * across * WIDTH / 2,
            y + sin * along * LENGTH / 2 + cos * across * WIDTH / 2,
        )
        for along, across in box
    ]
