"""Critics of actions: what an agent's action is worth, beside the actions of the others or without them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.layers import RELU_GAIN, AgentLinear, Linear, linear
from baselines.networks.mlp import Hidden, hidden_layers, input_norm, trunk
from baselines.networks.policy import Inputs, PolicySpec


class OwnActionCritic(nn.Module):
    """Values of own observations and actions; agents share nothing.

    Args:
        spec: sizes.
        hidden: hidden sizes.
    """

    def __init__(self, spec: PolicySpec, hidden: Hidden) -> None:
        super().__init__()
        self.network = nn.Sequential(
            *trunk(spec.obs_dim + spec.action_width, hidden, spec.observation_norm, spec.n),
            linear(hidden[-1], 1, 1.0, spec.n),
        )

    def forward(self, inputs: Inputs, joint: Tensor, own: Tensor) -> Tensor:
        """Values (B, n) of own actions (B, n, action_width), whatever the others do."""
        return self.network(torch.cat([inputs["observation"], own], dim=-1)).squeeze(-1)


class CentralActionCritic(nn.Module):
    """Values of all observations (or the global state) and all actions.

    MADDPG (Lowe et al. 2017) gives each agent a critic of its own that reads everything: n^2 times the
    weights of one observation and action. Here the first product is a sum of what the state says, what each
    action says to others, both the same for all agents and made once, and what own observation and action
    say to the agent alone; all further layers are an agent's own. So a thousand agents fit in memory.

    Args:
        spec: sizes.
        hidden: hidden sizes.
    """

    def __init__(self, spec: PolicySpec, hidden: Hidden) -> None:
        super().__init__()
        self.spec = spec
        state = spec.state_dim or spec.n * spec.obs_dim
        self.state = nn.Sequential(
            input_norm(state, spec.observation_norm), Linear(state, hidden[0], RELU_GAIN, bias=False)
        )
        self.others = Linear(spec.n * spec.action_width, hidden[0], RELU_GAIN, bias=False)
        self.observation_norm = input_norm(spec.obs_dim, spec.observation_norm)
        self.own = AgentLinear(spec.n, spec.obs_dim + spec.action_width, hidden[0], RELU_GAIN)
        self.trunk = hidden_layers(hidden, spec.n)
        self.output = linear(hidden[-1], 1, 1.0, spec.n)

    def forward(self, inputs: Inputs, joint: Tensor, own: Tensor) -> Tensor:
        """Values (B, n): of agent i's action own[:, i] where the others do what joint says.

        Args:
            inputs: observations, and the global state where there is one.
            joint: encoded actions of all, (B, n, action_width).
            own: encoded actions that are judged, (B, n, action_width).
        """
        observations = inputs["observation"]
        state = observations.flatten(1) if self.spec.state_dim is None else inputs["state"]
        weights = self.others.weight.unflatten(1, (self.spec.n, self.spec.action_width))
        said = torch.einsum("bna,hna->bnh", joint, weights)
        others = said.sum(dim=1, keepdim=True) - said
        itself = self.own(torch.cat([self.observation_norm(observations), own], dim=-1))
        first = self.state(state).unsqueeze(1) + others + itself
        return self.output(self.trunk(first)).squeeze(-1)
