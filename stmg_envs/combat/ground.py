"""Where one may walk, and which way leads to a place."""

from __future__ import annotations

import re
from collections import deque

import torch
from torch import Tensor

from stmg_envs.combat.scenarios import SIZE

NEXT = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
"""Steps from a cell to the eight around it."""


def walkable(rows: str) -> Tensor:
    """The cells on which one may walk, bool (SIZE, SIZE), by x and y.

    Args:
        rows: `y8-23: x0-5 x8-19; ...`, all ranges inclusive; rows that are not named are blocked.
    """
    cells = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    for row in rows.split(";"):
        heights, _, ranges = row.partition(":")
        bottom, top = (int(number) for number in re.findall(r"\d+", heights))
        for left, right in re.findall(r"x(\d+)-(\d+)", ranges):
            cells[int(left) : int(right) + 1, bottom : top + 1] = True
    return cells


def directions(cells: Tensor, goal: tuple[float, float]) -> Tensor:
    """From every cell the direction of the shortest way to a goal, float32 (SIZE, SIZE, 2).

    Ways go from cell to cell, also diagonally between two blocked ones, as the narrows of a map are like
    that; 0 where there is no way, and in the goal's cell.
    """
    free = cells.tolist()
    start = (int(goal[0]), int(goal[1]))
    steps: dict[tuple[int, int], int] = {start: 0}
    towards = torch.zeros(SIZE, SIZE, 2)
    line = deque([start])
    # Straight steps first, as of ways with as many steps the straight one is shorter.
    order = sorted(NEXT, key=lambda step: abs(step[0]) + abs(step[1]))
    while line:
        x, y = line.popleft()
        for dx, dy in order:
            cell = (x - dx, y - dy)
            inside = 0 <= cell[0] < SIZE and 0 <= cell[1] < SIZE
            if not inside or cell in steps or not free[cell[0]][cell[1]]:
                continue
            steps[cell] = steps[x, y] + 1
            towards[cell] = torch.tensor([dx, dy]) / (dx * dx + dy * dy) ** 0.5
            line.append(cell)
    return towards
