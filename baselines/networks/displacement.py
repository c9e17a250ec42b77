"""Who has which rank, for networks whose tokens stand in order of rank."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.layers import flat_linear


class Displacement(nn.Module):
    """What a token gains where another agent than agent r has rank r: w[agent] - w[r], (B, n, dim).

    A token of rank r tells its rank by where it stands. Under orders that vary it must tell the agent as
    well: that ranks 0 and 1 did A and B does not say which agent did what. Whatever function of agent and
    rank is a sum of one of each, such as a position embedding and an agent's, is one of the position
    embedding and of this; and under the agents' own order it is exactly 0, whatever w is.

    Args:
        n: number of agents.
        dim: embedding size.
    """

    def __init__(self, n: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.orthogonal_(torch.empty(dim, n)))

    def forward(self, order: Tensor) -> Tensor:
        """Agents in order of rank, int64 (B, n)."""
        n = self.weight.shape[1]
        agents = torch.arange(n, device=order.device)
        here = (order.unsqueeze(-1) == agents).to(self.weight.dtype)
        return flat_linear(here - torch.eye(n, device=order.device), self.weight, None)
