"""Adam for populations: over all parameters, or on explicit state of parts; clipping per run; annealing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from baselines.training.checkpoint import prefixed
from baselines.training.population import Parameters

BETA_1, BETA_2 = 0.9, 0.999
ADAM_EPS = 1e-5


class Optimizer(Protocol):
    """Moves parameters along gradients, in place.

    Attributes:
        parameters: what is updated, each (K, *shape).
        learning_rate: step size.
    """

    parameters: Parameters
    learning_rate: float

    def step(self, gradients: Parameters) -> None:
        """One step, with the gradient of each parameter."""

    def state(self) -> dict[str, Tensor]:
        """What it remembers, by name."""

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""


class FusedAdam:
    """Adam over all parameters of a population, in one call of torch's kernel.

    Args:
        parameters: leaf tensors, (K, ...) each.
        learning_rate: step size.
    """

    def __init__(self, parameters: Parameters, learning_rate: float) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self._adam = torch.optim.Adam(list(parameters.values()), lr=learning_rate, eps=ADAM_EPS, fused=True)

    def step(self, gradients: Parameters) -> None:
        (group,) = self._adam.param_groups
        group["lr"] = self.learning_rate
        for name, p in self.parameters.items():
            p.grad = gradients[name]
        self._adam.step()

    def state(self) -> dict[str, Tensor]:
        """What torch's Adam remembers of each parameter; nothing before its first step."""
        states = ((name, self._adam.state.get(p, {})) for name, p in self.parameters.items())
        return {f"{key}.{name}": torch.as_tensor(x) for name, state in states for key, x in state.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        keys = {name.split(".", 1)[0] for name in tensors}
        for name, p in self.parameters.items():
            self._adam.state[p] = {key: tensors[f"{key}.{name}"].to(p.device) for key in keys}


@dataclass
class Adam:
    """Adam (Kingma and Ba 2015) on parameters (K, n, ...) that agents can have their parts of.

    Attributes:
        parameters: what is updated.
        first: running means of gradients.
        second: running means of squared gradients.
        steps: number of steps made.
        learning_rate: step size.
    """

    parameters: Parameters
    first: Parameters
    second: Parameters
    steps: int
    learning_rate: float

    @classmethod
    def start(cls, parameters: Parameters, learning_rate: float) -> Adam:
        """Before the first step."""
        shared = {name: p.detach() for name, p in parameters.items()}
        first, second = ({name: torch.zeros_like(p) for name, p in shared.items()} for _ in range(2))
        return cls(shared, first, second, 0, learning_rate)

    def step(self, gradients: Parameters) -> None:
        self.steps += 1
        with torch.no_grad():
            parameters, first, second, found = (
                [tensors[name] for name in self.parameters] for tensors in (*self._tensors(), gradients)
            )
            torch._foreach_lerp_(first, found, 1.0 - BETA_1)
            torch._foreach_lerp_(second, torch._foreach_mul(found, found), 1.0 - BETA_2)
            roots = torch._foreach_div(second, 1.0 - BETA_2**self.steps)
            torch._foreach_sqrt_(roots)
            torch._foreach_add_(roots, ADAM_EPS)
            torch._foreach_addcdiv_(
                parameters, first, roots, value=-self.learning_rate / (1.0 - BETA_1**self.steps)
            )

    def split(self, order: Tensor) -> list[Adam]:
        """Copies of the agents' parts, (K, 1, ...) each, in an order of its own for each run, (K, n)."""
        runs = torch.arange(len(order), device=order.device)
        parts = []
        for agent in order.unbind(dim=1):
            parameters, first, second = (
                {name: x[runs, agent].unsqueeze(1) for name, x in whole.items()} for whole in self._tensors()
            )
            parts.append(Adam(parameters, first, second, self.steps, self.learning_rate))
        return parts

    def join(self, order: Tensor, parts: list[Adam]) -> None:
        """Put back what `split` gave in the same order, after as many steps of each part."""
        runs = torch.arange(len(order), device=order.device)
        for agent, part in zip(order.unbind(dim=1), parts, strict=True):
            self.steps = part.steps
            for whole, own in zip(self._tensors(), part._tensors(), strict=True):
                for name, x in whole.items():
                    x[runs, agent] = own[name].squeeze(1)

    def state(self) -> dict[str, Tensor]:
        moments = prefixed("first.", self.first) | prefixed("second.", self.second)
        return {"steps": torch.tensor(self.steps)} | moments

    def load(self, tensors: dict[str, Tensor]) -> None:
        self.steps = int(tensors["steps"])
        for name in self.parameters:
            self.first[name].copy_(tensors[f"first.{name}"])
            self.second[name].copy_(tensors[f"second.{name}"])

    def _tensors(self) -> tuple[Parameters, Parameters, Parameters]:
        return self.parameters, self.first, self.second


def clip_per_run(gradients: Parameters, limit: float) -> tuple[Parameters, Tensor]:
    """Scale each run's gradient to a norm limit.

    Args:
        gradients: each (K, *shape).
        limit: largest norm.

    Returns:
        The scaled gradients, and the norms before, (K,).
    """
    flat = [gradient.flatten(1) for gradient in gradients.values()]
    squares = torch._foreach_mul(flat, flat)
    norms = torch.stack([x.sum(dim=1) for x in squares]).sum(dim=0).sqrt()
    scale = (limit / (norms + 1e-6)).clamp(max=1.0).unsqueeze(1)
    scaled = torch._foreach_mul(flat, [scale] * len(flat))
    return {name: x.view_as(g) for (name, g), x in zip(gradients.items(), scaled, strict=True)}, norms


def annealed(start: float, end: float, share: float, progress: float) -> float:
    """A coefficient that moves linearly from start to end over a share of training.

    Args:
        start: value at progress 0.
        end: value from progress `share` on.
        share: share of training, in (0, 1].
        progress: share of training done, in [0, 1].
    """
    return end + (start - end) * max(0.0, 1.0 - progress / share)
