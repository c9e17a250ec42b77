"""STEP: agents updated one after another in priority order, each by PPO on its own reward.

See `baselines.networks.step` for the network and for what is our reconstruction. There is no compound
factor as in HAPPO: it is valid for a shared reward only. The authors name sequential updates as the cost of
their method: training time grows with the number of agents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field
from torch import Tensor

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.ppo import PPO, average
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.networks.step import StepNetwork
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams


@dataclass(frozen=True)
class StepConfig(PPOConfig):
    """Configuration of STEP."""

    condition_dim: Annotated[int, Field(gt=0, description="size of the conditions' embedding")] = 64
    hidden_size: Annotated[int, Field(gt=0, description="hidden size of the generated networks")] = 32


def build_step(config: StepConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    return StepNetwork(spec, config.condition_dim, config.hidden_size)


class SequentialPPO(PPO):
    """All epochs for the first rank, then all for the second, and so on."""

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        targets = self._prepare(batch, progress)
        ranks = batch.inputs["priority"].argsort(dim=-1)
        turns = (replace(batch, alive=batch.alive & (ranks == rank)) for rank in range(ranks.shape[-1]))
        return average([self._epochs(turn, targets, streams) for turn in turns])
