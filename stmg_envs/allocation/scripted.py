"""Players that know the best sum: all at once, and one after another.

They bound what can be had, and show that the game is hard for nobody who is told the others' shares.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.allocation.worth import MOST


def shared_out(best: Tensor, n: int) -> Tensor:
    """An optimal joint action: shares that differ by at most 1, the greater ones first, int64 (B, n).

    Args:
        best: the best sum of each episode, int64 (B,).
        n: agents.
    """
    more = torch.arange(n, device=best.device) < (best % n)[:, None]
    return (best // n)[:, None] + more


def next_share(best: Tensor, taken: Tensor, left: int) -> Tensor:
    """What an agent takes that sees its superiors' shares: an even part of what is missing, int64 (B,).

    A sum that those who are left can still reach stays reachable, and the last one takes all that is missing.

    Args:
        best: the best sum of each episode, int64 (B,).
        taken: the sum of its superiors' shares, int64 (B,).
        left: agents that have not decided, itself included.
    """
    return ((best - taken) / left).round().long().clamp(0, MOST)


def in_turns(best: Tensor, priority: Tensor) -> Tensor:
    """The joint action of agents that decide one after another by `next_share`, int64 (B, n).

    Args:
        best: the best sum of each episode, int64 (B,).
        priority: agent indices in order of decision, int64 (B, n).
    """
    actions = torch.zeros_like(priority)
    n = priority.shape[1]
    for rank in range(n):
        share = next_share(best, actions.sum(dim=1), n - rank)
        actions.scatter_(1, priority[:, rank, None], share[:, None])
    return actions
