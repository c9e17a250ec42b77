"""Roads with a few vehicles placed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from stmg_envs.merge.roads import LANES
from stmg_envs.merge.vehicles import Motion, Vehicles


def place(rows: Sequence[dict[str, Any]]) -> Vehicles:
    """Vehicles (V, 1) at rest unless said otherwise; lanes and targets are the nearest lanes."""
    defaults = {"heading": 0.0, "speed": 0.0, "timer": 0.0, "crashed": False, "present": True}
    table = [{**defaults, **row} for row in rows]

    def column(name: str, otherwise: str | None = None) -> torch.Tensor:
        values = [row.get(name, row.get(otherwise)) for row in table]
        flags = isinstance(values[0], bool)
        return torch.tensor(values, dtype=torch.bool if flags else torch.float64)[:, None]

    zero = torch.zeros(len(table), 1, dtype=torch.float64)
    lane = torch.zeros(len(table), 1, dtype=torch.int64)
    vehicles = Vehicles(
        x=column("x"),
        y=column("y"),
        heading=column("heading"),
        speed=column("speed"),
        target_speed=column("target_speed", "speed"),
        timer=column("timer"),
        push_x=zero,
        push_y=zero,
        pushed=zero.bool(),
        lane=lane,
        target=lane,
        crashed=column("crashed"),
        present=column("present"),
    )
    near = Motion.of(vehicles).closest()
    target = [row.get("target", int(own)) for row, own in zip(table, near, strict=True)]
    return replace(vehicles, lane=near, target=torch.tensor(target)[:, None])


def lane_name(vehicles: Vehicles, index: int) -> tuple[str, str, int]:
    """The lane of a vehicle as highway-env names it."""
    return LANES[int(vehicles.lane[index, 0])]
