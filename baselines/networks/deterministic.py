"""Deterministic actors and critics of actions, for every agent."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.heads import ILLEGAL_LOGIT, explored
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
    them. Discrete actors give probabilities, and are judged by the critic's mean over them: exactly what
    MADDPG estimates through relaxed actions (Gumbel softmax), whose gradients at a corner of the simplex say
    little of the other corners. There `exploration` is the chance of a uniformly random legal action.
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
        return self._values(inputs, actions.unsqueeze(1).expand(-1, self.spec.n, -1, -1))

    def intended(self, inputs: Inputs, noise: Tensor) -> Tensor:
        """The values of what the actors intend, (B, n).

        Args:
            inputs: observations.
            noise: standard Gumbel (B, n, A), by which the other agents' discrete actions are drawn; not used
                for continuous ones.
        """
        n, width = self.spec.n, self.spec.action_width
        itself = torch.eye(n, dtype=torch.bool, device=noise.device).unsqueeze(-1)
        if not self.spec.discrete:
            # Each actor climbs its own critic: to the others' critics its action is a given one.
            intended = self.actor(inputs["observation"]).tanh().unsqueeze(1)  # (B, 1, n, width)
            return self._values(inputs, torch.where(itself, intended, intended.detach()))
        logits = self._logits(inputs)
        drawn = self.encode((logits + noise).argmax(dim=-1)).unsqueeze(1)  # (B, 1, n, A)
        choices = torch.eye(width, dtype=logits.dtype, device=logits.device)
        values = [self._values(inputs, torch.where(itself, choice, drawn)) for choice in choices]
        return (logits.softmax(dim=-1) * torch.stack(values, dim=-1)).sum(dim=-1)

    def encode(self, actions: Tensor) -> Tensor:
        """Actions as the critic reads them, float (B, n, action_width)."""
        if not self.spec.discrete:
            return actions
        classes = torch.arange(self.spec.action_width, device=actions.device)
        return (actions.unsqueeze(-1) == classes).float()

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        exploration = inputs.get("exploration")
        if self.spec.discrete:
            logits = self._logits(inputs)
            play = (
                logits
                if exploration is None
                else explored(logits.softmax(dim=-1), logits > ILLEGAL_LOGIT, exploration) + noise
            )
            actions = play.argmax(dim=-1)
        else:
            actions = self.actor(inputs["observation"]).tanh()
            if exploration is not None:
                actions = (actions + exploration[:, None, None] * noise).clamp(-1, 1)
        values = self(inputs, self.encode(actions))
        return Decision(actions, torch.zeros_like(values), values)

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        values = self(inputs, self.encode(actions))
        return Evaluation(torch.zeros_like(values), torch.zeros_like(values), values)

    def _values(self, inputs: Inputs, joint: Tensor) -> Tensor:
        """Action values (B, n), agent i's of encoded actions joint[:, i], (B, n, n, action_width)."""
        observations = inputs["observation"]
        if self.central:
            state = observations.flatten(1) if self.spec.state_dim is None else inputs["state"]
            seen = state.unsqueeze(1).expand(-1, self.spec.n, -1)
            done = joint.flatten(2)
        else:
            seen, done = observations, joint.diagonal(dim1=1, dim2=2).transpose(1, 2)
        return self.critic(torch.cat([seen, done], dim=-1)).squeeze(-1)

    def _logits(self, inputs: Inputs) -> Tensor:
        logits: Tensor = self.actor(inputs["observation"])
        mask = inputs.get("action_mask")
        return logits if mask is None else logits.masked_fill(~mask, ILLEGAL_LOGIT)
