"""Many small learners as one big one: K independent copies of a policy with stacked parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy


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
        parameters: named leaf tensors, each (K, *shape).
    """

    def __init__(
        self,
        build: Callable[[], JointPolicy],
        seeds: Sequence[int],
        device: torch.device | str = "cpu",
    ) -> None:
        self.seeds = tuple(seeds)
        policies = []
        for seed in self.seeds:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                policies.append(build())
        columns = zip(*(policy.parameters() for policy in policies), strict=True)
        self.parameters = {
            name: torch.stack([p.detach() for p in column]).to(device).requires_grad_()
            for (name, _), column in zip(policies[0].named_parameters(), columns, strict=True)
        }
        template = copy.deepcopy(policies[0]).to("meta")
        self._act, self._evaluate = _Act(template), _Evaluate(template)

    @property
    def size(self) -> int:
        """K."""
        return len(self.seeds)

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        """Decide for inputs and noise with leading axes (K, B)."""
        return Decision(*self._call(self._act, inputs, noise))

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        """Judge actions with leading axes (K, B)."""
        return Evaluation(*self._call(self._evaluate, inputs, actions))

    def _call(self, method: nn.Module, inputs: Inputs, argument: Tensor) -> tuple[Tensor, ...]:
        parameters = {f"policy.{name}": p for name, p in self.parameters.items()}

        def one(parameters: dict[str, Tensor], inputs: Inputs, argument: Tensor) -> tuple[Tensor, ...]:
            result: tuple[Tensor, ...] = functional_call(method, parameters, (inputs, argument))
            return result

        if self.size == 1:
            # One run needs no mapping, which costs more than its small products.
            parameters = {name: p[0] for name, p in parameters.items()}
            parts = one(parameters, {k: v[0] for k, v in inputs.items()}, argument[0])
            return tuple(part.unsqueeze(0) for part in parts)
        mapped: tuple[Tensor, ...] = vmap(one)(parameters, inputs, argument)
        return mapped
