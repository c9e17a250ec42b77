"""Returns of the episodes that end while a population is trained."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.protocol import JointVectorEnv


class EpisodeReturns:
    """Undiscounted returns of K * B environments, over rollouts.

    Args:
        env: the environments.
        runs: K.
    """

    def __init__(self, env: JointVectorEnv, runs: int) -> None:
        self.runs = runs
        self.partial = torch.zeros(env.num_envs, len(env.agents), device=env.device)
        self._finished = torch.zeros(2, env.num_envs, device=env.device)

    def add(self, rewards: Tensor, done: Tensor) -> None:
        """One timestep: original rewards (K * B, n), and the episodes that ended with it, bool (K * B,)."""
        self.partial = self.partial + rewards
        self._finished += torch.stack([self.partial.mean(dim=1) * done, done.float()])
        self.partial = self.partial * ~done[:, None]

    def take_mean(self) -> Tensor:
        """Mean over agents and over the episodes that ended since the last call, (K,); NaN where none did."""
        total, count = self._finished.view(2, self.runs, -1).sum(dim=2)
        self._finished = torch.zeros_like(self._finished)
        return torch.where(count > 0, total / count, torch.nan)
