"""How benchmarks measure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Name = TypeVar("Name")


def median_ms(call: Callable[[], object], repeats: int, warmup: int = 3) -> float:
    """Median wall time of a call in milliseconds."""
    times = []
    for index in range(warmup + repeats):
        start = time.perf_counter()
        call()
        if index >= warmup:
            times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def in_turns_ms(calls: Mapping[Name, Callable[[], object]], repeats: int) -> dict[Name, tuple[float, float]]:
    """Median wall time, and mean time that this process computed, of several calls in milliseconds.

    They are made in turns, so that whatever else the machine does slows all of them.
    """
    walls: dict[Name, list[float]] = {name: [] for name in calls}
    computed = dict.fromkeys(calls, 0.0)
    for _ in range(repeats):
        for name, call in calls.items():
            start, busy = time.perf_counter(), time.process_time()
            call()
            walls[name].append(time.perf_counter() - start)
            computed[name] += time.process_time() - busy
    return {name: (1e3 * statistics.median(walls[name]), 1e3 * computed[name] / repeats) for name in calls}
