"""Grid transport written down a second time: one episode, lists and loops, as the tasks are described."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[int, int]
STEPS = {0: (-1, 0), 1: (1, 0), 2: (0, -1), 3: (0, 1)}


@dataclass
class PlainEpisode:
    """One episode.

    Attributes:
        hard: whether boxes lie on corners.
        rows: of the grid.
        columns: of the grid.
        boxes: (colour, place), one entry for each box.
        targets: (colour, square), one entry for each target.
    """

    hard: bool
    rows: int
    columns: int
    boxes: list[tuple[int, Point]]
    targets: list[tuple[int, Point]]
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.count = len(self.boxes)

    def moves(self, square: Point) -> dict[int, tuple[int, Point, Point | None]]:
        """What the agent of a square may do: action to colour, place, and new place (None for the target)."""
        found: dict[int, tuple[int, Point, Point | None]] = {}
        for color, place in self.boxes:
            if place not in self._own(square):
                continue
            for choice, there in self._leads(square).items():
                if self.hard and any(there == occupied for _, occupied in self.boxes):
                    continue
                found[1 + 5 * color + choice] = (color, place, there)
            if (color, square) in self.targets:
                found[1 + 5 * color + 4] = (color, place, None)
        return found

    def _own(self, square: Point) -> list[Point]:
        """Places whose boxes the agent of a square moves."""
        row, column = square
        return [(row + i, column + j) for i in (0, 1) for j in (0, 1)] if self.hard else [square]

    def _leads(self, square: Point) -> dict[int, Point]:
        if self.hard:
            return dict(enumerate(self._own(square)))
        around = {choice: (square[0] + i, square[1] + j) for choice, (i, j) in STEPS.items()}
        return {
            choice: there
            for choice, there in around.items()
            if 0 <= there[0] < self.rows and 0 <= there[1] < self.columns
        }

    def way(self, color: int, place: Point, targets: list[tuple[int, Point]]) -> float:
        """Rows and columns between a box and the nearest target of its colour."""
        middle = 0.5 if self.hard else 0.0
        return min(
            abs(place[0] - row - middle) + abs(place[1] - column - middle)
            for of, (row, column) in targets
            if of == color
        )

    def potential(self) -> float:
        """All ways together."""
        return sum(self.way(color, place, self.targets) for color, place in self.boxes)

    def step(self, actions: list[int]) -> tuple[list[float], float, bool, bool]:
        """Rewards for progress, own and of the team, and whether all is done, and boxes have collided."""
        squares = [(row, column) for row in range(self.rows) for column in range(self.columns)]
        chosen = [self.moves(square).get(action) for square, action in zip(squares, actions, strict=True)]
        before, targets = self.potential(), list(self.targets)
        named: list[tuple[int, Point]] = []
        gained, placed = [0.0] * len(squares), [0] * len(squares)
        arrivals = []
        for agent, (square, move) in enumerate(zip(squares, chosen, strict=True)):
            if move is None:
                continue
            color, place, there = move
            if self.hard and (color, place) in named:
                continue
            named.append((color, place))
            gained[agent] = self.way(color, place, targets)
            self.boxes.remove((color, place))
            if there is None:
                self.targets.remove((color, square))
                placed[agent] = 1
            else:
                gained[agent] -= self.way(color, there, targets)
                arrivals.append((color, there))
        self.boxes += arrivals
        collided = self.hard and len({place for _, place in self.boxes}) < len(self.boxes)
        done = not self.boxes
        nearer = 0.0 if collided else before - self.potential()
        if collided:
            gained = [0.0] * len(squares)
        side = self.rows + self.columns
        end = float(done) - float(collided)
        own = [(p + 0.5 * g / side) / self.count - 0.01 + end for p, g in zip(placed, gained, strict=True)]
        return own, (sum(placed) + 0.5 * nearer / side) / self.count - 0.01 + end, done, collided
