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

    Running averages are of the original rewards of those who decided, one per run and agent. Who is out of
    the game is nobody's neighbour, and no part of a sum.

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

    @property
    def looks_back(self) -> bool:
        """Whether what learners see depends on averages, which move on with every timestep."""
        return self.exchanges or self.differential

    def __call__(
        self, rewards: Tensor, neighbors: Tensor | None, lost: Tensor, alive: Tensor | None = None
    ) -> Tensor:
        """Rewards of one timestep as learners see them, (K * B, n); afterwards the averages move on.

        Args:
            rewards: original rewards, (K * B, n).
            neighbors: the graphs in which they are exchanged, bool (K * B, n, n); None where they are not.
            lost: whose rewards nobody knows, bool (K * B,).
            alive: agents that decided, bool (K * B, n); all by default.
        """
        runs, n = self.averages.shape
        alive = torch.ones_like(rewards, dtype=torch.bool) if alive is None else alive
        per_run, deciding = (x.view(runs, -1, n) for x in (rewards, alive))
        graphs = None if neighbors is None else neighbors.view(runs, -1, n, n)
        seen, conflicts = self.seen(per_run, graphs, deciding)
        self.conflict_rate = conflicts.sum(dim=(1, 2)) / deciding.sum(dim=(1, 2)).clamp(min=1)
        self.observe(per_run, deciding & ~lost.view(runs, -1, 1))
        return seen.reshape(rewards.shape)

    def observe(self, rewards: Tensor, known: Tensor) -> None:
        """Move the averages by the rewards of one timestep, (K, B, n), that are known, bool (K, B, n)."""
        # What is not known counts as the average and so moves nothing.
        rewards = torch.where(known, rewards, self.averages.unsqueeze(1))
        self.averages = self.averages + self.step_size * (rewards.mean(dim=1) - self.averages)

    def seen(self, rewards: Tensor, neighbors: Tensor | None, alive: Tensor) -> tuple[Tensor, Tensor]:
        """Rewards as learners see them beside the present averages, and who is in conflict.

        Args:
            rewards: original rewards, (K, N, n).
            neighbors: neighbour graphs, (K, N, n, n), where they are needed.
            alive: agents that decided, bool (K, N, n).
        """
        averages = self.averages.unsqueeze(1).expand_as(rewards)
        conflicts = torch.zeros_like(rewards, dtype=torch.bool)
        seen, baselines = rewards, averages
        if self.kind == "sum":
            seen, baselines = (
                torch.where(alive, x, 0.0).sum(dim=-1, keepdim=True).expand_as(x) for x in (rewards, averages)
            )
        elif neighbors is not None:
            mode: Mode = "dri" if self.kind == "dri" else "naive"
            playing = neighbors & alive.unsqueeze(-1) & alive.unsqueeze(-2)
            reshaped = reshape_rewards(
                rewards.flatten(0, 1), averages.flatten(0, 1), playing.flatten(0, 1), mode
            )
            seen, baselines, conflicts = (
                x.view(rewards.shape) for x in (reshaped.rewards, reshaped.baselines, reshaped.conflicts)
            )
        return seen - baselines if self.differential else seen, conflicts
