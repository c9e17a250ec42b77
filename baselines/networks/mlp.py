"""Simultaneous policies: feed-forward actors and critics, shared by the agents or one for each."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from baselines.networks.agent_ids import with_agent_ids
from baselines.networks.heads import ActionHead, action_head
from baselines.networks.layers import OUTPUT_GAIN, RELU_GAIN, Linear, linear, norm
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec

Hidden = tuple[int, ...]


def input_norm(features: int, normalize: bool) -> nn.Module:
    """A layer norm of inputs, or nothing.

    Scales and offsets of its own would say nothing that the linear layer after it cannot, and cost a gradient
    with respect to the inputs.
    """
    return nn.LayerNorm(features, elementwise_affine=False) if normalize else nn.Identity()


def hidden_layers(hidden: Hidden, agents: int | None) -> nn.Sequential:
    """What follows the first product: ReLU - LayerNorm, then Linear - ReLU - LayerNorm per further size."""
    layers: list[nn.Module] = [nn.ReLU(), norm(hidden[0], agents)]
    for size_in, size_out in itertools.pairwise(hidden):
        layers += [linear(size_in, size_out, RELU_GAIN, agents), nn.ReLU(), norm(size_out, agents)]
    return nn.Sequential(*layers)


def trunk(in_features: int, hidden: Hidden, normalize: bool, agents: int | None) -> nn.Sequential:
    """From inputs (B, n, in_features) through all hidden layers: what outputs are read from."""
    return nn.Sequential(
        input_norm(in_features, normalize),
        linear(in_features, hidden[0], RELU_GAIN, agents),
        *hidden_layers(hidden, agents),
    )


class MLPActor(nn.Module):
    """Distribution over actions from own observations.

    Args:
        in_features: size of an own observation.
        hidden: hidden sizes.
        action_width: A if discrete, else the action dimension.
        discrete: whether actions are discrete.
        normalize: whether observations are normalised.
        agents: number of separate actors, or None for a shared one.
    """

    def __init__(
        self,
        in_features: int,
        hidden: Hidden,
        action_width: int,
        discrete: bool,
        normalize: bool,
        agents: int | None,
    ) -> None:
        super().__init__()
        self._sizes = (in_features, hidden, action_width, discrete, normalize)
        self.trunk = trunk(in_features, hidden, normalize, agents)
        output = linear(hidden[-1], action_width, OUTPUT_GAIN, agents)
        self.head: ActionHead = action_head(output, action_width, discrete, agents)

    def single(self) -> MLPActor:
        """An actor of the same sizes for one agent, on the meta device: a form without numbers."""
        return MLPActor(*self._sizes, agents=1).to("meta")

    def sample(self, observations: Tensor, noise: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Actions and log-probabilities (B, n) from observations (B, n, in_features)."""
        return self.head.sample(self.trunk(observations), noise, mask)

    def forward(self, observations: Tensor, actions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Log-probabilities and entropies (B, n) of given actions."""
        return self.head.evaluate(self.trunk(observations), actions, mask)


class MLPCritic(nn.Module):
    """Values (B, n), from own observations and ids alone or with the whole state.

    The whole state is the global state, or the concatenation of all observations where there is none.
    Its part of the first product is the same for all agents and made once.

    Args:
        spec: sizes.
        hidden: hidden sizes.
        central: whether it sees the whole state.
        agents: number of separate critics, or None for a shared one.
    """

    def __init__(self, spec: PolicySpec, hidden: Hidden, central: bool, agents: int | None = None) -> None:
        super().__init__()
        self.spec = spec
        own = spec.obs_dim + spec.n
        self.own = nn.Sequential(
            input_norm(own, spec.observation_norm), linear(own, hidden[0], RELU_GAIN, agents)
        )
        state = spec.state_dim or spec.n * spec.obs_dim
        self.whole = (
            nn.Sequential(
                input_norm(state, spec.observation_norm), Linear(state, hidden[0], RELU_GAIN, bias=False)
            )
            if central
            else None
        )
        self.trunk = hidden_layers(hidden, agents)
        self.output = linear(hidden[-1], 1, 1.0, agents)

    def forward(self, inputs: Inputs) -> Tensor:
        return self.output(self.features(inputs)).squeeze(-1)

    def features(self, inputs: Inputs) -> Tensor:
        """What values are read from, (B, n, hidden)."""
        first = self.own(with_agent_ids(inputs["observation"]))
        if self.whole is not None:
            state = inputs["observation"].flatten(1) if self.spec.state_dim is None else inputs["state"]
            first = first + self.whole(state).unsqueeze(1)
        return self.trunk(first)


class MLPPolicy(JointPolicy):
    """Everybody decides at once: the priority is ignored, values do not depend on anyone's present action.

    Args:
        spec: sizes.
        hidden: hidden sizes of actor and critic.
        shared: one actor for all agents, told apart by ids, instead of one for each. Critics that see
            only own observations are shared or separate like the actors.
        central: whether the critic sees the whole state.
    """

    def __init__(self, spec: PolicySpec, hidden: Hidden, shared: bool, central: bool) -> None:
        super().__init__()
        self.shared = shared
        in_features = spec.obs_dim + spec.n if shared else spec.obs_dim
        agents = None if shared else spec.n
        self.actor = MLPActor(
            in_features, hidden, spec.action_width, spec.discrete, spec.observation_norm, agents
        )
        self.critic = MLPCritic(spec, hidden, central, None if central else agents)

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        actions, log_probs = self.actor.sample(self._own(inputs), noise, inputs.get("action_mask"))
        return Decision(actions, log_probs, self.critic(inputs))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        log_probs, entropies = self.actor(self._own(inputs), actions, inputs.get("action_mask"))
        return Evaluation(log_probs, entropies, self.critic(inputs))

    def _own(self, inputs: Inputs) -> Tensor:
        """What actors read, (B, n, in_features)."""
        return with_agent_ids(inputs["observation"]) if self.shared else inputs["observation"]
