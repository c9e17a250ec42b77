"""Grid transport in words: squares, corners, boxes, targets and moves by name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stmg_envs.protocol import Complaint, Doubt, GameText, State
from stmg_envs.transport.board import COLORS, Board, corner_moves
from stmg_envs.transport.moves import ACTIONS, CHOICES, TO_TARGET, legal_actions, nearest_ways

STAY = "stay"
RULES = """\
Boxes and targets of five colours lie on a grid of {rows} rows and {columns} columns of squares. In every
square stands an agent that cannot move. Every box must get into a target of its own colour; a box and the
target that it is put into are gone. All boxes must be placed, in as few steps as possible.

In a step each agent may move one box, or stay. All agents move at once.
{variant}
An agent that cannot help stays. Boxes that are far from their targets are passed on from agent to agent."""
EASY = """\
square[r, c] is the square in row r, counted from 0 at the top, and column c, counted from 0 at the left;
Agent[r, c] stands in it. An agent moves a box of its own square into the square above, below, left or right,
or into a target of the box's colour in its own square. A square holds any number of boxes."""
HARD = """\
square[r, c] is the square whose middle is in row r and column c, and Agent[r, c] stands in it; position[r, c]
is a corner of squares. The square at the top left has the middle [0.5, 0.5] and the corners [0.0, 0.0],
[0.0, 1.0], [1.0, 0.0] and [1.0, 1.0]. Targets are in squares, boxes on corners. An agent moves a box from one
of the four corners of its square to another one that is empty, or into a target of the box's colour in its
square. Two boxes that come to one corner collide, and all is lost: no two agents may move boxes to the same
corner, and no two the same box."""


class TransportText(GameText):
    """The words of the papers' tasks: `Agent[0, 1]`, `move(box_red, square[0, 0])`.

    A part of a plan is doubtful if it moves a box neither into a target nor nearer to the nearest one of its
    colour (Zhang et al. 2023, as in the authors' code). On corners, where an agent has no way to bring the
    box nearer but another one has, that is certain.

    Args:
        board: the board.
    """

    idle = 0
    ask = "rule"

    def __init__(self, board: Board) -> None:
        self.board = board.on(torch.device("cpu"))
        self.rounds = 3 if board.exclusive else 1
        half = 0.5 if board.exclusive else 0
        squares = [divmod(square, board.columns) for square in range(board.n)]
        spots = [f"[{row + half}, {column + half}]" for row, column in squares]
        self.agents = tuple(f"Agent{spot}" for spot in spots)
        self.squares = tuple(f"square{spot}" for spot in spots)
        self.places = self.squares
        if board.exclusive:
            self.places = tuple(f"position[{row}, {column}]" for row, column in board.places.tolist())
        variant = HARD if board.exclusive else EASY
        self.rules = RULES.format(rows=board.rows, columns=board.columns, variant=variant)
        # Chebyshev distance on corners, where a box also moves diagonally.
        self._ways = corner_moves(self.board) if board.exclusive else self.board.ways

    def scene(self, state: State) -> str:
        boxes, targets = state["boxes"][0], state["targets"][0]
        lines = []
        for square in range(self.board.n):
            mine = [] if self.board.exclusive else _things("box", boxes[:, square])
            things = mine + _things("target", targets[:, square])
            lines.append(f"{self.agents[square]} in {self.squares[square]}: {', '.join(things) or 'nothing'}")
        if self.board.exclusive:
            occupied = boxes.sum(dim=0).nonzero().flatten().tolist()
            lines += [
                f"{self.places[place]}: {', '.join(_things('box', boxes[:, place]))}" for place in occupied
            ]
        return "\n".join(lines)

    def view(self, state: State, agent: int) -> str:
        lines = self.scene(state).splitlines()
        places = {self.places[place] for place in self.board.takes[agent].tolist()} - {self.squares[agent]}
        corners = [line for line in lines[self.board.n :] if line.partition(":")[0] in places]
        near = state["boxes"][0][:, self.board.takes[agent]].sum(dim=1) > 0
        goals = [
            f"target_{color} is in {self.squares[square]}"
            for color, here, targets in zip(COLORS, near, state["targets"][0], strict=True)
            if here
            for square in targets.nonzero().flatten().tolist()
        ]
        return "\n".join([lines[agent], *corners, *goals])

    def actions(self, agent: int) -> Sequence[str]:
        return [STAY, *(self._name(agent, action) for action in range(1, ACTIONS))]

    def _name(self, agent: int, action: int) -> str:
        color, choice = divmod(action - 1, CHOICES)
        if choice == TO_TARGET:
            return f"move(box_{COLORS[color]}, target_{COLORS[color]})"
        place = int(self.board.leads[agent, choice])
        # A move off the grid, which is never legal.
        where = self.places[place] if place < len(self.places) else "nowhere"
        return f"move(box_{COLORS[color]}, {where})"

    def complaints(self, state: State, actions: Sequence[int | None]) -> list[Complaint]:
        if not self.board.exclusive:
            return []
        boxes: dict[int, list[int]] = {}
        ends: dict[int, list[int]] = {}
        for agent, action in enumerate(actions):
            if action:
                color, choice = divmod(action - 1, CHOICES)
                boxes.setdefault(color, []).append(agent)
                if choice != TO_TARGET:
                    ends.setdefault(int(self.board.leads[agent, choice]), []).append(agent)
        several = [
            (agents, f"both move box_{COLORS[color]}, but one box is moved by one agent only")
            for color, agents in boxes.items()
        ] + [
            (agents, f"both move a box to {self.places[place]}, where the boxes would collide")
            for place, agents in ends.items()
        ]
        return [
            Complaint(tuple(agents), f"{' and '.join(self.agents[agent] for agent in agents)} {reason}.")
            for agents, reason in several
            if len(agents) > 1
        ]

    def doubts(self, state: State, actions: Sequence[int]) -> dict[int, Doubt]:
        boxes, targets = state["boxes"], state["targets"]
        ways = (
            nearest_ways(self.board, targets)[0] if not self.board.exclusive else self._corner_ways(targets)
        )
        legal = legal_actions(self.board, boxes, targets)[0]
        doubts = {}
        for agent, action in enumerate(actions):
            color, choice = divmod(action - 1, CHOICES)
            if not action or choice == TO_TARGET:
                continue
            source = self._source(boxes[0, color], agent)
            gain = self._gain(ways[color], source, agent, choice)
            if gain > 0:
                continue
            reason = f"box_{COLORS[color]} comes no nearer to a target of its colour by this move."
            better = None
            if self.board.exclusive and self._most(ways[color], source, agent, legal[agent], color) <= 0:
                better = self._better(ways[color], source, agent, legal, color)
            if better is not None:
                reason += f" {self.agents[agent]} cannot bring it nearer; {self.agents[better]} can."
            doubts[agent] = Doubt(reason, certain=better is not None)
        return doubts

    def _corner_ways(self, targets: Tensor) -> Tensor:
        """Moves from each corner to the target of each colour, (5, P)."""
        return self._ways[:, targets[0].argmax(dim=1)].t()

    def _source(self, boxes: Tensor, agent: int) -> int:
        """The place from which an agent takes a box of a colour, (P,) by place."""
        takes = self.board.takes[agent]
        return int(takes[boxes[takes].argmax()])

    def _gain(self, ways: Tensor, source: int, agent: int, choice: int) -> float:
        """How much nearer an agent's choice brings a box."""
        return float(ways[source] - ways[self.board.leads[agent, choice]])

    def _most(self, ways: Tensor, source: int, agent: int, legal: Tensor, color: int) -> float:
        """How much nearer an agent can bring a box of a colour at most; a target is nearest."""
        first = 1 + color * CHOICES
        if legal[first + TO_TARGET]:
            return float("inf")
        gains = [
            self._gain(ways, source, agent, choice) for choice in range(TO_TARGET) if legal[first + choice]
        ]
        return max(gains, default=0.0)

    def _better(self, ways: Tensor, source: int, agent: int, legal: Tensor, color: int) -> int | None:
        """The agent that can bring the box at a corner nearest, if any can."""
        others = [
            other
            for other in range(self.board.n)
            if other != agent and source in self.board.takes[other].tolist()
        ]
        gains = {other: self._most(ways, source, other, legal[other], color) for other in others}
        best = max(gains, key=lambda other: gains[other], default=None)
        return best if best is not None and gains[best] > 0 else None


def _things(kind: str, counts: Tensor) -> list[str]:
    """Boxes or targets of a place by name, from how many there are of each colour, (5,)."""
    return [
        f"{kind}_{color}" for color, count in zip(COLORS, counts.tolist(), strict=True) for _ in range(count)
    ]
