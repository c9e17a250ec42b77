r"""VDPPO: proximal policy optimisation with one value that is a sum of the agents' own.

Ma and Luo 2022, "Value-Decomposition Multi-Agent Proximal Policy Optimization". The team's reward is the sum
over agents, and its value

$$
V(o) = \sum_i V^i(o^i)
$$

over those who are in the game; everybody decides at once, and all learn from the one advantage. The loss is
PPO's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from baselines import AlgorithmSpec
from baselines.algorithms.config import PPOConfig
from baselines.algorithms.ppo import PPO
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec


@dataclass(frozen=True)
class VDPPOConfig(PPOConfig):
    """Configuration of VDPPO."""

    hidden_size: Annotated[int, Field(gt=0, description="size of hidden layers")] = 64


class VDPPOPolicy(JointPolicy):
    """Actors and critics on own observations; the value of each agent is the team's.

    Args:
        spec: sizes.
        hidden_size: of two hidden layers.
    """

    def __init__(self, spec: PolicySpec, hidden_size: int) -> None:
        super().__init__()
        self.agents = MLPPolicy(spec, (hidden_size, hidden_size), shared=True, central=False)

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        decision = self.agents.act(inputs, noise)
        return decision._replace(values=_of_the_team(decision.values, inputs))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        judged = self.agents.evaluate(inputs, actions)
        return judged._replace(values=_of_the_team(judged.values, inputs))


def _of_the_team(values: Tensor, inputs: Inputs) -> Tensor:
    """The sum of the values (B, n) of those who are in the game, for every agent."""
    own = torch.where(inputs["alive"], values, 0.0) if "alive" in inputs else values
    return own.sum(dim=1, keepdim=True).expand_as(values)


def build(config: VDPPOConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    return VDPPOPolicy(spec, config.hidden_size)


ALGORITHM = AlgorithmSpec(
    name="my-algorithm",
    summary="VDPPO: PPO with one value that is a sum of the agents' own",
    config_class=VDPPOConfig,
    build=build,
    learner=PPO,
    sequential=False,
    fixed={"reward_interaction": "sum"},
    presets={"doorway": {"hidden_size": 32}},
)
