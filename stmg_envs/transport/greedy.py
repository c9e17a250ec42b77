"""A planner for grid transport that looks one step ahead, and plays for all agents."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from stmg_envs.protocol import State
from stmg_envs.transport.board import COLORS, Board, corner_moves
from stmg_envs.transport.moves import ACTIONS, CHOICES, TO_TARGET, legal_actions

Counts = NDArray[np.int64]

PLACES = np.isin(np.arange(ACTIONS), [1 + color * CHOICES + TO_TARGET for color in range(len(COLORS))])
"""Which actions put a box into a target, bool (26,)."""


class GreedyPlayer:
    """Plays the joint action that brings boxes nearest now.

    "easy": boxes of each colour are matched with its targets so that all their ways together are shortest. An
    agent moves the box of its square that has the longest way a square on; where none has a way, it places
    one: that can wait, a long way cannot.

    "hard": agents choose one after another. Each places what it can; or else moves the box whose way becomes
    shortest by it, in moves of a box that goes alone, to a corner that is free and that nobody before it has
    chosen. If nobody can shorten a way, one box goes to a free corner at random.

    Args:
        board: the board.
        seed: of the random moves.
    """

    def __init__(self, board: Board, seed: int = 0) -> None:
        self.board = board.on(torch.device("cpu"))
        self._random = np.random.default_rng(seed)
        self._takes, self._leads = self.board.takes.numpy(), self.board.leads.numpy()
        self._ways = self.board.ways.numpy()
        self._moves = corner_moves(self.board).numpy()

    def __call__(self, state: State) -> Tensor:
        """Joint actions, int64 (B, n), for the state of B episodes."""
        boxes, targets = state["boxes"].cpu(), state["targets"].cpu()
        legal = legal_actions(self.board, boxes, targets).numpy()
        plan = self._corners if self.board.exclusive else self._squares
        plans = [plan(*episode) for episode in zip(boxes.numpy(), targets.numpy(), legal, strict=True)]
        return torch.from_numpy(np.stack(plans)).to(state["boxes"].device)

    def _squares(self, boxes: Counts, targets: Counts, legal: NDArray[np.bool_]) -> Counts:
        """The plan of one episode whose boxes lie in squares."""
        actions = np.zeros(self.board.n, np.int64)
        longest = np.zeros(self.board.n)
        for color in range(len(COLORS)):
            sources = np.repeat(np.arange(self.board.n), boxes[color])
            goals = np.repeat(np.arange(self.board.n), targets[color])
            pairs = linear_sum_assignment(self._ways[np.ix_(sources, goals)])
            for source, goal in zip(sources[pairs[0]], goals[pairs[1]], strict=True):
                way = self._ways[source, goal]
                if way > longest[source]:
                    longest[source] = way
                    actions[source] = 1 + color * CHOICES + self._side(source, goal)
        placing = legal & PLACES
        return np.where((actions == 0) & placing.any(axis=1), placing.argmax(axis=1), actions)

    def _side(self, source: int, goal: int) -> int:
        """The side by which a box goes nearer, along the longer part of its way."""
        row, column = (int(x) for x in np.divmod(goal, self.board.columns))
        down, right = row - source // self.board.columns, column - source % self.board.columns
        if abs(down) > abs(right):
            return 1 if down > 0 else 0
        return 3 if right > 0 else 2

    def _corners(self, boxes: Counts, targets: Counts, legal: NDArray[np.bool_]) -> Counts:
        """The plan of one episode whose boxes lie on corners."""
        actions = np.zeros(self.board.n, np.int64)
        named: set[int] = set()
        claimed: set[int] = set()
        for agent in range(self.board.n):
            action = self._best(agent, boxes, targets, legal[agent], named, claimed)
            actions[agent] = action
            if action:
                color, choice = divmod(action - 1, CHOICES)
                named.add(color)
                if choice != TO_TARGET:
                    claimed.add(int(self._leads[agent, choice]))
        possible = np.argwhere(legal[:, 1:])
        if not actions.any() and len(possible):
            agent, move = self._random.choice(possible)
            actions[agent] = 1 + move
        return actions

    def _best(
        self,
        agent: int,
        boxes: Counts,
        targets: Counts,
        legal: NDArray[np.bool_],
        named: set[int],
        claimed: set[int],
    ) -> int:
        """What an agent does about the boxes that nobody has named and corners that nobody has claimed."""
        best, most = 0, 0.0
        for action in np.flatnonzero(legal[1:]) + 1:
            color, choice = divmod(int(action) - 1, CHOICES)
            if color in named:
                continue
            if choice == TO_TARGET:
                return int(action)
            place = int(self._leads[agent, choice])
            if place in claimed:
                continue
            goal = targets[color].argmax()
            gain = self._moves[boxes[color].argmax(), goal] - self._moves[place, goal]
            if gain > most:
                best, most = int(action), gain
        return best
