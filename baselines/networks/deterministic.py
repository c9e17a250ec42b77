"""Deterministic policies: an actor for every agent, which climbs a critic of actions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.action_critics import CentralActionCritic, OwnActionCritic
from baselines.networks.heads import ILLEGAL_LOGIT, explored
from baselines.networks.layers import OUTPUT_GAIN, linear
from baselines.networks.mlp import Hidden, trunk
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec


class DeterministicPolicy(JointPolicy):
    """Actors mu(o^i) and critics Q^i of own or of all observations and actions.

    Agents share nothing but what central critics make of observations and of the actions of others.

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
        self.actor = nn.Sequential(
            *trunk(spec.obs_dim, hidden, spec.observation_norm, spec.n),
            linear(hidden[-1], spec.action_width, OUTPUT_GAIN, spec.n),
        )
        self.critic = (CentralActionCritic if central else OwnActionCritic)(spec, hidden)

    def forward(self, inputs: Inputs, actions: Tensor) -> Tensor:
        """Action values (B, n) of encoded actions (B, n, action_width)."""
        values: Tensor = self.critic(inputs, actions, actions)
        return values

    def intended(self, inputs: Inputs, noise: Tensor) -> Tensor:
        """The values of what the actors intend, (B, n).

        Args:
            inputs: observations.
            noise: standard Gumbel (B, n, A), by which the other agents' discrete actions are drawn; not used
                for continuous ones.
        """
        if not self.spec.discrete:
            # Each actor climbs its own critic: to the others' critics its action is a given one.
            means = self.actor(inputs["observation"]).tanh()
            # Changes nothing but the layout of gradients, so that actors sum theirs row after row.
            intended = means.flatten(1).unflatten(1, means.shape[1:])
            climbed: Tensor = self.critic(inputs, intended.detach(), intended)
            return climbed
        logits = self._logits(inputs)
        drawn = self.encode((logits + noise).argmax(dim=-1))
        choices = torch.eye(self.spec.action_width, dtype=logits.dtype, device=logits.device)
        values = [self.critic(inputs, drawn, choice.expand_as(drawn)) for choice in choices]
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

    def _logits(self, inputs: Inputs) -> Tensor:
        logits: Tensor = self.actor(inputs["observation"])
        mask = inputs.get("action_mask")
        return logits if mask is None else logits.masked_fill(~mask, ILLEGAL_LOGIT)
