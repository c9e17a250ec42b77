"""Pictures of a battle: who stands where, how hurt they are, who shoots whom, and the order of decision.

Plotting libraries are imported where they are used, so that playing a game needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import NOBODY
from stmg_envs.palette import BLUE, GREEN, INK, MUTED, RED
from stmg_envs.protocol import State

SIZE = 560
"""Width and height in pixels."""
MARGIN = 2.5
"""Cells around the outermost units that are shown, at least."""

LEAST = 14.0
"""Cells along the picture at least."""

WALL, FLOOR = "#c3c8d0", "#f4f5f7"
ALLY, ENEMY, HEALTH, SHIELD = BLUE, RED, GREEN, "#6aa5d8"
SHORT = {"marauder": "mrd", "medivac": "med", "spine_crawler": "spc"}
"""Names of kinds that are not their first three letters."""


@dataclass(frozen=True)
class Figure:
    """A unit as it is drawn.

    Attributes:
        name: shown in text.
        kind: what it is.
        ally: whose side it is on.
        x: cells.
        y: cells.
        radius: cells.
        range: from its edge, cells.
        health: share of what it has at most; 0 of the dead.
        shield: likewise; None where there is none.
        target: whom it attacks or heals at the moment, by index, or None.
    """

    name: str
    kind: str
    ally: bool
    x: float
    y: float
    radius: float
    range: float
    health: float
    shield: float | None
    target: int | None


def figures(names: Sequence[str], army: Army, state: State) -> list[Figure]:
    """All units of the first battle of a state, allies first.

    Args:
        names: of the units.
        army: their constants.
        state: as the game has it.
    """
    shown = []
    for index, (name, kind) in enumerate(zip(names, army.kinds, strict=True)):
        shield = float(army.shield[index])
        target = int(state["target"][0, index])
        busy = float(state["swing"][0, index]) >= 0 and target != NOBODY
        shown.append(
            Figure(
                name,
                kind,
                index < army.n,
                float(state["x"][0, index]),
                float(state["y"][0, index]),
                float(army.radius[index]),
                float(army.range[index]),
                float(state["health"][0, index] / army.health[index]),
                float(state["shield"][0, index]) / shield if shield else None,
                target if busy else None,
            )
        )
    return shown


def write(figures: Sequence[Figure], caption: str) -> str:
    """Text: the living with their places and health, side by side, the dead counted."""

    def side(ally: bool) -> str:
        members = [figure for figure in figures if figure.ally is ally]
        living = [
            f"{figure.name} ({figure.x:.1f}, {figure.y:.1f}) {figure.health:.0%}"
            for figure in members
            if figure.health > 0
        ]
        return f"{len(living)} of {len(members)}: {', '.join(living) or 'none'}"

    return f"{caption}\nallies {side(True)}\nenemies {side(False)}"


def draw(
    figures: Sequence[Figure],
    cells: NDArray[np.bool_],
    edges: Sequence[tuple[int, int]],
    priority: Sequence[int],
    caption: str,
) -> NDArray[np.uint8]:
    """Draw a battle.

    Blue are the allies, red their enemies; agents show their rank in the order of decision, others the first
    letters of what they are; crosses are the dead. Green bars are health, blue ones above them shields; faint
    rings are ranges, coloured lines attacks, green ones healing, grey ones the edges of the neighbour graph.

    Args:
        figures: all units, allies first.
        cells: where one may walk, by x and y.
        edges: pairs of agents that are neighbours.
        priority: agent indices in order of decision.
        caption: one line above.

    Returns:
        A new uint8 array (SIZE, SIZE, 3).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet
    from matplotlib.patches import Circle, Rectangle

    # At 72 dots per inch a point is a pixel.
    sheet = Sheet(figsize=(SIZE / 72, SIZE / 72), dpi=72, facecolor="white")
    canvas: Any = FigureCanvasAgg(sheet)
    axes = sheet.add_axes((0.0, 0.0, 1.0, 0.95))
    axes.set_axis_off()
    left, right, bottom, top = _frame(figures, len(cells))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.add_patch(Rectangle((0, 0), len(cells), len(cells), color=FLOOR, lw=0, zorder=0))
    for x, y in np.argwhere(~cells):
        axes.add_patch(Rectangle((x, y), 1, 1, color=WALL, lw=0, zorder=0))
    for one, other in edges:
        pair = (figures[one], figures[other])
        axes.plot([f.x for f in pair], [f.y for f in pair], color=MUTED, lw=0.8, alpha=0.35, zorder=1)
    ranks = {agent: rank for rank, agent in enumerate(priority, start=1)}
    for index, figure in enumerate(figures):
        color = ALLY if figure.ally else ENEMY
        if figure.health <= 0:
            axes.plot(figure.x, figure.y, marker="x", color=color, alpha=0.45, ms=7, mew=2, zorder=2)
            continue
        place = (figure.x, figure.y)
        reach = figure.radius + figure.range
        axes.add_patch(Circle(place, reach, fill=False, edgecolor=color, lw=0.7, alpha=0.18, zorder=1))
        axes.add_patch(Circle(place, figure.radius, facecolor=color, edgecolor="white", lw=1, zorder=4))
        if figure.target is not None:
            aim = figures[figure.target]
            tint = HEALTH if aim.ally is figure.ally else color
            axes.plot([figure.x, aim.x], [figure.y, aim.y], color=tint, lw=1.6, alpha=0.7, zorder=3)
        mark = str(ranks[index]) if index in ranks else SHORT.get(figure.kind, figure.kind[:3])
        size = min(11.0, 300 / (right - left) * figure.radius * (1.6 if index in ranks else 1.2))
        axes.text(*place, mark, color="white", size=size, ha="center", va="center", zorder=5)
        _bars(axes, figure)
    sheet.text(0.5, 0.97, caption, color=INK, size=14, ha="center", va="center")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _frame(figures: Sequence[Figure], size: int) -> tuple[float, float, float, float]:
    """A square that shows everybody: left, right, bottom, top."""
    x, y = [figure.x for figure in figures], [figure.y for figure in figures]
    half = min(size / 2, max(LEAST / 2, max(max(x) - min(x), max(y) - min(y)) / 2 + MARGIN))
    middle = (np.clip((max(v) + min(v)) / 2, half, size - half) for v in (x, y))
    left, bottom = (float(m) - half for m in middle)
    return left, left + 2 * half, bottom, bottom + 2 * half


def _bars(axes: Any, figure: Figure) -> None:
    """Health and shields above a unit."""
    from matplotlib.patches import Rectangle

    width, height = 2 * max(figure.radius, 0.4), 0.16
    shown = [(figure.health, HEALTH)] + ([] if figure.shield is None else [(figure.shield, SHIELD)])
    for row, (share, color) in enumerate(shown):
        corner = (figure.x - width / 2, figure.y + figure.radius + 0.12 + 0.2 * row)
        axes.add_patch(Rectangle(corner, width, height, color="white", lw=0, alpha=0.9, zorder=6))
        axes.add_patch(Rectangle(corner, width * share, height, color=color, lw=0, zorder=7))
