"""What agents make of each other's rewards, between rollout and advantages."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stmg_envs.protocol import JointVectorEnv
from wrappers import Mode, reshape_rewards

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
        self.step_size = step_size
        self.differential = differential
        self.averages = torch.zeros(runs, len(env.agents), device=env.device)
        self.conflict_rate = torch.zeros(runs, device=env.device)

    @property
    def exchanges(self) -> bool:
        """Whether rewards are exchanged in neighbour graphs."""
        return self.kind in ("dri", "dri-naive")

    def __call__(self, rewards: Tensor, neighbors: Tensor | None, lost: Tensor) -> Tensor:
        """Rewards of one timestep as learners see them, (K * B, n); afterwards the averages move on.

        Args:
            rewards: original rewards, (K * B, n).
            neighbors: the graphs in which they are exchanged, bool (K * B, n, n); None where they are not.
            lost: whose rewards nobody knows, bool (K * B,).
        """
        runs = len(self.averages)
        per_run = rewards.view(runs, -1, rewards.shape[1])
        graphs = None if neighbors is None else neighbors.view(runs, -1, *neighbors.shape[1:])
        seen, conflicts = self.seen(per_run, graphs)
        self.conflict_rate = conflicts.float().mean(dim=(1, 2))
        self.observe(rewards, lost)
        return seen.reshape(rewards.shape)

    def observe(self, rewards: Tensor, lost: Tensor) -> None:
        """Move the averages by rewards (K * B, n) of one timestep, but for lost ones, bool (K * B,)."""
        runs, n = self.averages.shape
        # An unknown reward counts as the average and so moves nothing.
        unknown = lost.view(runs, -1, 1)
        per_run = torch.where(unknown, self.averages.unsqueeze(1), rewards.view(runs, -1, n))
        self.averages = self.averages + self.step_size * (per_run.mean(dim=1) - self.averages)

    def seen(self, rewards: Tensor, neighbors: Tensor | None) -> tuple[Tensor, Tensor]:
        """Rewards as learners see them beside the present averages, and who is in conflict.

        Args:
            rewards: original rewards, (K, N, n).
            neighbors: neighbour graphs, (K, N, n, n), where they are needed.
        """
        averages = self.averages.unsqueeze(1).expand_as(rewards)
        conflicts = torch.zeros_like(rewards, dtype=torch.bool)
        seen, baselines = rewards, averages
        if self.kind == "sum":
            seen, baselines = (x.sum(dim=-1, keepdim=True).expand_as(x) for x in (rewards, averages))
        elif neighbors is not None:
            mode: Mode = "dri" if self.kind == "dri" else "naive"
            reshaped = reshape_rewards(
                rewards.flatten(0, 1), averages.flatten(0, 1), neighbors.flatten(0, 1), mode
            )
            seen, baselines, conflicts = (
                x.view(rewards.shape) for x in (reshaped.rewards, reshaped.baselines, reshaped.conflicts)
            )
        return seen - baselines if self.differential else seen, conflicts
