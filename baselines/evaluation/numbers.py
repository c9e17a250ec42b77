"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable


def compact(value: float) -> str:
    """A number in few characters: whole numbers in full, others with four significant digits."""
    value = float(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else str(value)
    if value == round(value) and abs(value) < 1e9:
        # Adding zero turns -0.0 into 0.0.
        return f"{value + 0.0:.0f}"
    if 1000 <= abs(value) < 1e6:
        return f"{value:.1f}"
    return f"{value:.4g}"


def with_margin(estimate: float, low: float, high: float) -> tuple[str, str, str, str]:
    """An estimate, its margin and the ends of its interval, to the margin's second significant digit.

    For instance ("21.1", "7.2", "13.9", "28.2").
    """
    margin = (float(high) - float(low)) / 2
    decimals = max(0, 1 - math.floor(math.log10(margin))) if margin > 0 else 0
    estimate, margin, low, high = (round(float(x), decimals) + 0.0 for x in (estimate, margin, low, high))
    return f"{estimate:.{decimals}f}", f"{margin:.{decimals}f}", f"{low:.{decimals}f}", f"{high:.{decimals}f}"


def percent(share: float) -> str:
    """A share in percent with at most one decimal, 0.80639 -> "80.6 %", its space not breaking."""
    return f"{100 * float(share):.1f}".removesuffix(".0") + "\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: 392.4 -> "6 min 32 s"."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def ranges(numbers: Iterable[int]) -> str:
    """Distinct whole numbers in ascending order, neighbours joined: [0, 1, 2, 7] -> "0-2, 7"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)
