"""What a sum of shares is worth, which sum is best, and what chance makes of it.

All is known from the 9 n + 1 possible sums; nobody ever looks at the 10^n joint actions.
"""

from __future__ import annotations

import torch
from torch import Tensor

MOST = 9
"""The most that one agent can take."""


def worth(total: Tensor, mu: Tensor | float, sigma: float) -> Tensor:
    """G(x) = x exp(-(x - mu)^2 / sigma^2), float64 of the shapes' common shape.

    In double precision, so that the nearest sums beside the optimum differ also among a thousand agents.

    Args:
        total: sums x, of any type.
        mu: where the factor is 1.
        sigma: how wide it is.
    """
    x = total.double()
    return x * torch.exp(-(((x - mu) / sigma) ** 2))


def best_total(n: int, mu: Tensor, sigma: float) -> Tensor:
    """The sum that is worth most, by a scan over all, int64 (B,).

    Args:
        n: agents.
        mu: one for each of B episodes, (B,).
        sigma: as in `worth`.
    """
    totals = torch.arange(MOST * n + 1, device=mu.device)
    return worth(totals, mu[:, None], sigma).argmax(dim=-1)


def random_worth(n: int, mu: float, sigma: float) -> float:
    """The expected worth of one joint action of agents that all choose uniformly.

    The distribution of their sum is that of one agent's share, convolved with itself n times.
    """
    chances = torch.ones(1, dtype=torch.float64)
    for _ in range(n):
        # A uniform share more averages every ten sums in a row.
        padded = torch.nn.functional.pad(chances, (MOST, MOST))
        chances = padded.unfold(0, MOST + 1, 1).mean(dim=-1)
    totals = torch.arange(MOST * n + 1)
    return float((chances * worth(totals, mu, sigma)).sum())
