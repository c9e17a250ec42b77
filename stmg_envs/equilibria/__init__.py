"""Exact solutions of finite games: Stackelberg and Nash equilibria, global optima."""

from stmg_envs.equilibria.equality import same_returns
from stmg_envs.equilibria.one_shot import Stackelberg, Tie, global_optima, pure_nash, stackelberg
from stmg_envs.equilibria.stages import (
    StageSolution,
    StageTable,
    optimal_stage_returns,
    solve_stages,
    stackelberg_returns,
)

__all__ = [
    "Stackelberg",
    "StageSolution",
    "StageTable",
    "Tie",
    "global_optima",
    "optimal_stage_returns",
    "pure_nash",
    "same_returns",
    "solve_stages",
    "stackelberg",
    "stackelberg_returns",
]
