"""Priority-ordered turns for any PettingZoo parallel environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pettingzoo import ParallelEnv

from stmg_envs.protocol import PriorityParallelEnv, TurnBasedEnv
from wrappers.priority import PriorityRule, WithPriority


def spatio_temporal(
    parallel_env: ParallelEnv[str, Any, Any], priority: Sequence[str] | PriorityRule | None = None
) -> TurnBasedEnv:
    """Play a parallel environment in turns: each agent sees its superiors' actions of the timestep.

    Args:
        parallel_env: any PettingZoo parallel environment whose actions are all Discrete or all
            one-dimensional Box.
        priority: agent names, first to decide first, or a rule (`wrappers.random_order()`, ...); by
            default the environment's own.

    Returns:
        An AEC environment; see `stmg_envs.protocol.TurnSpaces` for its observations.

    Raises:
        InvalidPriorityError: if the priority is no permutation of the agents.
        InvalidArgumentError: if the action spaces have no turn-based form.
    """
    if priority is None and isinstance(parallel_env, PriorityParallelEnv):
        return TurnBasedEnv(parallel_env)
    return TurnBasedEnv(WithPriority(parallel_env, priority))
