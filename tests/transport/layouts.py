"""States of grid transport by hand."""

from __future__ import annotations

from typing import Any

import torch
from plain_transport import Point

from stmg_envs.protocol import Streams
from stmg_envs.transport import GridTransport


def counts(game: GridTransport, boxes: dict[int, list[Point]], targets: dict[int, list[Point]]) -> Any:
    """A state with boxes and targets by colour."""
    state = game.reset(Streams.from_seeds([0]))
    tables = []
    for name, lying in (("boxes", boxes), ("targets", targets)):
        table = torch.zeros_like(state[name])
        wide = game.board.columns + 1 if name == "boxes" and game.variant == "hard" else game.board.columns
        for color, places in lying.items():
            for row, column in places:
                table[0, color, row * wide + column] += 1
        tables.append(table)
    return state | {"boxes": tables[0], "targets": tables[1], "count": tables[0].sum(dim=(1, 2))}
