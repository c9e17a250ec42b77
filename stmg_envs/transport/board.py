"""Where boxes can lie, and who can take them where: the two boards of grid transport, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

COLORS = ("blue", "red", "green", "purple", "orange")
SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""North, south, west, east."""
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""North-west, north-east, south-west, south-east; a square has the number of its north-west corner."""


@dataclass(frozen=True, eq=False)
class Board:
    """A grid of n = R * C squares, row by row, each with an agent that cannot move, and P places for boxes.

    Places and squares have numbers; P and n stand for nowhere.

    Attributes:
        rows: R.
        columns: C.
        places: where they are, (P, 2), in rows and columns; a square's agent is at its number.
        takes: places whose boxes an agent can move, int64 (n, W).
        leads: places to which it can move them, int64 (n, 4).
        sees: places whose boxes it sees, int64 (n, V).
        beside: squares whose targets it sees: its own, then the four around, int64 (n, 5).
        ways: from each place to each target, in rows and columns together, (P, n).
        apart: rows and columns together between squares, (n, n).
        offsets: from each square to each other in rows and columns as shares of R and C, (n, n, 2).
        neighbors: whose boxes can end where one's own can, bool (n, n).
        exclusive: whether two boxes in a place have collided.
        most: boxes of a colour there are at most.
    """

    rows: int
    columns: int
    places: Tensor
    takes: Tensor
    leads: Tensor
    sees: Tensor
    beside: Tensor
    ways: Tensor
    apart: Tensor
    offsets: Tensor
    neighbors: Tensor
    exclusive: bool
    most: int

    @property
    def n(self) -> int:
        """Squares, and agents."""
        return len(self.takes)

    def on(self, device: torch.device) -> Board:
        """The same board with its tables on a device."""
        if self.takes.device == device:
            return self
        tables: dict[str, Any] = {
            name: x.to(device) for name, x in vars(self).items() if isinstance(x, Tensor)
        }
        return replace(self, **tables)


def square_board(rows: int, columns: int) -> Board:
    """Boxes and targets lie in squares, any number of them in each; boxes go to the four squares around."""
    squares = _grid(rows, columns)
    around = _numbers(squares, SIDES, rows, columns)
    own = torch.arange(len(squares)).unsqueeze(1)
    beside = torch.cat([own, around], dim=1)
    return _board(rows, columns, squares, squares, own, around, beside, beside, reach=1, exclusive=False)


def corner_board(rows: int, columns: int) -> Board:
    """Targets lie in squares, boxes on corners, one on each; boxes go to the corners of a square."""
    squares, points = _grid(rows, columns), _grid(rows + 1, columns + 1)
    corners = _numbers(squares, CORNERS, rows + 1, columns + 1)
    own = torch.arange(len(squares)).unsqueeze(1)
    beside = torch.cat([own, _numbers(squares, SIDES, rows, columns)], dim=1)
    return _board(
        rows, columns, points, squares + 0.5, corners, corners, corners, beside, reach=2, exclusive=True
    )


def corner_moves(board: Board) -> Tensor:
    """Moves of a box that goes alone from each corner to a corner of each square, (P, n)."""
    middles = _grid(board.rows, board.columns) + 0.5
    return (board.places[:, None] - middles).abs().max(dim=-1).values - 0.5


def _board(
    rows: int,
    columns: int,
    places: Tensor,
    targets: Tensor,
    takes: Tensor,
    leads: Tensor,
    sees: Tensor,
    beside: Tensor,
    reach: int,
    exclusive: bool,
) -> Board:
    """A board whose targets are at (n, 2); neighbours are next to each other, `reach` = 2 also diagonally."""
    steps = (targets[:, None] - targets[None]).abs()
    apart = steps.sum(dim=-1)
    near = (steps.max(dim=-1).values == 1) & (apart <= reach)
    return Board(
        rows=rows,
        columns=columns,
        places=places,
        takes=takes,
        leads=leads,
        sees=sees,
        beside=beside,
        ways=(places[:, None] - targets[None]).abs().sum(dim=-1),
        apart=apart,
        offsets=(targets[None] - targets[:, None]) / torch.tensor([rows, columns]),
        neighbors=near,
        exclusive=exclusive,
        most=1 if exclusive else 3,
    )


def _grid(rows: int, columns: int) -> Tensor:
    """Coordinates of a grid, row by row, (rows * columns, 2)."""
    return torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).float()


def _numbers(squares: Tensor, steps: Sequence[tuple[int, int]], rows: int, columns: int) -> Tensor:
    """Numbers in a grid of what is some steps away from squares (n, 2), int64 (n, steps)."""
    row, column = (squares[:, None].long() + torch.tensor(steps)).unbind(dim=-1)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    return torch.where(inside, row * columns + column, rows * columns)
