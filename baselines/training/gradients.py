"""Gradient steps of a whole population, run by run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from baselines.training.optimizer import Optimizer, clip_per_run
from baselines.training.population import Parameters
from stmg_envs.protocol import Captured

Losses = tuple[Tensor, dict[str, Tensor]]
"""Losses (k,) and metrics, each (k,), of some runs."""

Loss = Callable[..., Losses]
"""Called with the parameters of some runs, the slice of these runs, and what else it needs of all runs."""


class GradientStep:
    """Steps on one loss; every run is clipped by the norm of its own gradient.

    Args:
        loss: of some runs with their parameters.
        max_norm: gradient norms are clipped to this.
        device: where it is computed.
    """

    def __init__(self, loss: Loss, max_norm: float, device: torch.device) -> None:
        self.loss = loss
        self.max_norm = max_norm
        # The optimiser has read the gradients before the next ones are made.
        self._captured = Captured(self._gradients, device, keeps_results=False)

    def __call__(self, optimizer: Optimizer, together: int, *arguments: Any) -> dict[str, Tensor]:
        """One step.

        Args:
            optimizer: of the parameters that are updated, those of K runs.
            together: runs that are mapped over together.
            *arguments: what the loss needs besides parameters: nested tensors with leading axis K.

        Returns:
            The loss's metrics and `grad_norm`, each (K,).
        """
        gradients, metrics = self._captured(optimizer.parameters, together, arguments)
        optimizer.step(gradients)
        return {name: x.clone() for name, x in metrics.items()} if self._captured.records else metrics

    def _gradients(
        self, parameters: Parameters, together: int, arguments: tuple[Any, ...]
    ) -> tuple[Parameters, dict[str, Tensor]]:
        """Clipped gradients of all runs, and metrics."""
        size = len(next(iter(parameters.values())))
        gradients: list[Parameters] = []
        parts: list[dict[str, Tensor]] = []
        for start in range(0, size, together):
            runs = slice(start, min(start + together, size))
            leaves = {name: p[runs].detach().requires_grad_() for name, p in parameters.items()}
            value, metrics = self.loss(leaves, runs, *arguments)
            found = torch.autograd.grad(
                value.sum(), list(leaves.values()), allow_unused=True, materialize_grads=True
            )
            # Optimisers go through gradients in the order in which parameters lie in memory.
            gradients.append({name: g.contiguous() for name, g in zip(leaves, found, strict=True)})
            parts.append({name: x.detach() for name, x in metrics.items()})
        scaled, norms = clip_per_run(_joined(gradients), self.max_norm)
        return scaled, _joined(parts) | {"grad_norm": norms}


def _joined(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tables of some runs each as one of all runs."""
    if len(parts) == 1:
        return parts[0]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def average(steps: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Mean of each metric over steps."""
    return {name: torch.stack([step[name] for step in steps]).mean(dim=0) for name in steps[0]}
