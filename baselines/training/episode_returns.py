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
        self._loses_episodes = env.loses_episodes
        self.partial = torch.zeros(env.num_envs, len(env.agents), device=env.device)
        self.forget()

    def forget(self) -> None:
        """Forget the episodes that have ended."""
        self._total, self._count, self._lost = self.partial.new_zeros(3, len(self.partial)).unbind()

    def add(self, rewards: Tensor, done: Tensor, lost: Tensor) -> None:
        """One timestep.

        Args:
            rewards: original rewards, (K * B, n).
            done: episodes that are over, bool (K * B,).
            lost: those of them whose return nobody knows, as they were lost, bool (K * B,).
        """
        self.partial = self.partial + rewards
        finished = done
        if self._loses_episodes:
            finished = done & ~lost
            self._lost += lost
        self._total += torch.where(finished, self.partial.mean(dim=1), 0.0)
        self._count += finished
        self.partial = torch.where(done[:, None], 0.0, self.partial)

    def take(self) -> dict[str, Tensor]:
        """Metrics of what happened since the last call, each (K,).

        Returns:
            `episode_return`, the mean over agents and over the episodes that ended, NaN where none did; and
            `lost_episodes`, how many were lost, where some can be.
        """
        total, count = (x.view(self.runs, -1).sum(dim=1) for x in (self._total, self._count))
        metrics = {"episode_return": torch.where(count > 0, total / count, torch.nan)}
        if self._loses_episodes:
            metrics["lost_episodes"] = self._lost.view(self.runs, -1).sum(dim=1)
        self.forget()
        return metrics
