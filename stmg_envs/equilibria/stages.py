"""Finite games in stages, solved stage by stage from the last one back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmg_envs.equilibria.equality import largest, payoff_scale
from stmg_envs.equilibria.one_shot import (
    JointAction,
    Payoffs,
    Stackelberg,
    check_order,
    global_optima,
    pure_nash,
    stackelberg,
)
from stmg_envs.errors import InvalidArgumentError


@dataclass(frozen=True)
class StageTable:
    """A game as a graph of matrix games.

    Attributes:
        payoffs: float64 (S, n, A1, ..., An).
        successors: int (S, A1, ..., An); the stage that follows, or -1 where the game ends.
    """

    payoffs: Payoffs
    successors: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.payoffs[:, 0].shape != self.successors.shape:
            raise InvalidArgumentError(
                f"successors have shape {self.successors.shape}; expected {self.payoffs[:, 0].shape}, "
                f"the payoffs' shape without the agent axis"
            )
        wrong = (self.successors < -1) | (self.successors >= self.stages)
        if wrong.any():
            raise InvalidArgumentError(
                f"successors contain {self.successors[wrong][0]}; expected stages 0..{self.stages - 1}, or -1"
            )

    @property
    def stages(self) -> int:
        return self.payoffs.shape[0]

    @property
    def n(self) -> int:
        return self.payoffs.shape[1]

    @property
    def one_shot(self) -> bool:
        return self.stages == 1

    def check_acyclic(self) -> None:
        """Raise InvalidArgumentError unless every stage leads to later stages only."""
        index = np.arange(self.stages).reshape(-1, *([1] * self.n))
        if not ((self.successors > index) | (self.successors == -1)).all():
            raise InvalidArgumentError(
                "the game returns to earlier stages, so it cannot be solved from the last stage back; "
                "solve its one-shot stage game instead"
            )

    def scales(self) -> NDArray[np.float64]:
        """What payoffs from each stage to the end are compared on, (S, n): the most that can be added up.

        Large payoffs may cancel, but their rounding errors stay, so absolute values count.

        Raises:
            InvalidArgumentError: if the game returns to an earlier stage.
        """
        self.check_acyclic()
        # The extra last row, index -1, is the end of the game.
        scales = np.zeros((self.stages + 1, self.n))
        for stage in reversed(range(self.stages)):
            later = scales[self.successors[stage]].reshape(-1, self.n).max(axis=0)
            scales[stage] = payoff_scale(self.payoffs[stage]) + later
        return scales[:-1]


@dataclass(frozen=True)
class StageSolution:
    """A subgame-perfect Stackelberg solution of a game in stages.

    Attributes:
        stages: the equilibrium of each stage, whose payoffs are those of the rest of the game.
        continuations: payoff to the end of the game, float64 (S, n, A1, ..., An).
        scales: what each stage's continuations are compared on, float64 (S, n).
        path: stages visited under equilibrium play from stage 0.
        returns: undiscounted return of each agent on that path, float64 (n,).
    """

    stages: tuple[Stackelberg, ...]
    continuations: Payoffs
    scales: NDArray[np.float64]
    path: tuple[int, ...]
    returns: NDArray[np.float64]

    @property
    def actions(self) -> tuple[JointAction, ...]:
        """Joint actions along the path."""
        return tuple(self.stages[stage].actions for stage in self.path)

    def nash(self, stage: int) -> list[JointAction]:
        """Pure Nash equilibria of a stage, given equilibrium play afterwards."""
        return pure_nash(self.continuations[stage], self.scales[stage])

    def optima(self, stage: int) -> list[JointAction]:
        """Joint actions of a stage with the largest total, given equilibrium play afterwards."""
        return global_optima(self.continuations[stage], self.scales[stage])


def solve_stages(table: StageTable, priority: Sequence[int] | None = None) -> StageSolution:
    """Stackelberg equilibria of every stage by backward induction over stages.

    Args:
        table: a game whose stages lead to later stages only.
        priority: agent indices, leader first; identity by default.

    Raises:
        InvalidArgumentError: if the game returns to an earlier stage.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    order = check_order(table.n, priority)
    continuations = table.payoffs.astype(np.float64, copy=True)
    # The extra last row, index -1, is the end of the game, worth nothing more.
    worth, scales = np.zeros((table.stages + 1, table.n)), table.scales()
    solutions: list[Stackelberg] = []
    for stage in reversed(range(table.stages)):
        continuations[stage] += np.moveaxis(worth[table.successors[stage]], -1, 0)
        solution = stackelberg(continuations[stage], order, scales[stage])
        worth[stage] = solution.payoffs
        solutions.append(solution)
    solutions.reverse()

    path, stage = [0], int(table.successors[(0, *solutions[0].actions)])
    while stage >= 0:
        path.append(stage)
        stage = int(table.successors[(stage, *solutions[stage].actions)])
    return StageSolution(tuple(solutions), continuations, scales, tuple(path), worth[0].copy())


def stackelberg_returns(table: StageTable, priority: Sequence[int] | None = None) -> NDArray[np.float64]:
    """Undiscounted return of each agent under Stackelberg play from the first stage, (n,)."""
    return solve_stages(table, priority).returns


def optimal_stage_returns(table: StageTable) -> NDArray[np.float64]:
    """Returns per agent of every joint play with the largest sum of undiscounted returns, (m, n).

    Raises:
        InvalidArgumentError: if the game returns to an earlier stage.
    """
    scales = table.scales().sum(axis=1)
    # The extra last entry, index -1, is the end of the game.
    worth, best = np.zeros(table.stages + 1), [np.zeros((1, table.n))] * (table.stages + 1)
    for stage in reversed(range(table.stages)):
        payoffs, successors = table.payoffs[stage], table.successors[stage]
        total = payoffs.sum(axis=0) + worth[successors]
        optimal = np.argwhere(largest(total, scales[stage]))
        plays = [payoffs[:, *joint] + best[successors[tuple(joint)]] for joint in optimal]
        best[stage] = np.unique(np.concatenate(plays), axis=0)
        worth[stage] = total.max()
    return best[0]
