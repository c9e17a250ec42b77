"""Value normalisation: the critic predicts returns in units of their running mean and deviation."""

from __future__ import annotations

import torch
from torch import Tensor

VARIANCE_FLOOR = 1e-2
FAR = 32.0
"""Returns further from the origin of the moments than so many deviations move it."""


class ValueNormalizer:
    """Debiased exponential moving mean and variance of returns, one pair per run and agent.

    The public implementations (HARL, MAT, on-policy) keep one pair for all agents; with private
    rewards agents live on different scales, so each has its own here.

    The variance is a difference of moments, of which float32 keeps nothing where returns lie far from 0
    beside their deviation (1e5 +- 10). So moments are about an origin, which follows the returns when they
    are far away; as long as it is 0, these are the plain moments.

    Args:
        runs: K.
        n: number of agents.
        beta: decay of the moving averages per update.
        device: where the statistics live.
    """

    def __init__(self, runs: int, n: int, beta: float, device: torch.device | str = "cpu") -> None:
        self.beta = beta
        self.origin = torch.zeros(runs, n, device=device)
        self.first = torch.zeros(runs, n, device=device)
        self.second = torch.zeros(runs, n, device=device)
        self.debias = torch.zeros(runs, n, device=device)

    @property
    def mean(self) -> Tensor:
        """The moving mean before debiasing, (K, n): the mean of returns is `mean / debias`."""
        return self.first + self.origin * self.debias

    def state(self) -> dict[str, Tensor]:
        """The statistics by name, each (K, n)."""
        return {name: getattr(self, name) for name in ("origin", "first", "second", "debias")}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        self.origin, self.first, self.second, self.debias = (
            state[name].to(self.origin.device) for name in ("origin", "first", "second", "debias")
        )

    def update(self, returns: Tensor, alive: Tensor | None = None) -> None:
        """Fold in returns.

        Args:
            returns: of shape (K, N, n).
            alive: who decided, bool (K, N, n); all by default. The statistics of an agent that did not decide
                at all stay as they are.
        """
        alive = torch.ones_like(returns, dtype=torch.bool) if alive is None else alive
        count = alive.sum(dim=1)

        def mean(x: Tensor) -> Tensor:
            return torch.where(alive, x, 0.0).sum(dim=1) / count.clamp(min=1)

        returns = torch.where(alive, returns, 0.0)
        centre = mean(returns)
        spread = mean((returns - centre.unsqueeze(1)).square()).sqrt()
        self._move_origin(centre, spread)
        distance = returns - self.origin.unsqueeze(1)
        decay = torch.where(count > 0, self.beta, 1.0)
        gain = torch.where(count > 0, 1.0 - self.beta, 0.0)
        self.first = decay * self.first + gain * mean(distance)
        self.second = decay * self.second + gain * mean(distance.square())
        self.debias = decay * self.debias + gain

    def normalize(self, returns: Tensor) -> Tensor:
        """Returns (K, N, n) in normalised units."""
        mean, std = self._statistics()
        return (returns - mean) / std

    def denormalize(self, values: Tensor) -> Tensor:
        """Values (K, N, n) in units of returns."""
        mean, std = self._statistics()
        return values * std + mean

    def _move_origin(self, centre: Tensor, spread: Tensor) -> None:
        """Have the origin follow returns with this mean and deviation, each (K, n), if they are far."""
        _, std = self._statistics()
        far = (centre - self.origin).abs() > FAR * torch.maximum(spread, std.squeeze(1))
        shift = torch.where(far, centre - self.origin, 0.0)
        self.second = self.second - shift * (2.0 * self.first - shift * self.debias)
        self.first = self.first - shift * self.debias
        self.origin = self.origin + shift

    def _statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, each (K, 1, n); the identity before the first update."""
        debias = self.debias.clamp(min=1e-5)
        distance = self.first / debias
        variance = (self.second / debias - distance.square()).clamp(min=VARIANCE_FLOOR)
        std = torch.where(self.debias > 0, variance.sqrt(), 1.0)
        return (self.origin + distance).unsqueeze(1), std.unsqueeze(1)
