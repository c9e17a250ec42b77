"""How benchmarks measure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_ms(call: Callable[[], object], repeats: int, warmup: int = 3) -> float:
    """Median wall time of a call in milliseconds."""
    times = []
    for index in range(warmup + repeats):
        start = time.perf_counter()
        call()
        if index >= warmup:
            times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)
