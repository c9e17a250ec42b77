"""Priorities: permutations of the agents, first to decide first."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stmg_envs.arguments import shown
from stmg_envs.errors import InvalidPriorityError


def check_priority(agents: Sequence[str], priority: object) -> tuple[str, ...]:
    """Validate a priority given by names.

    Args:
        agents: all agents of the game.
        priority: agent names, first to decide first.

    Returns:
        The priority as a tuple of names.

    Raises:
        InvalidPriorityError: if it is not a permutation of the agents.
    """
    names = tuple(priority) if isinstance(priority, Sequence) and not isinstance(priority, str) else None
    if names is None or not all(isinstance(name, str) for name in names) or sorted(names) != sorted(agents):
        raise InvalidPriorityError(
            f"priority={shown(priority)} is not a permutation of the agents; expected each of "
            f"{tuple(agents)} once, first to decide first, for instance {tuple(reversed(agents))}"
        )
    return names


def priority_indices(agents: Sequence[str], priority: object, batch: int, device: torch.device) -> Tensor:
    """Validate a priority for a batch and return agent indices in order of rank.

    Args:
        agents: all agents of the game.
        priority: names (n,), indices (n,), or a tensor of indices (B, n).
        batch: B.
        device: where the result lives.

    Returns:
        LongTensor (B, n); entry [b, k] is the agent of rank k in environment b.

    Raises:
        InvalidPriorityError: if a row is not a permutation of the agents.
    """
    n = len(agents)
    if isinstance(priority, Sequence) and any(isinstance(name, str) for name in priority):
        priority = [agents.index(name) for name in check_priority(agents, priority)]
    try:
        order = torch.as_tensor(priority, device=device)
        whole = not (order.is_floating_point() or order.is_complex() or order.dtype == torch.bool)
        valid = whole and order.shape in {(n,), (batch, n)}
    except (TypeError, ValueError, RuntimeError):
        valid = False
    if valid:
        order = order.long().expand(batch, n).clone()
        valid = bool((order.sort(dim=-1).values == torch.arange(n, device=device)).all())
    if not valid:
        raise InvalidPriorityError(
            f"priority={shown(priority)} is not a permutation of the agents; expected agent names, or agent "
            f"indices 0..{n - 1} of shape ({n},) or ({batch}, {n}), each agent once"
        )
    return order


def identity_priority(n: int, batch: int, device: torch.device | str) -> Tensor:
    """Agents in their own order, LongTensor (B, n)."""
    return torch.arange(n, device=device).repeat(batch, 1)
