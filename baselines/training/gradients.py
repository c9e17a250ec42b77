"""One gradient step of a whole population, run by run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from baselines.training.optimizer import clip_per_run
from baselines.training.population import Parameters, Population

Loss = Callable[[Parameters, slice], tuple[Tensor, dict[str, Tensor]]]
"""Losses (k,) and metrics, each (k,), of some runs with their parameters."""


def gradient_step(
    population: Population, optimizer: torch.optim.Optimizer, loss: Loss, rows: int, max_norm: float
) -> dict[str, Tensor]:
    """One step; every run is clipped by the norm of its own gradient.

    Args:
        population: K policies.
        optimizer: over the population's parameters.
        loss: of some runs.
        rows: samples per run, by which the number of runs mapped over at once is chosen.
        max_norm: gradient norms are clipped to this.

    Returns:
        The loss's metrics and `grad_norm`, each (K,).
    """
    gradients = {name: torch.empty_like(p) for name, p in population.parameters.items()}
    parts = []
    for runs in population.chunks(rows):
        leaves = population.leaves(runs)
        value, metrics = loss(leaves, runs)
        found = torch.autograd.grad(
            value.sum(), list(leaves.values()), allow_unused=True, materialize_grads=True
        )
        for name, gradient in zip(leaves, found, strict=True):
            gradients[name][runs] = gradient
        parts.append({name: x.detach() for name, x in metrics.items()})
    scaled, norms = clip_per_run(gradients, max_norm)
    for name, p in population.parameters.items():
        p.grad = scaled[name]
    optimizer.step()
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]} | {"grad_norm": norms}


def average(steps: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Mean of each metric over steps."""
    return {name: torch.stack([step[name] for step in steps]).mean(dim=0) for name in steps[0]}
