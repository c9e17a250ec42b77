from __future__ import annotations

import torch
from policies import BATCH, SPECS, N, make_inputs

from baselines.networks.steer import SteerNetwork


def test_the_initial_policy_is_nearly_uniform() -> None:
    torch.manual_seed(0)
    spec = SPECS["discrete"]
    network = SteerNetwork(spec, dim=64, blocks=1, heads=1)
    inputs = make_inputs(spec) | {"action_mask": torch.ones(BATCH, N, 3, dtype=torch.bool)}
    entropies = network.evaluate(inputs, torch.zeros(BATCH, N, dtype=torch.int64)).entropies
    torch.testing.assert_close(entropies, torch.full_like(entropies, 3.0).log(), atol=1e-3, rtol=0)
