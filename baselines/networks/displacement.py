"""Who has which rank, for networks whose tokens stand in order of rank."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.layers import flat_linear
from baselines.networks.policy import take_agents


class Order:
    """Agents in order of rank.

    Args:
        priority: the agents, int64 (B, n).
        dim: size of the embeddings that are displaced.

    Attributes:
        agents: the priority.
        ranks: 0, ..., n - 1.
        moves: for each rank who has it and who would without any displacement, 1 and -1 among zeros,
            (B, n, n); None where that is longer than an embedding.
    """

    def __init__(self, priority: Tensor, dim: int) -> None:
        n = priority.shape[1]
        self.agents = priority
        self.ranks = torch.arange(n, device=priority.device)
        here, home = (x.unsqueeze(-1) == self.ranks for x in (self.agents, self.ranks))
        self.moves = here.float() - home.float() if n <= dim else None

    def ranked(self, x: Tensor) -> Tensor:
        """From the agents' own order, (B, n, ...)."""
        return take_agents(x, self.agents)

    def unranked(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """Back to the agents' own order, (B, n, ...) each."""
        back = self.agents.argsort(dim=-1)
        return tuple(take_agents(x, back) for x in parts)


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

    def forward(self, order: Order) -> Tensor:
        if order.moves is not None:
            return flat_linear(order.moves, self.weight, None)
        # Where nobody is displaced gradients must be exactly 0 as well, and not differences of sums.
        embeddings = self.weight.t()
        displaced = (order.agents != order.ranks).unsqueeze(-1)
        return torch.where(displaced, embeddings[order.agents] - embeddings, 0.0)
