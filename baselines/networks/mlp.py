"""Simultaneous policies: feed-forward actors and critics, shared by the agents or one for each."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from baselines.networks.heads import action_head
from baselines.networks.layers import OUTPUT_GAIN, RELU_GAIN, AgentLinear, Linear
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec, with_agent_ids


def trunk(in_features: int, hidden: tuple[int, ...], agents: int | None) -> nn.Sequential:
    """LayerNorm, then Linear - ReLU - LayerNorm for every hidden size.

    Args:
        in_features: input size.
        hidden: hidden sizes.
        agents: number of separate copies, or None for one that all agents share.
    """
    layers: list[nn.Module] = [nn.LayerNorm(in_features)]
    sizes = (in_features, *hidden)
    for size_in, size_out in itertools.pairwise(sizes):
        layers += [linear(size_in, size_out, RELU_GAIN, agents), nn.ReLU(), nn.LayerNorm(size_out)]
    return nn.Sequential(*layers)


def linear(in_features: int, out_features: int, gain: float, agents: int | None) -> nn.Module:
    """A shared layer, or one stacked product for all agents' separate layers."""
    if agents is None:
        return Linear(in_features, out_features, gain)
    return AgentLinear(agents, in_features, out_features, gain)


class MLPPolicy(JointPolicy):
    """Actor on own observations; critic on the whole state (MAPPO, HAPPO) or on own observations (IPPO).

    Yu et al. 2022, "The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games". Everybody
    decides at once: the priority is ignored, and values do not depend on anyone's present action. Shared
    networks get one-hot agent ids. The central critic reads the global state, or the concatenation of all
    observations where there is none, and the agent's own observation and id.

    Args:
        spec: sizes.
        hidden: hidden sizes of actor and critic.
        shared: one actor for all agents instead of one for each.
        central: whether the critic sees the whole state.
    """

    def __init__(self, spec: PolicySpec, hidden: tuple[int, ...], shared: bool, central: bool) -> None:
        super().__init__()
        self.spec = spec
        self.central = central
        separate = None if shared else spec.n
        own = spec.obs_dim + spec.n
        whole = (spec.state_dim or spec.n * spec.obs_dim) if central else 0
        self.actor_trunk = trunk(own, hidden, separate)
        self.actor = action_head(
            linear(hidden[-1], spec.action_width, OUTPUT_GAIN, separate), spec.action_width, spec.discrete
        )
        self.critic = nn.Sequential(trunk(own + whole, hidden, None), Linear(hidden[-1], 1, gain=1.0))

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        embeddings, values = self._embed(inputs)
        actions, log_probs = self.actor.sample(embeddings, noise, inputs.get("action_mask"))
        return Decision(actions, log_probs, values)

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        embeddings, values = self._embed(inputs)
        log_probs, entropies = self.actor.evaluate(embeddings, actions, inputs.get("action_mask"))
        return Evaluation(log_probs, entropies, values)

    def _embed(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Actor embeddings (B, n, hidden) and values (B, n)."""
        own = with_agent_ids(inputs["observation"])
        features = own
        if self.central:
            whole = inputs["state"] if self.spec.state_dim is not None else inputs["observation"].flatten(1)
            features = torch.cat([own, whole.unsqueeze(1).expand(-1, self.spec.n, -1)], dim=-1)
        return self.actor_trunk(own), self.critic(features).squeeze(-1)
