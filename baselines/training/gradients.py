"""One gradient step of a whole population, run by run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from baselines.training.optimizer import Optimizer, clip_per_run
from baselines.training.population import Parameters

Losses = tuple[Tensor, dict[str, Tensor]]
"""Losses (k,) and metrics, each (k,), of some runs."""


def gradient_step(
    optimizer: Optimizer,
    loss: Callable[[Parameters, slice], Losses],
    chunks: Iterable[slice],
    max_norm: float,
) -> dict[str, Tensor]:
    """One step; every run is clipped by the norm of its own gradient.

    Args:
        optimizer: of the parameters that are updated, those of K runs.
        loss: of some runs with their parameters.
        chunks: runs that are mapped over together; all runs in all.
        max_norm: gradient norms are clipped to this.

    Returns:
        The loss's metrics and `grad_norm`, each (K,).
    """
    gradients = {name: torch.empty_like(p) for name, p in optimizer.parameters.items()}
    parts = []
    for runs in chunks:
        leaves = {name: p[runs].detach().requires_grad_() for name, p in optimizer.parameters.items()}
        value, metrics = loss(leaves, runs)
        found = torch.autograd.grad(
            value.sum(), list(leaves.values()), allow_unused=True, materialize_grads=True
        )
        for name, gradient in zip(leaves, found, strict=True):
            gradients[name][runs] = gradient
        parts.append({name: x.detach() for name, x in metrics.items()})
    scaled, norms = clip_per_run(gradients, max_norm)
    optimizer.step(scaled)
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]} | {"grad_norm": norms}


def average(steps: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Mean of each metric over steps."""
    return {name: torch.stack([step[name] for step in steps]).mean(dim=0) for name in steps[0]}
