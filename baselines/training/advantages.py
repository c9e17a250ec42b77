"""Generalised advantage estimation per agent, with truncation kept apart from termination."""

from __future__ import annotations

import torch
from torch import Tensor


def generalized_advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    gamma: float,
    gae_lambda: float,
    lost: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Advantages and returns of subgame states (Schulman et al. 2016; protocol, consequence 3).

    Discounting is per timestep: the n turns of a timestep share one discount. Agents end one by one: who is
    terminated bootstraps from nothing, who is truncated from the value of what it saw last; both end the
    agent's own sum. Values that nothing is bootstrapped from are selected out, so they may be anything.

    Args:
        rewards: float (T, B, n), own reward of each agent.
        values: V^i(s_t, a_t^{1:i-1}), float (T, B, n), in units of returns.
        next_values: V^i(s_{t+1}, a_{t+1}^{1:i-1}) of the observation that followed before any
            autoreset, float (T, B, n).
        terminated: bool (T, B, n).
        truncated: bool (T, B, n).
        gamma: discount per timestep.
        gae_lambda: lambda.
        lost: bool (T, B), truncated steps of which nobody knows what came. Their advantages are 0, and the
            step before bootstraps from the value where they began. None are by default.

    Returns:
        Advantages and returns (advantages + values), each float (T, B, n).
    """
    ended = terminated | truncated
    deltas = rewards + gamma * torch.where(terminated, 0.0, next_values) - values
    if lost is not None:
        deltas = torch.where(lost.unsqueeze(-1), 0.0, deltas)
    advantages = torch.empty_like(values)
    carry = torch.zeros_like(values[0])
    for t in reversed(range(values.shape[0])):
        carry = deltas[t] + gamma * gae_lambda * torch.where(ended[t], 0.0, carry)
        advantages[t] = carry
    return advantages, advantages + values
