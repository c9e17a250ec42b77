"""The policies that students learn from, as their collector asks them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from baselines.networks.deterministic import DeterministicPolicy
from baselines.networks.heads import LOG_2PI
from baselines.networks.policy import Decision, Inputs
from baselines.training.population import Population

SPREAD = 0.1
"""Deviation around the continuous actions of a teacher that has none of its own."""


class Teacher:
    """K trained policies, asked timestep by timestep for their decisions and how likely these were.

    Policies with memory keep it here. A deterministic policy of continuous actions has no density to learn
    from; it is taken for a normal one around its actions.

    Args:
        population: the policies.
        batch: environments per run.
        n: number of agents.
    """

    def __init__(self, population: Population, batch: int, n: int) -> None:
        self.population = population
        self.memory = population.no_memory(batch, n)
        policy = population.template
        self._exact = isinstance(policy, DeterministicPolicy) and not policy.spec.discrete

    def decide(self, inputs: Inputs, noise: Tensor) -> Decision:
        """Decisions without gradients, from inputs and noise with leading axes (K, B)."""
        remembered = {"memory": self.memory} if self.memory.shape[-1] else {}
        decision = self.population.act(inputs | remembered, noise)
        if decision.memory is not None:
            self.memory = decision.memory
        return _spread(decision, noise) if self._exact else decision

    def forget(self, ended: Tensor) -> None:
        """What agents remembered that are out of the game or begin another, bool (K, B, n)."""
        self.memory = torch.where(ended.unsqueeze(-1), 0.0, self.memory)


def _spread(decision: Decision, noise: Tensor) -> Decision:
    """Normal actions around exact ones, and their log-densities."""
    densities = -0.5 * noise.square() - math.log(SPREAD) - 0.5 * LOG_2PI
    return decision._replace(actions=decision.actions + SPREAD * noise, log_probs=densities.sum(dim=-1))
