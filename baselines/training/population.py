"""Many small learners as one big one: K independent copies of a policy with stacked parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Captured, Observations

Parameters = dict[str, Tensor]

CPU_CHUNK_ROWS = 3200
"""Rows (runs x samples) mapped over at once on a CPU: more spill the caches and run slower."""


def policy_inputs(observations: Observations, priority: Tensor, runs: int) -> Inputs:
    """Observations (K * B, ...) and priority as policy inputs (K, B, ...)."""
    inputs = {**observations, "priority": priority}
    return {name: value.reshape(runs, -1, *value.shape[1:]) for name, value in inputs.items()}


class Population:
    """K policies of one architecture, mapped over with `torch.func.vmap`.

    Args:
        build: makes one policy; called once per seed under that seed.
        seeds: one seed per run, (K,).
        device: where the parameters live.

    Attributes:
        seeds: the seeds, (K,).
        parameters: named leaf tensors, each (K, *shape).
        template: the module without its numbers, on the meta device.
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
        self.template = copy.deepcopy(policies[0]).to("meta")
        self._act = PolicyFunction(self.template, _act)
        self._captured = Captured(self._act.map, self.device, self.parameters)
        self._evaluate = PolicyFunction(self.template, _evaluate)
        self._single = self._resident(policies[0]) if self.size == 1 else None

    @property
    def size(self) -> int:
        """K."""
        return len(self.seeds)

    @property
    def policy(self) -> JointPolicy:
        """The policy of a population of one."""
        if self._single is None:
            raise InvalidArgumentError(f"a population of {self.size} has no single policy; expected one of 1")
        return self._single

    def no_memory(self, batch: int, n: int) -> Tensor:
        """The memory of n agents at the start of episodes, zeros (K, B, n, memory_width)."""
        return torch.zeros(self.size, batch, n, self.template.memory_width, device=self.device)

    def together(self, rows_per_run: int) -> int:
        """How many runs are best mapped over together."""
        return self.size if self.device.type != "cpu" else max(1, CPU_CHUNK_ROWS // rows_per_run)

    def act(self, inputs: Inputs, noise: Tensor, parameters: Parameters | None = None) -> Decision:
        """Decide without gradients.

        Args:
            inputs: observations and priority, with leading axes (K, B).
            noise: of the decisions, likewise.
            parameters: of the runs; their own by default.
        """
        if parameters is not None:
            return Decision(*self._act.map(parameters, inputs, noise))
        if self._captured.records:
            with torch.no_grad():
                return Decision(*self._captured(inputs, noise))
        with torch.inference_mode():
            if self._single is None:
                decided = self._act.map(self.parameters, inputs, noise)
            else:
                decision = self._single.act(_first(inputs), _first(noise))
                decided = tuple(x.unsqueeze(0) for x in decision if x is not None)
        # Outside of inference mode these may be changed in place and enter graphs of gradients.
        return Decision(*(x.clone() for x in decided))

    def _resident(self, policy: JointPolicy) -> JointPolicy:
        """The policy of a single run, its parameters sharing the memory of the population's.

        Putting parameters into a module for every call costs as much as a small policy itself.
        """
        module = copy.deepcopy(policy).to(self.device)
        for name, p in module.named_parameters():
            p.data = self.parameters[name].detach()[0]
        return module

    def evaluate(self, inputs: Inputs, actions: Tensor, parameters: Parameters | None = None) -> Evaluation:
        """Judge actions with leading axes (K, B).

        Args:
            inputs: observations and priority.
            actions: the actions.
            parameters: of some runs only; all by default.
        """
        chosen = self.parameters if parameters is None else parameters
        return Evaluation(*self._evaluate.map(chosen, inputs, actions))

    def load(self, parameters: Parameters) -> None:
        """Copy parameters in, in place."""
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(parameters[name])


def _act(policy: JointPolicy, inputs: Inputs, noise: Tensor) -> tuple[Tensor, ...]:
    return tuple(x for x in policy.act(inputs, noise) if x is not None)


def _evaluate(policy: JointPolicy, inputs: Inputs, actions: Tensor) -> tuple[Tensor, ...]:
    return tuple(policy.evaluate(inputs, actions))


class PolicyFunction(nn.Module):
    """Something that is computed with a policy, for populations.

    Args:
        policy: a policy without parameters of its own (on the meta device).
        function: called with the policy and the arguments; returns a tensor or a tuple of tensors.
    """

    def __init__(self, policy: JointPolicy, function: Callable[..., Tensor | tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.policy = policy
        self.function = function

    def forward(self, *arguments: Any) -> Tensor | tuple[Tensor, ...]:
        return self.function(self.policy, *arguments)

    def map(self, parameters: Parameters, *arguments: Any) -> Any:
        """Compute it for each of k runs; parameters of the policy and arguments as for `map_module`."""
        return map_module(self, {f"policy.{name}": p for name, p in parameters.items()}, *arguments)


def map_module(module: nn.Module, parameters: Parameters, *arguments: Any) -> Any:
    """Call one module for each of k runs, with parameters and arguments that have a leading axis k.

    Args:
        module: a module without state of its own (on the meta device).
        parameters: named parameters, each (k, *shape).
        arguments: tensors, None, or dicts of tensors.
    """

    def one(parameters: Parameters, *arguments: Any) -> Any:
        return functional_call(module, parameters, arguments)

    if next(iter(parameters.values())).shape[0] > 1:
        axes = tuple(None if argument is None else 0 for argument in arguments)
        return vmap(one, in_dims=(0, *axes))(parameters, *arguments)
    # A single run needs no mapping, which costs more than its small products.
    result = one(_first(parameters), *map(_first, arguments))
    return result.unsqueeze(0) if isinstance(result, Tensor) else tuple(x.unsqueeze(0) for x in result)


def _first(x: Any) -> Any:
    """Of a tensor, or of the tensors of a dict, what stands along a leading axis of 1."""
    if isinstance(x, dict):
        return {name: value.squeeze(0) for name, value in x.items()}
    # The gradient of `squeeze` is a view, that of a selection a copy.
    return None if x is None else x.squeeze(0)
