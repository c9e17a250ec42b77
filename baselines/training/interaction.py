"""What agents make of each other's rewards, between rollout and advantages."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stmg_envs.protocol import JointVectorEnv
from wrappers import Reshaped, reshape_rewards

Interaction = Literal["own", "sum", "dri", "dri-naive"]


class RewardInteraction:
    """Rewards as learners see them: own, the sum over agents, or reshaped by the neighbours' (DRI).

    Running averages are of the original rewards, one per run and agent.

    Args:
        kind: "own", "sum", "dri", or "dri-naive".
        env: K * B environments, those of run k at k * B, ..., (k + 1) * B - 1.
        runs: K.
        step_size: alpha of the running averages.
        differential: give rewards minus baselines, for average-reward learners.
    """

    def __init__(
        self, kind: Interaction, env: JointVectorEnv, runs: int, step_size: float, differential: bool = False
    ) -> None:
        self.kind = kind
        self.env = env
        self.step_size = step_size
        self.differential = differential
        self.averages = torch.zeros(runs, len(env.agents), device=env.device)
        self.conflict_rate = torch.zeros(runs, device=env.device)

    def before_step(self) -> Tensor | None:
        """The neighbour graphs in which rewards are exchanged, bool (K * B, n, n), where they are needed."""
        return self.env.neighbors() if self.kind.startswith("dri") else None

    def __call__(self, rewards: Tensor, neighbors: Tensor | None) -> Tensor:
        """Rewards of one timestep as learners see them, (K * B, n).

        Args:
            rewards: original rewards, (K * B, n).
            neighbors: what `before_step` gave.
        """
        runs = len(self.averages)
        per_run = rewards.view(runs, -1, rewards.shape[1])
        seen, baselines = rewards, self._repeat(self.averages, rewards)
        if self.kind == "sum":
            total = rewards.sum(dim=1, keepdim=True)
            seen, baselines = total.expand_as(rewards), baselines.sum(dim=1, keepdim=True).expand_as(rewards)
        elif neighbors is not None:
            reshaped = self._reshape(rewards, baselines, neighbors)
            seen, baselines = reshaped.rewards, reshaped.baselines
            self.conflict_rate = reshaped.conflicts.float().view(runs, -1).mean(dim=1)
        self.averages = self.averages + self.step_size * (per_run.mean(dim=1) - self.averages)
        return seen - baselines if self.differential else seen

    def _reshape(self, rewards: Tensor, averages: Tensor, neighbors: Tensor) -> Reshaped:
        return reshape_rewards(rewards, averages, neighbors, "dri" if self.kind == "dri" else "naive")

    def _repeat(self, averages: Tensor, rewards: Tensor) -> Tensor:
        """Each run's averages for all of its environments, (K * B, n)."""
        return averages.repeat_interleave(len(rewards) // len(averages), dim=0)
