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


Seconds = tuple[float, float]
"""By the clock, and those that were computed."""


def timed(call: Callable[[], object]) -> Callable[[], Seconds]:
    """The same call, which tells how long it took this process."""

    def measured() -> Seconds:
        start, busy = time.perf_counter(), time.process_time()
        call()
        return time.perf_counter() - start, time.process_time() - busy

    return measured


def in_turns(calls: Mapping[Name, Callable[[], Seconds]], repeats: int) -> dict[Name, Seconds]:
    """Median time by the clock, and mean time that was computed, of several calls that tell theirs.

    They are made in turns, so that whatever else the machine does slows all of them.
    """
    taken: dict[Name, list[Seconds]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            taken[name].append(call())
    return {
        name: (statistics.median(wall for wall, _ in rows), statistics.fmean(busy for _, busy in rows))
        for name, rows in taken.items()
    }


def in_turns_ms(calls: Mapping[Name, Callable[[], object]], repeats: int) -> dict[Name, Seconds]:
    """`in_turns` of calls in this process, in milliseconds."""
    taken = in_turns({name: timed(call) for name, call in calls.items()}, repeats)
    return {name: (1e3 * wall, 1e3 * busy) for name, (wall, busy) in taken.items()}
