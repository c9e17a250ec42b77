"""Finite games in stages, solved stage by stage from the last one back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class StageSolution:
    """A subgame-perfect Stackelberg solution of a game in stages.

    Attributes:
        stages: the equilibrium of each stage, whose payoffs are those of the rest of the game.
        continuations: payoff to the end of the game, float64 (S, n, A1, ..., An).
        path: stages visited under equilibrium play from stage 0.
        returns: undiscounted return of each agent on that path, float64 (n,).
    """

    stages: tuple[Stackelberg, ...]
    continuations: Payoffs
    path: tuple[int, ...]
    returns: NDArray[np.float64]

    @property
    def actions(self) -> tuple[JointAction, ...]:
        """Joint actions along the path."""
        return tuple(self.stages[stage].actions for stage in self.path)

    def nash(self, stage: int) -> list[JointAction]:
        """Pure Nash equilibria of a stage, given equilibrium play afterwards."""
        return pure_nash(self.continuations[stage])

    def optima(self, stage: int) -> list[JointAction]:
        """Joint actions of a stage with the largest total, given equilibrium play afterwards."""
        return global_optima(self.continuations[stage])


def solve_stages(table: StageTable, priority: Sequence[int] | None = None) -> StageSolution:
    """Stackelberg equilibria of every stage by backward induction over stages.

    Args:
        table: a game whose stages lead to later stages only.
        priority: agent indices, leader first; identity by default.

    Raises:
        InvalidArgumentError: if the game returns to an earlier stage.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    table.check_acyclic()
    order = check_order(table.n, priority)
    continuations = table.payoffs.astype(np.float64, copy=True)
    # The extra last row, index -1, is the end of the game, worth nothing more.
    worth = np.zeros((table.stages + 1, table.n))
    solutions: list[Stackelberg] = []
    for stage in reversed(range(table.stages)):
        continuations[stage] += np.moveaxis(worth[table.successors[stage]], -1, 0)
        solution = stackelberg(continuations[stage], order)
        worth[stage] = solution.payoffs
        solutions.append(solution)
    solutions.reverse()

    path, stage = [0], int(table.successors[(0, *solutions[0].actions)])
    while stage >= 0:
        path.append(stage)
        stage = int(table.successors[(stage, *solutions[stage].actions)])
    return StageSolution(tuple(solutions), continuations, tuple(path), worth[0].copy())


def stackelberg_returns(table: StageTable, priority: Sequence[int] | None = None) -> NDArray[np.float64]:
    """Undiscounted return of each agent under Stackelberg play from the first stage, (n,)."""
    return solve_stages(table, priority).returns


def optimal_stage_returns(table: StageTable) -> NDArray[np.float64]:
    """Returns per agent of every joint play with the largest sum of undiscounted returns, (m, n)."""
    table.check_acyclic()
    ends = np.zeros((1, table.n))
    best: list[NDArray[np.float64]] = [ends] * table.stages
    for stage in reversed(range(table.stages)):
        successors = table.successors[stage]
        later = np.array([0.0 if s < 0 else best[s][0].sum() for s in successors.flat]).reshape(
            successors.shape
        )
        total = table.payoffs[stage].sum(axis=0) + later
        plays = []
        for joint in np.argwhere(np.isclose(total, total.max(), rtol=1e-12, atol=1e-12)):
            successor = int(successors[tuple(joint)])
            plays.append(table.payoffs[stage, :, *joint] + (ends if successor < 0 else best[successor]))
        best[stage] = np.unique(np.concatenate(plays), axis=0)
    return best[0]
