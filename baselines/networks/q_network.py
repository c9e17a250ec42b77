"""Action values of every agent, and play that is greedy but for some exploration."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.heads import ILLEGAL_LOGIT, explored
from baselines.networks.layers import linear
from baselines.networks.mlp import Hidden, trunk
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec


class QNetwork(JointPolicy):
    """Each agent's values of its own actions from its own observation; agents share nothing.

    Play is a distribution: the input `exploration`, (B,), is the chance of a uniformly random legal action;
    without it play is greedy.

    Args:
        spec: sizes; actions are discrete.
        hidden: hidden sizes.
    """

    def __init__(self, spec: PolicySpec, hidden: Hidden) -> None:
        super().__init__()
        self.network = nn.Sequential(
            *trunk(spec.obs_dim, hidden, spec.observation_norm, spec.n),
            linear(hidden[-1], spec.action_width, 1.0, spec.n),
        )

    def forward(self, inputs: Inputs) -> Tensor:
        """Action values (B, n, A); those of illegal actions are far below all others."""
        values: Tensor = self.network(inputs["observation"])
        mask = inputs.get("action_mask")
        return values if mask is None else values.masked_fill(~mask, ILLEGAL_LOGIT)

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        values = self(inputs)
        log_probs = self._log_probs(inputs, values)
        actions = (log_probs + noise).argmax(dim=-1)
        return Decision(actions, _chosen(log_probs, actions), _chosen(values, actions))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        values = self(inputs)
        log_probs = self._log_probs(inputs, values)
        entropies = -(log_probs.exp() * log_probs).sum(dim=-1)
        return Evaluation(_chosen(log_probs, actions), entropies, _chosen(values, actions))

    def _log_probs(self, inputs: Inputs, values: Tensor) -> Tensor:
        """Log-probabilities of play, (B, n, A)."""
        classes = torch.arange(values.shape[-1], device=values.device)
        greedy = (values.argmax(dim=-1, keepdim=True) == classes).to(values.dtype)
        exploration = inputs.get("exploration")
        if exploration is None:
            exploration = torch.zeros_like(values[:, 0, 0])
        return explored(greedy, values > ILLEGAL_LOGIT, exploration)


def _chosen(x: Tensor, actions: Tensor) -> Tensor:
    """Entries (B, n) of x (B, n, A) at actions (B, n)."""
    return x.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
