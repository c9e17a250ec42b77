"""Value normalisation: the critic predicts returns in units of their running mean and deviation."""

from __future__ import annotations

import torch
from torch import Tensor

VARIANCE_FLOOR = 1e-2


class ValueNormalizer:
    """Debiased exponential moving mean and variance of returns, one pair per run and agent.

    The public implementations (HARL, MAT, on-policy) keep one pair for all agents; with private
    rewards agents live on different scales, so each has its own here.

    Args:
        runs: K.
        n: number of agents.
        beta: decay of the moving averages per update.
        device: where the statistics live.
    """

    def __init__(self, runs: int, n: int, beta: float, device: torch.device | str = "cpu") -> None:
        self.beta = beta
        self.mean = torch.zeros(runs, n, device=device)
        self.mean_square = torch.zeros(runs, n, device=device)
        self.debias = torch.zeros(runs, n, device=device)

    def state(self) -> dict[str, Tensor]:
        """The statistics by name, each (K, n)."""
        return {"mean": self.mean, "mean_square": self.mean_square, "debias": self.debias}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        self.mean, self.mean_square, self.debias = (
            state[name].to(self.mean.device) for name in ("mean", "mean_square", "debias")
        )

    def update(self, returns: Tensor) -> None:
        """Fold in returns of shape (K, N, n)."""
        decay, gain = self.beta, 1.0 - self.beta
        self.mean = decay * self.mean + gain * returns.mean(dim=1)
        self.mean_square = decay * self.mean_square + gain * returns.square().mean(dim=1)
        self.debias = decay * self.debias + gain

    def normalize(self, returns: Tensor) -> Tensor:
        """Returns (K, N, n) in normalised units."""
        mean, std = self._statistics()
        return (returns - mean) / std

    def denormalize(self, values: Tensor) -> Tensor:
        """Values (K, N, n) in units of returns."""
        mean, std = self._statistics()
        return values * std + mean

    def _statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, each (K, 1, n); the identity before the first update."""
        debias = self.debias.clamp(min=1e-5)
        mean = self.mean / debias
        variance = (self.mean_square / debias - mean.square()).clamp(min=VARIANCE_FLOOR)
        std = torch.where(self.debias > 0, variance.sqrt(), 1.0)
        return mean.unsqueeze(1), std.unsqueeze(1)
