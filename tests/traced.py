"""A recorder for the CPU, as exact as a CUDA graph: the operations of a call, made again in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from stmg_envs.protocol import capture


def record_trace(
    function: Callable[[list[Tensor]], list[Tensor]], read: list[Tensor]
) -> tuple[list[Tensor], Callable[[], None]]:
    """A function's operations.

    Raises:
        RuntimeError: if it asks what is in a tensor, or if something is recorded within it.
    """
    if _tracing:
        raise AssertionError("CUDA records nothing within a recording")
    _tracing.append(function)
    try:
        traced = make_fx(function)(read)
    finally:
        _tracing.pop()
    written = [x.clone() for x in traced(read)]

    def replay() -> None:
        assert not _tracing, "CUDA replays nothing within a recording"
        with torch.no_grad():
            for old, new in zip(written, traced(read), strict=True):
                old.copy_(new)

    return written, replay


_tracing: list[object] = []


@contextmanager
def recording() -> Iterator[None]:
    """Have functions recorded on the CPU."""
    capture.RECORDERS["cpu"] = record_trace
    try:
        yield
    finally:
        del capture.RECORDERS["cpu"]
