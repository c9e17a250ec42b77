"""The allocator keeps freed memory where the C library is glibc."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from baselines.training.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(20):
    # What is kept grows at first: tensors do not all come to lie where others have lain.
    torch.ones(2**23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(2**23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
"""Page faults of twenty tensors of 32 MiB, one after another: 8192 pages each, or 16 huge ones."""


def faults(kind: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, kind], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_a_tensor_s_memory_is_touched_first_only_once() -> None:
    kept, returned = faults("kept"), faults("returned")
    assert returned >= 20 * 16
    assert kept < returned / 5


def test_other_allocators_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from baselines.training import memory

    def no_mallopt(name: str | None) -> object:
        raise OSError("no such library")

    monkeypatch.setattr(memory.ctypes, "CDLL", no_mallopt)
    assert memory.keep_freed_memory() is False
