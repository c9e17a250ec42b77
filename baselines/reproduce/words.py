"""Numbers and names as the sentences of a page have them."""

from __future__ import annotations

from collections.abc import Iterable


def listed(names: Iterable[object]) -> str:
    """Names in a row: a, b and c."""
    *before, last = map(str, names)
    return f"{', '.join(before)} and {last}" if before else last


def spread(numbers: Iterable[float]) -> str:
    """The least and the greatest number: 1 to 4, or one number if they are the same."""
    low, *_, high = sorted(map(thousands, numbers), key=lambda text: float(text.replace(",", ""))) * 2
    return low if low == high else f"{low} to {high}"


def percent(share: float) -> int:
    """A share in whole percent."""
    return round(100 * share)


def thousands(number: float) -> str:
    """A whole number as it is read: 2,000,000."""
    return f"{round(number):,}"
