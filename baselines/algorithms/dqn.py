r"""DQN: deep Q-learning of every agent on its own actions.

Mnih et al. 2015. With target networks, marked by a minus, and the Huber loss $\ell$, each agent minimises

$$
L = \ell\left(y - Q(o, a)\right), \qquad y = r - \bar\mu + \max_{a'} Q^-(o', a'),
$$

for rewards above the average reward $\bar\mu$ (the DRI paper's rule in place of discounting); without
`average_reward` $y = r + \gamma \max_{a'} Q^-(o', a')$. The central variant learns the sum of all agents'
values of the summed reward (value decomposition, Sunehag et al. 2017): the paper names no central DQN, and
one over joint actions would grow exponentially with the agents.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from baselines.algorithms.off_policy import OffPolicy, OffPolicyConfig
from baselines.algorithms.policy_gradient import masked_mean
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.networks.q_network import QNetwork
from baselines.training.population import Parameters, map_module
from baselines.training.replay import Rows, inputs_of

HUBER_DELTA = 1.0


@dataclass(frozen=True)
class DQNConfig(OffPolicyConfig):
    """Configuration of DQN."""


def build_dqn(config: DQNConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    return QNetwork(spec, (config.hidden_size,) * config.hidden_layers)


class DQN(OffPolicy):
    """Temporal-difference learning with target networks."""

    metrics = ("value_loss", "value")

    def _loss(
        self, parameters: Parameters, targets: Parameters, rows: Rows
    ) -> tuple[Tensor, dict[str, Tensor]]:
        template = self.population.template
        values = map_module(template, parameters, inputs_of(rows))
        taken = values.gather(-1, rows["actions"].unsqueeze(-1)).squeeze(-1)
        with torch.no_grad():
            following = map_module(template, targets, inputs_of(rows, "next.")).amax(dim=-1)
        rewards, alive = rows["rewards"], rows["alive"]
        following = torch.where(rows["next.alive"] & ~rows["terminated"], following, 0.0)
        if self.config.central_critic:
            # The summed reward is the same for all: one value, the sum over the agents that decide.
            taken = torch.where(alive, taken, 0.0).sum(dim=-1, keepdim=True)
            following = following.sum(dim=-1, keepdim=True)
            rewards, alive = rewards[..., :1], alive.any(dim=-1, keepdim=True)
        aim = rewards + self.gamma * following
        loss = masked_mean(huber_loss(taken, aim, reduction="none", delta=HUBER_DELTA), alive)
        return loss, {"value_loss": loss, "value": masked_mean(taken, alive)}
