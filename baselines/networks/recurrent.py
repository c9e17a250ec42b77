"""Simultaneous policies that remember: gated recurrent units over timesteps in actors and critics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.networks.agent_ids import with_agent_ids
from baselines.networks.heads import action_head
from baselines.networks.layers import OUTPUT_GAIN, GRULayer, linear, norm
from baselines.networks.mlp import Hidden, MLPCritic, trunk
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec


class RecurrentPolicy(JointPolicy):
    """The policy of `MLPPolicy` with a recurrent unit between hidden layers and outputs, in actor and critic.

    The memory of an agent is the actor's hidden state and the critic's, (B, n, 2 * hidden). `evaluate` takes
    rows that are parts of `chunk_length` consecutive timesteps of one environment; it starts each part
    from the memory of its first row, as it was when the row was played, and gradients flow back through
    the part.

    Args:
        spec: sizes.
        hidden: hidden sizes of actor and critic.
        shared: one actor for all agents, told apart by ids, instead of one for each.
        central: whether the critic sees the whole state.
        chunk_length: timesteps that gradients flow back.
    """

    def __init__(
        self, spec: PolicySpec, hidden: Hidden, shared: bool, central: bool, chunk_length: int
    ) -> None:
        super().__init__()
        self.shared = shared
        self.chunk_length = chunk_length
        self.memory_width = 2 * hidden[-1]
        in_features = spec.obs_dim + spec.n if shared else spec.obs_dim
        agents = None if shared else spec.n
        self.actor_trunk = trunk(in_features, hidden, spec.observation_norm, agents)
        self.actor_memory = GRULayer(hidden[-1], agents)
        self.actor_norm = norm(hidden[-1], agents)
        output = linear(hidden[-1], spec.action_width, OUTPUT_GAIN, agents)
        self.actor = action_head(output, spec.action_width, spec.discrete, agents)
        self.critic = MLPCritic(spec, hidden, central)
        self.critic_memory = GRULayer(hidden[-1])
        self.critic_norm = nn.LayerNorm(hidden[-1])

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        remembered = inputs["memory"].chunk(2, dim=-1)
        hidden = self.actor_memory(self.actor_trunk(self._own(inputs)), remembered[0])
        critic_hidden = self.critic_memory(self.critic.features(inputs), remembered[1])
        actions, log_probs = self.actor.sample(self.actor_norm(hidden), noise, inputs.get("action_mask"))
        values = self._values(critic_hidden)
        return Decision(actions, log_probs, values, torch.cat([hidden, critic_hidden], dim=-1))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        remembered = inputs["memory"].chunk(2, dim=-1)
        fresh = inputs["fresh"]
        hidden = self._over_time(self.actor_memory, self.actor_trunk(self._own(inputs)), remembered[0], fresh)
        critic_hidden = self._over_time(
            self.critic_memory, self.critic.features(inputs), remembered[1], fresh
        )
        log_probs, entropies = self.actor.evaluate(
            self.actor_norm(hidden), actions, inputs.get("action_mask")
        )
        return Evaluation(log_probs, entropies, self._values(critic_hidden))

    def _over_time(self, unit: nn.Module, x: Tensor, remembered: Tensor, fresh: Tensor) -> Tensor:
        """Hidden states (B, n, hidden) of rows that are parts of consecutive timesteps.

        Args:
            unit: the recurrent unit.
            x: its inputs, (B, n, hidden).
            remembered: hidden states before each row, (B, n, hidden); those of first rows count.
            fresh: whose memory starts with the row, bool (B, n).
        """
        length = self.chunk_length
        parts = x.unflatten(0, (-1, length))
        starts = fresh.unflatten(0, (-1, length))
        hidden = remembered.unflatten(0, (-1, length))[:, 0]
        states = []
        for t in range(length):
            hidden = unit(parts[:, t], torch.where(starts[:, t, :, None], 0.0, hidden))
            states.append(hidden)
        return torch.stack(states, dim=1).flatten(0, 1)

    def _values(self, hidden: Tensor) -> Tensor:
        return self.critic.output(self.critic_norm(hidden)).squeeze(-1)

    def _own(self, inputs: Inputs) -> Tensor:
        """What actors read, (B, n, in_features)."""
        return with_agent_ids(inputs["observation"]) if self.shared else inputs["observation"]
