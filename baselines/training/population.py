"""Many small learners as one big one: K independent copies of a policy with stacked parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy

Parameters = dict[str, Tensor]

CPU_CHUNK_ROWS = 3200
"""Rows (runs x samples) mapped over at once on a CPU: more spill the caches and run slower."""


class _Act(nn.Module):
    def __init__(self, policy: JointPolicy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, inputs: Inputs, noise: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.policy.act(inputs, noise))


class _Evaluate(nn.Module):
    def __init__(self, policy: JointPolicy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, inputs: Inputs, actions: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.policy.evaluate(inputs, actions))


class Population:
    """K policies of one architecture, mapped over with `torch.func.vmap`.

    Args:
        build: makes one policy; called once per seed under that seed.
        seeds: one seed per run, (K,).
        device: where the parameters live.

    Attributes:
        seeds: the seeds, (K,).
        parameters: named leaf tensors, each (K, *shape).
    """

    def __init__(
        self,
        build: Callable[[], JointPolicy],
        seeds: Sequence[int],
        device: torch.device | str = "cpu",
    ) -> None:
        self.seeds = tuple(seeds)
        self.device = torch.device(device)
        policies = []
        for seed in self.seeds:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                policies.append(build())
        columns = zip(*(policy.parameters() for policy in policies), strict=True)
        self.parameters: Parameters = {
            name: torch.stack([p.detach() for p in column]).to(self.device).requires_grad_()
            for (name, _), column in zip(policies[0].named_parameters(), columns, strict=True)
        }
        template = copy.deepcopy(policies[0]).to("meta")
        self._act, self._evaluate = _Act(template), _Evaluate(template)

    @property
    def size(self) -> int:
        """K."""
        return len(self.seeds)

    def chunks(self, rows_per_run: int) -> Iterator[slice]:
        """Slices of runs that are best mapped over together."""
        step = self.size if self.device.type != "cpu" else max(1, CPU_CHUNK_ROWS // rows_per_run)
        return (slice(start, min(start + step, self.size)) for start in range(0, self.size, step))

    def leaves(self, runs: slice) -> Parameters:
        """The parameters of some runs as new leaves that share their memory."""
        return {name: p[runs].detach().requires_grad_() for name, p in self.parameters.items()}

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        """Decide without gradients, for inputs and noise with leading axes (K, B)."""
        with torch.no_grad():
            return Decision(*_mapped(self._act, self.parameters, inputs, noise))

    def evaluate(self, inputs: Inputs, actions: Tensor, parameters: Parameters | None = None) -> Evaluation:
        """Judge actions with leading axes (K, B).

        Args:
            inputs: observations and priority.
            actions: the actions.
            parameters: those of `leaves`, for some runs only; all by default.
        """
        return Evaluation(*_mapped(self._evaluate, parameters or self.parameters, inputs, actions))

    def load(self, parameters: Parameters) -> None:
        """Copy parameters in, in place."""
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(parameters[name])


def _mapped(
    method: nn.Module, parameters: Parameters, inputs: Inputs, argument: Tensor
) -> tuple[Tensor, ...]:
    def one(parameters: Parameters, inputs: Inputs, argument: Tensor) -> tuple[Tensor, ...]:
        result: tuple[Tensor, ...] = functional_call(method, parameters, (inputs, argument))
        return result

    named = {f"policy.{name}": p for name, p in parameters.items()}
    if argument.shape[0] > 1:
        mapped: tuple[Tensor, ...] = vmap(one)(named, inputs, argument)
        return mapped
    # A single run needs no mapping, which costs more than its small products.
    parts = one({k: p[0] for k, p in named.items()}, {k: v[0] for k, v in inputs.items()}, argument[0])
    return tuple(part.unsqueeze(0) for part in parts)
