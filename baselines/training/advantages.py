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

    Discounting is per timestep: the n turns of a timestep share one discount. A terminated step
    bootstraps from nothing, a truncated one from the value of its true last observation; both end the sum.

    Args:
        rewards: float (T, B, n), own reward of each agent.
        values: V^i(s_t, a_t^{1:i-1}), float (T, B, n), in units of returns.
        next_values: V^i(s_{t+1}, a_{t+1}^{1:i-1}) of the observation that followed before any
            autoreset, float (T, B, n).
        terminated: bool (T, B).
        truncated: bool (T, B).
        gamma: discount per timestep.
        gae_lambda: lambda.
        lost: bool (T, B), truncated steps of which nobody knows what came. Their advantages are 0, and the
            step before bootstraps from the value where they began. None are by default.

    Returns:
        Advantages and returns (advantages + values), each float (T, B, n).
    """
    alive = (~terminated).to(values.dtype).unsqueeze(-1)
    running = (~(terminated | truncated)).to(values.dtype).unsqueeze(-1)
    deltas = rewards + gamma * alive * next_values - values
    if lost is not None:
        deltas = deltas * ~lost.unsqueeze(-1)
    advantages = torch.empty_like(values)
    carry = torch.zeros_like(values[0])
    for t in reversed(range(values.shape[0])):
        carry = deltas[t] + gamma * gae_lambda * running[t] * carry
        advantages[t] = carry
    return advantages, advantages + values
