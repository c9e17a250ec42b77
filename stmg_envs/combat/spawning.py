"""Where units stand at first: groups packed around their points, as StarCraft's own spreading is closed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.combat.ground import walkable
from stmg_envs.combat.scenarios import SIZE, Scenario
from stmg_envs.combat.units import UNITS

SPACE = 0.05
"""Cells between the units of a group."""


def places(scenario: Scenario) -> Tensor:
    """Positions of all units, allies first, float32 (U, 2).

    Units of one point are packed in hexagons by the greatest separation among them, on ground that is free;
    the enemies' packing is the allies' turned around, so that equal sides meet in mirrored formation.
    """
    sides = []
    cells = walkable(scenario.ground)
    for groups, sign in ((scenario.allies, 1.0), (scenario.enemies, -1.0)):
        centers = dict.fromkeys(center for _, _, center in groups)
        rows: list[tuple[float, float]] = []
        slots = {
            center: iter(
                _free_places(
                    center,
                    sign,
                    max(2 * UNITS[kind].separation for kind, _, point in groups if point == center) + SPACE,
                    cells,
                )
            )
            for center in centers
        }
        for _, count, center in groups:
            for _ in range(count):
                rows.append(next(slots[center]))
        sides.append(torch.tensor(rows))
    return torch.cat(sides)


def _free_places(
    center: tuple[float, float], sign: float, width: float, cells: Tensor
) -> list[tuple[float, float]]:
    """The points of a hexagonal grid around a centre that are on free ground, the nearest first."""
    reach = int(SIZE / width)
    grid = [
        (width * (column + 0.5 * (row % 2)), width * row * math.sqrt(3) / 2)
        for row in range(-reach, reach + 1)
        for column in range(-reach, reach + 1)
    ]
    grid.sort(key=lambda point: (round(math.hypot(*point), 6), point))
    points = [(center[0] + sign * x, center[1] + sign * y) for x, y in grid]
    return [(x, y) for x, y in points if 0 <= x < SIZE and 0 <= y < SIZE and bool(cells[int(x), int(y)])]
