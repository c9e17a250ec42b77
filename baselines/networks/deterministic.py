"""Deterministic actors and critics of actions, for every agent."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.heads import ILLEGAL_LOGIT
from baselines.networks.layers import OUTPUT_GAIN, linear
from baselines.networks.mlp import Hidden, trunk
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec


def _network(in_features: int, hidden: Hidden, out: int, gain: float, spec: PolicySpec) -> nn.Sequential:
    """A separate network for each agent, (B, n, in_features) to (B, n, out)."""
    return nn.Sequential(
        *trunk(in_features, hidden, spec.observation_norm, spec.n),
        linear(hidden[-1], out, gain, spec.n),
    )


class DeterministicPolicy(JointPolicy):
    """Actors mu(o^i) and critics Q^i of own or of all observations and actions; agents share nothing.

    Continuous actions lie in [-1, 1]; the input `exploration`, (B,), is the deviation of normal noise on
    them. Discrete actions are drawn from the actor's logits while there is exploration; gradients go
    through the relaxed one-hot action (straight-through Gumbel softmax, Jang et al. 2017), as in MADDPG.
    Without `exploration` play is greedy.

    Args:
        spec: sizes.
        hidden: hidden sizes of actors and critics.
        central: whether critics see all observations (or the global state) and all actions.
    """

    def __init__(self, spec: PolicySpec, hidden: Hidden, central: bool) -> None:
        super().__init__()
        self.spec = spec
        self.central = central
        self.actor = _network(spec.obs_dim, hidden, spec.action_width, OUTPUT_GAIN, spec)
        whole = (spec.state_dim or spec.n * spec.obs_dim) + spec.n * spec.action_width
        own = spec.obs_dim + spec.action_width
        self.critic = _network(whole if central else own, hidden, 1, 1.0, spec)

    def forward(self, inputs: Inputs, actions: Tensor) -> Tensor:
        """Action values (B, n) of encoded actions (B, n, action_width)."""
        observations = inputs["observation"]
        if self.central:
            state = observations.flatten(1) if self.spec.state_dim is None else inputs["state"]
            joint = torch.cat([state, actions.flatten(1)], dim=-1)
            features = joint.unsqueeze(1).expand(-1, self.spec.n, -1)
        else:
            features = torch.cat([observations, actions], dim=-1)
        return self.critic(features).squeeze(-1)

    def intended(self, inputs: Inputs, noise: Tensor) -> Tensor:
        """Encoded actions (B, n, action_width) that the actors are judged by.

        Args:
            inputs: observations.
            noise: standard Gumbel for discrete actions, not used for continuous ones; zeros are greedy.
        """
        if not self.spec.discrete:
            return self.actor(inputs["observation"]).tanh()
        soft = (self._logits(inputs) + noise).softmax(dim=-1)
        hard = self.encode(soft.argmax(dim=-1))
        return hard + soft - soft.detach()

    def encode(self, actions: Tensor) -> Tensor:
        """Actions as the critic reads them, float (B, n, action_width)."""
        if not self.spec.discrete:
            return actions
        classes = torch.arange(self.spec.action_width, device=actions.device)
        return (actions.unsqueeze(-1) == classes).float()

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        exploration = inputs.get("exploration")
        amount = torch.zeros_like(noise[:, :1, :1]) if exploration is None else exploration[:, None, None]
        if self.spec.discrete:
            actions = (self._logits(inputs) + noise * (amount > 0)).argmax(dim=-1)
        else:
            actions = (self.intended(inputs, noise) + amount * noise).clamp(-1, 1)
        values = self(inputs, self.encode(actions))
        return Decision(actions, torch.zeros_like(values), values)

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        values = self(inputs, self.encode(actions))
        return Evaluation(torch.zeros_like(values), torch.zeros_like(values), values)

    def _logits(self, inputs: Inputs) -> Tensor:
        logits: Tensor = self.actor(inputs["observation"])
        mask = inputs.get("action_mask")
        return logits if mask is None else logits.masked_fill(~mask, ILLEGAL_LOGIT)
