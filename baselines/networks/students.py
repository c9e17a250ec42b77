"""Policies of agents that are on their own: each sees nothing but its own observation."""

from __future__ import annotations

from torch import Tensor

from baselines.networks.mlp import Hidden, MLPActor
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec


class Students(JointPolicy):
    """A separate feed-forward actor for each agent, which reads its own observation and its action mask.

    Neither the actions of superiors nor the order of decision nor the global state reaches an actor, so
    every agent can decide where it is, without a message. There is no critic: values are 0.

    Args:
        spec: sizes.
        hidden: hidden sizes of each actor.
    """

    def __init__(self, spec: PolicySpec, hidden: Hidden) -> None:
        super().__init__()
        self.actor = MLPActor(
            spec.obs_dim, hidden, spec.action_width, spec.discrete, spec.observation_norm, spec.n
        )

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        actions, log_probs = self.actor.sample(inputs["observation"], noise, inputs.get("action_mask"))
        return Decision(actions, log_probs, log_probs.new_zeros(log_probs.shape))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        log_probs, entropies = self.actor(inputs["observation"], actions, inputs.get("action_mask"))
        return Evaluation(log_probs, entropies, log_probs.new_zeros(log_probs.shape))
