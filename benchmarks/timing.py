"""How benchmarks measure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def median_ms(call: Callable[[], object], repeats: int, warmup: int = 3) -> float:
    """Median wall time of a call in milliseconds."""
    times = []
    for index in range(warmup + repeats):
        start = time.perf_counter()
        call()
        if index >= warmup:
            times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def median_ms_in_turns(
    calls: Mapping[str, Callable[[], object]], repeats: int, warmup: int = 3
) -> dict[str, float]:
    """Median wall time of each call in milliseconds, one after another in every round.

    What else the machine does then falls on all of them alike, so that their ratios stand.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for index in range(warmup + repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if index >= warmup:
                times[name].append(time.perf_counter() - start)
    return {name: 1e3 * statistics.median(found) for name, found in times.items()}
