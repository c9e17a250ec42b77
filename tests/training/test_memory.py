"""The allocator setting is taken where the C library is glibc, and numbers do not change with it."""

from __future__ import annotations

import platform

import torch

from baselines.training.memory import keep_freed_memory


def test_glibc_takes_the_setting_and_results_stay() -> None:
    x = torch.linspace(-1, 1, 2**20).view(1024, 1024)
    before = x @ x
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    assert torch.equal(before, x @ x)
