"""STEP: one conditional hypernetwork for all agents; our reconstruction.

Zhang et al. 2023, "Inducing Stackelberg Equilibrium through Spatio-Temporal Sequential Decision-Making in
Multi-Agent Reinforcement Learning" (IJCAI 2023, arXiv 2304.10351). Its code is not public. What is known:
an N-level policy model based on a conditional hypernetwork that all agents share; decisions from the
shared state, the priority id and the superiors' actions; asymmetric training with symmetric execution.
Layout and sizes here are ours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.errors import PairingError
from baselines.networks.heads import action_head
from baselines.networks.layers import OUTPUT_GAIN, RELU_GAIN, Linear, flat_linear
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec, take_agents

HYPER_GAIN = 0.1
"""Orthogonal gain of the generating layers: weights start near common ones and learn to differ."""


class GeneratedLayer(nn.Module):
    """A linear layer whose weights are generated for every row.

    The bias of the generating layer holds common weights, orthogonal like those of any other layer. The
    result is bilinear in inputs and condition, so either may be summed over first. That is the longer of
    the two: what is left for every row then is smaller than the weights, which are never made.

    Args:
        condition_dim: size of the conditions' embedding.
        in_features: input size.
        out_features: output size.
        gain: orthogonal gain of the common weights.
    """

    def __init__(self, condition_dim: int, in_features: int, out_features: int, gain: float) -> None:
        super().__init__()
        self.shape = (out_features, in_features)
        self.weight = Linear(condition_dim, out_features * in_features, HYPER_GAIN * gain)
        self.bias = Linear(condition_dim, out_features, HYPER_GAIN * gain)
        with torch.no_grad():
            self.weight.bias.copy_(nn.init.orthogonal_(torch.empty(self.shape), gain=gain).flatten())

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Rows (B, in_features) and condition embeddings (B, condition_dim) to (B, out_features)."""
        conditions_first = self.shape[1] <= condition.shape[-1]
        product = self._conditions_first if conditions_first else self._inputs_first
        return product(x, condition) + self.bias(condition)

    def _conditions_first(self, x: Tensor, condition: Tensor) -> Tensor:
        """The weights of every row, (B, out_features, in_features), times its inputs."""
        weight = self.weight(condition).unflatten(-1, self.shape)
        return (weight @ x.unsqueeze(-1)).squeeze(-1)

    def _inputs_first(self, x: Tensor, condition: Tensor) -> Tensor:
        """What each part of the condition weighs, (B, out_features, condition_dim), times the condition."""
        generator = self.weight.weight.unflatten(0, self.shape).transpose(1, 2)
        weighed = flat_linear(x, generator.flatten(0, 1), None).unflatten(-1, generator.shape[:2])
        common = flat_linear(x, self.weight.bias.unflatten(0, self.shape), None)
        return (weighed @ condition.unsqueeze(-1)).squeeze(-1) + common


class GeneratedMLP(nn.Module):
    """A network with one hidden layer, all of whose weights are generated."""

    def __init__(
        self, condition_dim: int, in_features: int, hidden: int, out_features: int, gain: float
    ) -> None:
        super().__init__()
        self.first = GeneratedLayer(condition_dim, in_features, hidden, RELU_GAIN)
        self.second = GeneratedLayer(condition_dim, hidden, out_features, gain)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return self.second(functional.relu(self.first(x, condition)), condition)


class StepNetwork(JointPolicy):
    """Policy and value networks of every rank, generated from priority id and superiors' actions.

    The condition of rank r is its one-hot priority id, its one-hot agent id, and a row for each agent: its
    action and a flag if it is a superior and has acted, so that under every order it says who did what. The
    generated networks read the shared state alone. In training the true actions of superiors are given
    (asymmetric training). At execution an agent needs no message: with the shared state, the shared weights
    and shared random numbers (or greedily) it decides for its superiors itself; `act` is that computation
    (symmetric execution).

    Args:
        spec: sizes; the game needs a shared state.
        condition_dim: size of the conditions' embedding.
        hidden: hidden size of the generated networks.
    """

    def __init__(self, spec: PolicySpec, condition_dim: int, hidden: int) -> None:
        super().__init__()
        self.spec = spec
        rows = spec.n * (spec.action_width + 1)
        self.condition = nn.Sequential(
            Linear(2 * spec.n + rows, condition_dim, RELU_GAIN), nn.ReLU(), nn.LayerNorm(condition_dim)
        )
        state_dim = spec.shared_state_dim
        if state_dim is None:
            raise PairingError(
                "STEP needs a state that all agents share, which this game has not; use steer, which does not"
            )
        self.state_norm = nn.LayerNorm(state_dim) if spec.observation_norm else nn.Identity()
        self.policy = GeneratedMLP(condition_dim, state_dim, hidden, spec.action_width, OUTPUT_GAIN)
        self.actor = action_head(nn.Identity(), spec.action_width, spec.discrete)
        self.critic = GeneratedMLP(condition_dim, state_dim, hidden, 1, gain=1.0)

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        order = inputs["priority"]
        state = self._state(inputs)
        noise, mask = take_agents(noise, order), self._mask(inputs)
        acted = torch.zeros_like(self._rows(noise))
        agents = torch.arange(self.spec.n, device=order.device)
        actions, log_probs, values = [], [], []
        for rank in range(self.spec.n):
            condition = self._condition(order[:, rank], rank, acted)
            outputs = self.policy(state, condition)
            action, log_prob = self.actor.sample(
                outputs, noise[:, rank], None if mask is None else mask[:, rank]
            )
            actions.append(action)
            log_probs.append(log_prob)
            values.append(self.critic(state, condition).squeeze(-1))
            here = (order[:, rank : rank + 1] == agents).unsqueeze(-1)
            acted = torch.where(here, self._rows(self.actor.encode(action)).unsqueeze(1), acted)
        back = order.argsort(dim=-1)
        decided = (torch.stack(part, dim=1) for part in (actions, log_probs, values))
        return Decision(*(take_agents(part, back) for part in decided))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        ranks = [self.evaluate_rank(inputs, actions, rank) for rank in range(self.spec.n)]
        back = inputs["priority"].argsort(dim=-1)
        return Evaluation(*(take_agents(torch.cat(part, dim=1), back) for part in zip(*ranks, strict=True)))

    def evaluate_rank(self, inputs: Inputs, actions: Tensor, rank: int) -> Evaluation:
        """Judge the decision of one rank in a joint action; each part has shape (B, 1)."""
        order, mask = inputs["priority"], self._mask(inputs)
        ordered = take_agents(actions, order)
        rows = self._rows(self.actor.encode(ordered))
        by_rank = torch.cat([rows[:, :rank], torch.zeros_like(rows[:, rank:])], dim=1)
        acted = take_agents(by_rank, order.argsort(dim=-1))
        condition = self._condition(order[:, rank], rank, acted)
        state, turn = self._state(inputs), slice(rank, rank + 1)
        outputs = self.policy(state, condition).unsqueeze(1)
        log_probs, entropies = self.actor.evaluate(
            outputs, ordered[:, turn], None if mask is None else mask[:, turn]
        )
        return Evaluation(log_probs, entropies, self.critic(state, condition))

    def _state(self, inputs: Inputs) -> Tensor:
        """The shared state, (B, state_dim)."""
        given = inputs["state"] if self.spec.state_dim is not None else inputs["observation"][:, 0]
        return self.state_norm(given)

    def _mask(self, inputs: Inputs) -> Tensor | None:
        """Action masks in order of rank."""
        mask = inputs.get("action_mask")
        return None if mask is None else take_agents(mask, inputs["priority"])

    def _rows(self, encoded: Tensor) -> Tensor:
        """Encoded actions with the flag of having acted: (..., width) to (..., width + 1)."""
        return torch.cat([encoded, torch.ones_like(encoded[..., :1])], dim=-1)

    def _condition(self, agent: Tensor, rank: int, acted: Tensor) -> Tensor:
        """Condition embeddings (B, condition_dim) from agents (B,), rank, and rows (B, n, width + 1)."""
        indices = torch.arange(self.spec.n, device=agent.device)
        own = (agent.unsqueeze(-1) == indices).float()
        place = (indices == rank).float().expand_as(own)
        return self.condition(torch.cat([place, own, acted.flatten(1)], dim=-1))
