"""Action heads: what a policy says about one decision, for discrete and continuous actions.

Sampling takes its noise as an argument (standard Gumbel or standard normal), so that a module maps
over a population; zero noise is the greedy decision.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

ILLEGAL_LOGIT = -1e10
LOG_2PI = math.log(2.0 * math.pi)


class ActionHead(nn.Module):
    """Maps embeddings (..., dim) to a distribution over actions.

    Args:
        network: maps embeddings (..., dim) to logits or means (..., action_width).
        action_width: A if discrete, else the action dimension.
    """

    def __init__(self, network: nn.Module, action_width: int) -> None:
        super().__init__()
        self.action_width = action_width
        self.network = network

    @abstractmethod
    def sample(self, x: Tensor, noise: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Actions and their log-probabilities (...,) for noise (..., action_width)."""

    @abstractmethod
    def evaluate(self, x: Tensor, actions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Log-probabilities of actions and entropies, each (...,)."""

    @abstractmethod
    def encode(self, actions: Tensor) -> Tensor:
        """Actions as network inputs, float (..., action_width)."""

    @abstractmethod
    def embedder(self, encoder: nn.Module) -> Callable[[Tensor], Tensor]:
        """What embeds actions again and again, as `encoder` does once they are encoded."""


class DiscreteHead(ActionHead):
    """Categorical over A actions; actions are int64 (...,)."""

    def _log_probs(self, x: Tensor, mask: Tensor | None) -> Tensor:
        logits: Tensor = self.network(x)
        if mask is not None:
            logits = logits.masked_fill(~mask, ILLEGAL_LOGIT)
        return logits.log_softmax(dim=-1)

    def sample(self, x: Tensor, noise: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        log_probs = self._log_probs(x, mask)
        actions = (log_probs + noise).argmax(dim=-1)
        return actions, log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1)

    def evaluate(self, x: Tensor, actions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        log_probs = self._log_probs(x, mask)
        entropies = -(log_probs.exp() * log_probs).sum(dim=-1)
        return log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1), entropies

    def encode(self, actions: Tensor) -> Tensor:
        classes = torch.arange(self.action_width, device=actions.device)
        return (actions.unsqueeze(-1) == classes).float()

    def embedder(self, encoder: nn.Module) -> Callable[[Tensor], Tensor]:
        device = next(encoder.parameters()).device
        table: Tensor = encoder(torch.eye(self.action_width, device=device))
        return lambda actions: table[actions]


class GaussianHead(ActionHead):
    """Normal with mean from the network and a learned std of 0.5 * sigmoid(log_std).

    Actions are float (..., action_dim); log_std starts at 1, so std starts at 0.366.

    Args:
        network: maps embeddings (..., dim) to means (..., action_dim).
        action_width: the action dimension.
        agents: number of separate deviations, for embeddings (B, n, dim), or None for a shared one.
    """

    def __init__(self, network: nn.Module, action_width: int, agents: int | None = None) -> None:
        super().__init__(network, action_width)
        shape = (action_width,) if agents is None else (agents, action_width)
        self.log_std = nn.Parameter(torch.ones(shape))

    def _std(self) -> Tensor:
        return 0.5 * self.log_std.sigmoid()

    def sample(self, x: Tensor, noise: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        actions = self.network(x) + self._std() * noise
        log_probs = (-0.5 * noise.square() - self._std().log() - 0.5 * LOG_2PI).sum(dim=-1)
        return actions, log_probs

    def evaluate(self, x: Tensor, actions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        std = self._std()
        score = (actions - self.network(x)) / std
        log_probs = (-0.5 * score.square() - std.log() - 0.5 * LOG_2PI).sum(dim=-1)
        entropy = (0.5 + 0.5 * LOG_2PI + std.log()).sum(dim=-1)
        return log_probs, entropy.expand_as(log_probs)

    def encode(self, actions: Tensor) -> Tensor:
        return actions

    def embedder(self, encoder: nn.Module) -> Callable[[Tensor], Tensor]:
        return encoder


def action_head(
    network: nn.Module, action_width: int, discrete: bool, agents: int | None = None
) -> ActionHead:
    """The head that fits the action space; `agents` is None where agents share it."""
    return DiscreteHead(network, action_width) if discrete else GaussianHead(network, action_width, agents)


def explored(probs: Tensor, legal: Tensor, share: Tensor) -> Tensor:
    """Log-probabilities of play that is uniformly random, among legal actions, with a chance.

    Args:
        probs: of the other play, (B, n, A).
        legal: bool (B, n, A).
        share: that chance, (B,).
    """
    uniform = legal / legal.sum(dim=-1, keepdim=True)
    mixed = torch.lerp(probs, uniform.to(probs.dtype), share[:, None, None])
    return torch.where(mixed > 0, mixed.clamp(min=1e-12).log(), ILLEGAL_LOGIT)
