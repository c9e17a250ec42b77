"""How many of torch's threads a batch is computed with.

A batch is many short operations. Where cores have other work as well, each of them waits for the slowest
thread: two threads are up to eight times slower than one. So one is the default, and large batches may ask
for more.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import torch

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def default_threads() -> int:
    """One, or what OMP_NUM_THREADS says."""
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return max(1, int(said)) if said.isdecimal() else 1


class Threaded(Protocol):
    """What is computed with a number of threads of its own, or with the present one where that is None."""

    threads: int | None


Self = TypeVar("Self", bound=Threaded)


def with_own_threads(
    method: Callable[Concatenate[Self, Arguments], Result],
) -> Callable[Concatenate[Self, Arguments], Result]:
    """A method that computes with its object's `threads`, after which torch has as many as before."""

    @wraps(method)
    def computing(self: Self, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        before = torch.get_num_threads()
        if self.threads is None or self.threads == before:
            return method(self, *arguments, **named)
        torch.set_num_threads(self.threads)
        try:
            return method(self, *arguments, **named)
        finally:
            torch.set_num_threads(before)

    return computing
