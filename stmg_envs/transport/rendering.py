"""Pictures of grid transport: boxes, targets, and who has just moved what.

Plotting libraries are imported where they are used, so that playing a game needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmg_envs.palette import BLUE, GREEN, INK, MUTED, PALE, PURPLE, RED
from stmg_envs.protocol import State
from stmg_envs.transport.board import COLORS, Board

SQUARE, SMALLEST, WHOLE, NARROWEST = 110, 20, 1600, 360
"""Pixels of a square's side at most and at least, of the picture's longer side, and of its width at least."""
MARGIN, HEADER = 14, 56
"""Pixels around the grid, and above it for two lines of text."""
KEY = "squares: boxes   rings: targets   arrows: moved just now   numbers: rank of deciding"
PAINT = {
    "blue": BLUE,
    "red": RED,
    "green": GREEN,
    "purple": PURPLE,
    "orange": "#d98a2b",
}
SLOTS = ((-0.28, -0.28), (0.28, -0.28), (0.0, 0.0), (-0.28, 0.28), (0.28, 0.28))
"""Where in a square each colour stands, right and down from its centre."""


def caption(board: Board, state: State, limit: int) -> str:
    """What there is to say of one episode."""
    left, all_boxes = int(state["boxes"].sum()), int(state["count"])
    collided = board.exclusive and bool((state["boxes"].sum(dim=0) > 1).any())
    end = ", boxes collided" if collided else "" if left else ", all placed"
    return f"step {int(state['clock'])} of {limit}: {all_boxes - left} of {all_boxes} boxes placed{end}"


def write(board: Board, state: State, limit: int) -> str:
    """One line for what lies where, by colour: boxes with their places, targets with their squares."""
    lines = [caption(board, state, limit)]
    for color, name in enumerate(COLORS):
        boxes = _listed(state["boxes"][color], board, state["boxes"].shape[1])
        targets = _listed(state["targets"][color], board, board.n)
        lines.append(f"{name:<7} boxes {boxes}  targets {targets}")
    lines += _told(board, state)
    return "\n".join(lines)


def _listed(counts: Any, board: Board, places: int) -> str:
    """Places that hold something, with how many if more than one."""
    columns = board.columns if places == board.n else board.columns + 1
    found = [
        f"({place // columns}, {place % columns})" + (f" x{int(count)}" if count > 1 else "")
        for place, count in enumerate(counts)
        if count
    ]
    return " ".join(found) or "none"


def _told(board: Board, state: State) -> list[str]:
    """One line for each move of the last step."""
    told = []
    for agent, color, source, destination, placed in _moves(board, state):
        to = "into the target" if placed else f"to {_at(board, destination)}"
        told.append(
            f"agent ({agent // board.columns}, {agent % board.columns}) moved {COLORS[color]} from "
            f"{_at(board, source)} {to}"
        )
    return told


def _at(board: Board, place: int) -> str:
    row, column = (int(x) for x in board.places[place])
    return f"({row}, {column})"


def _moves(board: Board, state: State) -> list[tuple[int, int, int, int, bool]]:
    """Agent, colour, source, destination and whether it is a target, of all who moved something."""
    return [
        (agent, int(color), int(source), int(destination), bool(placed))
        for agent, (color, source, destination, placed) in enumerate(
            zip(*(state[name] for name in ("color", "source", "destination", "placed")), strict=True)
        )
        if source < len(board.places)
    ]


def draw(board: Board, state: State, limit: int, priority: Sequence[int]) -> NDArray[np.uint8]:
    """Draw one episode.

    Squares are boxes, rings targets, with numbers where there are several; arrows what has just been moved;
    small numbers the rank of agents in the order of decision.

    Args:
        board: the board.
        state: of one episode, without its batch axis.
        limit: the time limit.
        priority: agent indices in order of decision.

    Returns:
        A new uint8 array (H, W, 3).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

    # At 72 dots per inch a point is a pixel.
    unit = max(min(SQUARE, WHOLE // max(board.rows, board.columns)), SMALLEST)
    width = max(NARROWEST, unit * board.columns + 2 * MARGIN)
    grid = unit * board.rows + 2 * MARGIN
    height = grid + HEADER
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, grid / height))
    axes.set_axis_off()
    axes.set_aspect("equal")
    margin = MARGIN / unit
    axes.set_xlim(-margin, board.columns + margin)
    axes.set_ylim(board.rows + margin, -margin)
    for agent in range(board.n):
        row, column = divmod(agent, board.columns)
        axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=PALE, linewidth=1.5))
        rank = priority.index(agent) + 1
        axes.text(column + 0.5, row + 0.93, str(rank), color=MUTED, size=8, ha="center", va="center")
    for color, name in enumerate(COLORS):
        paint = PAINT[name]
        for square, count in enumerate(state["targets"][color].tolist()):
            if count:
                row, column = divmod(square, board.columns)
                x, y = column + 0.5 + SLOTS[color][0], row + 0.5 + SLOTS[color][1]
                axes.add_patch(Circle((x, y), 0.16, fill=False, edgecolor=paint, linewidth=2.5))
                if count > 1:
                    axes.text(x + 0.17, y - 0.14, str(count), color=paint, size=9, ha="center")
        for place, count in enumerate(state["boxes"][color].tolist()):
            if count:
                x, y = _drawn_at(board, place, color)
                axes.add_patch(Rectangle((x - 0.09, y - 0.09), 0.18, 0.18, color=paint, zorder=3))
                if count > 1:
                    axes.text(x, y, str(count), color="white", size=9, ha="center", va="center", zorder=4)
    for agent, color, source, destination, placed in _moves(board, state):
        row, column = divmod(agent, board.columns)
        target = (column + 0.5 + SLOTS[color][0], row + 0.5 + SLOTS[color][1])
        end = target if placed else _drawn_at(board, destination, color)
        axes.add_patch(
            FancyArrowPatch(
                _drawn_at(board, source, color),
                end,
                arrowstyle="-|>",
                mutation_scale=12,
                color=PAINT[COLORS[color]],
                linewidth=1.5,
                shrinkA=0,
                shrinkB=0.11 * unit,
                zorder=2,
            )
        )
    figure.text(
        0.5, 1 - 18 / height, caption(board, state, limit), color=INK, size=12, ha="center", va="center"
    )
    figure.text(0.5, 1 - 42 / height, KEY, color=MUTED, size=8, ha="center", va="center")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _drawn_at(board: Board, place: int, color: int) -> tuple[float, float]:
    """Where a box in a place is drawn: in its colour's part of a square, or on the corner."""
    row, column = (float(x) for x in board.places[place])
    if board.exclusive:
        return column, row
    return column + 0.5 + SLOTS[color][0], row + 0.5 + SLOTS[color][1]
