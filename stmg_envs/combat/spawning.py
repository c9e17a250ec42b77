"""Where units stand at first: groups packed around their points, as StarCraft's own spreading is closed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.combat.scenarios import Scenario
from stmg_envs.combat.units import UNITS

SPACE = 0.05
"""Cells between the units of a group."""


def places(scenario: Scenario) -> Tensor:
    """Positions of all units, allies first, float32 (U, 2).

    Units of one point are packed in hexagons by the greatest separation among them; the enemies' packing is
    the allies' turned around, so that equal sides meet in mirrored formation.
    """
    sides = []
    for groups, sign in ((scenario.allies, 1.0), (scenario.enemies, -1.0)):
        centers = dict.fromkeys(center for _, _, center in groups)
        rows: list[tuple[float, float]] = []
        slots = {
            center: iter(
                _hexagons(
                    sum(count for _, count, point in groups if point == center),
                    max(2 * UNITS[kind].separation for kind, _, point in groups if point == center) + SPACE,
                )
            )
            for center in centers
        }
        for _, count, center in groups:
            for _ in range(count):
                x, y = next(slots[center])
                rows.append((center[0] + sign * x, center[1] + sign * y))
        sides.append(torch.tensor(rows))
    return torch.cat(sides)


def _hexagons(count: int, width: float) -> list[tuple[float, float]]:
    """The points of a hexagonal grid that are nearest to its origin."""
    reach = math.isqrt(count) + 2
    points = [
        (width * (column + 0.5 * (row % 2)), width * row * math.sqrt(3) / 2)
        for row in range(-reach, reach + 1)
        for column in range(-reach, reach + 1)
    ]
    return sorted(points, key=lambda point: (round(math.hypot(*point), 6), point))[:count]
