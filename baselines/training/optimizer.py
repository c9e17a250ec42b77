"""Adam for populations: over all parameters, or on explicit state of parts; clipping per run; annealing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from baselines.training.population import Parameters

BETA_1, BETA_2 = 0.9, 0.999
ADAM_EPS = 1e-5


@dataclass
class Moments:
    """First and second moments of some parameters.

    Attributes:
        first: running means of gradients.
        second: running means of squared gradients.
    """

    first: Parameters
    second: Parameters

    @classmethod
    def zeros(cls, parameters: Parameters) -> Moments:
        """Before the first step."""
        zeros = ({name: torch.zeros_like(p) for name, p in parameters.items()} for _ in range(2))
        return cls(*zeros)


def adam_step(
    parameters: Parameters, gradients: Parameters, moments: Moments, steps: int, lr: float, eps: float
) -> None:
    """One step of Adam (Kingma and Ba 2015), in place.

    Args:
        parameters: what is updated.
        gradients: of each parameter.
        moments: of each parameter, as they are after `steps` - 1 steps.
        steps: number of this step, from 1 on.
        lr: step size.
        eps: added to the root of the second moment.
    """
    with torch.no_grad():
        for name, p in parameters.items():
            first, second, gradient = moments.first[name], moments.second[name], gradients[name]
            first.lerp_(gradient, 1.0 - BETA_1)
            second.lerp_(gradient.square(), 1.0 - BETA_2)
            root = (second / (1.0 - BETA_2**steps)).sqrt_().add_(eps)
            p.addcdiv_(first, root, value=-lr / (1.0 - BETA_1**steps))


def clip_per_run(gradients: Parameters, limit: float) -> tuple[Parameters, Tensor]:
    """Scale each run's gradient to a norm limit.

    Args:
        gradients: each (K, *shape).
        limit: largest norm.

    Returns:
        The scaled gradients, and the norms before, (K,).
    """
    squares = [gradient.flatten(1).square().sum(dim=1) for gradient in gradients.values()]
    norms = torch.stack(squares).sum(dim=0).sqrt()
    scale = (limit / (norms + 1e-6)).clamp(max=1.0)
    scaled = {name: g * scale.view(-1, *([1] * (g.dim() - 1))) for name, g in gradients.items()}
    return scaled, norms


def annealed(start: float, end: float, share: float, progress: float) -> float:
    """A coefficient that moves linearly from start to end over a share of training.

    Args:
        start: value at progress 0.
        end: value from progress `share` on.
        share: share of training, in (0, 1].
        progress: share of training done, in [0, 1].
    """
    return end + (start - end) * max(0.0, 1.0 - progress / share)


def make_adam(parameters: Parameters, learning_rate: float) -> torch.optim.Adam:
    """Adam over all of some parameters, (K, ...) each."""
    return torch.optim.Adam(list(parameters.values()), lr=learning_rate, eps=ADAM_EPS, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Change an optimiser's step size."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def adam_state(optimizer: torch.optim.Optimizer, parameters: Parameters) -> dict[str, Tensor]:
    """What an Adam of torch remembers of named parameters; nothing before its first step."""
    states = ((name, optimizer.state.get(p, {})) for name, p in parameters.items())
    return {f"{key}.{name}": torch.as_tensor(x) for name, state in states for key, x in state.items()}


def load_adam_state(
    optimizer: torch.optim.Optimizer, parameters: Parameters, tensors: dict[str, Tensor]
) -> None:
    """Restore what `adam_state` gave."""
    keys = {name.split(".", 1)[0] for name in tensors}
    for name, p in parameters.items():
        optimizer.state[p] = {key: tensors[f"{key}.{name}"].to(p.device) for key in keys}
