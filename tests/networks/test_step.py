"""The layers whose weights are generated, against sums written out."""

from __future__ import annotations

import pytest
import torch

from baselines.networks.step import GeneratedLayer

CONDITION, OUT = 6, 4


@pytest.mark.parametrize("in_features", [3, CONDITION, 20])
def test_generated_layer_applies_the_weights_of_every_row(in_features: int) -> None:
    layer = GeneratedLayer(CONDITION, in_features, OUT, gain=1.0).double()
    x = torch.randn(5, in_features, dtype=torch.float64, requires_grad=True)
    condition = torch.randn(5, CONDITION, dtype=torch.float64, requires_grad=True)
    generator = layer.weight.weight.reshape(OUT, in_features, CONDITION)
    common = layer.weight.bias.reshape(OUT, in_features)
    expected = (
        torch.einsum("oic,bi,bc->bo", generator, x, condition)
        + torch.einsum("oi,bi->bo", common, x)
        + torch.einsum("oc,bc->bo", layer.bias.weight, condition)
        + layer.bias.bias
    )

    leaves = [x, condition, *layer.parameters()]
    outputs = layer(x, condition)

    torch.testing.assert_close(outputs, expected)
    for gradient, wanted in zip(
        torch.autograd.grad(outputs.square().sum(), leaves),
        torch.autograd.grad(expected.square().sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(gradient, wanted)
