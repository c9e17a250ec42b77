"""What a device computes beside what the CPU does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

TOLERANCE = 1e-4
"""Absolute and relative, of floating point numbers; all others must be equal."""


def assert_parity(found: Any, expected: Any, device: str, path: str = "") -> None:
    """Tensors in nested mappings and sequences live on the device and have the CPU's values.

    The CPU's may have more rows than the device's: the first ones count. So on the CPU itself this still
    compares two computations, which differ in their batches.
    """
    if isinstance(found, Mapping):
        assert found.keys() == expected.keys(), f"{path}: {set(found) ^ set(expected)}"
        for name in found:
            assert_parity(found[name], expected[name], device, f"{path}/{name}")
    elif isinstance(found, tuple):
        for index, pair in enumerate(zip(found, expected, strict=True)):
            assert_parity(*pair, device, f"{path}/{index}")
    else:
        assert found.device.type == torch.device(device).type, f"{path} is on {found.device}"
        tolerance = TOLERANCE if found.is_floating_point() else 0
        torch.testing.assert_close(
            found.detach().cpu(),
            first_rows(expected.detach(), len(found)) if found.dim() else expected,
            rtol=tolerance,
            atol=tolerance,
            equal_nan=True,
            msg=lambda difference: f"{path}: {difference}",
        )


def first_rows(tensors: Any, count: int) -> Any:
    """Of a tensor, or of every tensor of a mapping."""
    if isinstance(tensors, Tensor):
        return tensors[:count]
    return {name: tensor[:count] for name, tensor in tensors.items()}
