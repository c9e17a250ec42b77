"""Small policies far from their nearly uniform start, and random inputs for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from baselines.networks.mat import MATNetwork
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import Inputs, JointPolicy, PolicySpec
from baselines.networks.steer import SteerNetwork
from baselines.networks.step import StepNetwork
from baselines.networks.students import Students

BATCH, N, OBS_DIM, STATE_DIM = 6, 4, 5, 7

SPECS = {
    "discrete": PolicySpec(N, OBS_DIM, None, 3, discrete=True),
    "discrete with state": PolicySpec(N, OBS_DIM, STATE_DIM, 3, discrete=True),
    "continuous": PolicySpec(N, OBS_DIM, None, 2, discrete=False),
    "continuous with state": PolicySpec(N, OBS_DIM, STATE_DIM, 2, discrete=False),
}


POLICIES: dict[str, Callable[[PolicySpec], JointPolicy]] = {
    "steer": lambda spec: SteerNetwork(spec, dim=16, blocks=2, heads=2),
    "steer, inner mlp": lambda spec: SteerNetwork(spec, 16, 1, 1, inner="mlp"),
    "steer, inner none": lambda spec: SteerNetwork(spec, 16, 1, 1, inner="none"),
    "steer, outer gru": lambda spec: SteerNetwork(spec, 16, 1, 1, outer="gru"),
    "steer, outer none": lambda spec: SteerNetwork(spec, 16, 1, 1, outer="none"),
    "step": lambda spec: StepNetwork(replace(spec, fully_observed=True), 16, 8),
    "mat": lambda spec: MATNetwork(spec, dim=16, blocks=2, heads=2),
    "mappo": lambda spec: MLPPolicy(spec, (16, 16), shared=True, central=True),
    "mappo with separate actors": lambda spec: MLPPolicy(spec, (16, 16), shared=False, central=True),
    "a2c": lambda spec: MLPPolicy(spec, (16,), shared=False, central=False),
    "ippo": lambda spec: MLPPolicy(spec, (16,), shared=True, central=False),
    "students": lambda spec: Students(spec, (16,)),
}
SEQUENTIAL = ["step", "steer", "steer, inner mlp", "steer, inner none", "steer, outer gru", "mat"]


def make_policy(name: str, spec: PolicySpec) -> JointPolicy:
    torch.manual_seed(0)
    network = POLICIES[name](spec)
    with torch.no_grad():
        # Far from the nearly uniform initial policy, so that every dependence shows.
        for p in network.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return network


def make_inputs(spec: PolicySpec) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    inputs = {
        "observation": torch.randn(BATCH, N, OBS_DIM, generator=generator),
        "priority": torch.rand(BATCH, N, generator=generator).argsort(dim=-1),
    }
    if spec.state_dim is not None:
        inputs["state"] = torch.randn(BATCH, spec.state_dim, generator=generator)
    if spec.discrete:
        mask = torch.rand(BATCH, N, spec.action_width, generator=generator) < 0.7
        mask[..., 0] = True
        inputs["action_mask"] = mask
    return inputs


def make_noise(spec: PolicySpec) -> Tensor:
    return torch.randn(BATCH, N, spec.action_width, generator=torch.Generator().manual_seed(2))
