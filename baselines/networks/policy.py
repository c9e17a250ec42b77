"""What a joint policy is: one module that acts rank by rank and evaluates all ranks at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.networks.heads import ActionHead

Inputs = dict[str, Tensor]
"""Observations of a vector environment and `priority`, each with leading axis B."""


@dataclass(frozen=True)
class PolicySpec:
    """Sizes that a network is built from.

    Attributes:
        n: number of agents.
        obs_dim: size of an own observation.
        state_dim: size of the global state, or None.
        action_width: A if discrete, else the action dimension.
        discrete: whether actions are discrete.
        fully_observed: whether every agent's observation is the whole state.
        observation_norm: whether networks normalise each observation over its numbers.
    """

    n: int
    obs_dim: int
    state_dim: int | None
    action_width: int
    discrete: bool
    fully_observed: bool = False
    observation_norm: bool = True

    @property
    def shared_state_dim(self) -> int | None:
        """Size of what all agents know alike: the global state, or the observation if it is everyone's."""
        return self.obs_dim if self.state_dim is None and self.fully_observed else self.state_dim


class Decision(NamedTuple):
    """A joint decision: actions (B, n[, action_dim]), log_probs (B, n), values (B, n).

    A policy that remembers adds its memory after the decision, (B, n, memory_width).
    """

    actions: Tensor
    log_probs: Tensor
    values: Tensor
    memory: Tensor | None = None


class Evaluation(NamedTuple):
    """Judgement of given actions: log_probs, entropies and values, each (B, n)."""

    log_probs: Tensor
    entropies: Tensor
    values: Tensor


class JointPolicy(nn.Module, ABC):
    """Actor and critic of all agents.

    Both methods take and return quantities in agent order; the priority in the inputs says who
    decides when. Values are of subgame states where the algorithm has such values, in units
    of the value normaliser.

    Attributes:
        memory_width: numbers that each agent carries from timestep to timestep. Where there are any,
            inputs have `memory` (B, n, memory_width), zeros where an agent enters the game, and for
            `evaluate` also `fresh`, bool (B, n), who enters it with the row.
        chunk_length: consecutive timesteps that `evaluate` must get together.
    """

    memory_width: int = 0
    chunk_length: int = 1

    @abstractmethod
    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        """Decide rank by rank.

        Args:
            inputs: observations and priority.
            noise: standard Gumbel (discrete) or normal, (B, n, action_width); zeros are greedy.
        """

    @abstractmethod
    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        """Judge a joint action, all ranks at once, under teacher forcing."""


class SequentialPolicy(JointPolicy):
    """A policy whose actor reads, for each rank, an embedding of state and superiors' actions.

    Attributes:
        actor: what turns embeddings into distributions.
    """

    actor: ActionHead

    @abstractmethod
    def embed(self, inputs: Inputs, actions: Tensor) -> Tensor:
        """What the actor reads, in order of rank, (B, n, dim), all ranks at once.

        Args:
            inputs: observations and priority.
            actions: joint actions in agent order; rank r sees those of ranks below r only.
        """


def take_agents(x: Tensor, index: Tensor) -> Tensor:
    """Reorder the agent axis: x (B, n, ...) by indices (B, n)."""
    index = index.view(*index.shape, *([1] * (x.dim() - 2)))
    return torch.gather(x, 1, index.expand(-1, -1, *x.shape[2:]))
