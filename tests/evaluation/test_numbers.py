"""Numbers as people read them."""

from __future__ import annotations

import pytest

from baselines.evaluation.numbers import compact, duration, percent, ranges, with_margin


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10.0, "10"),
        (-0.0, "0"),
        (-10000, "-10000"),
        (26.5, "26.5"),
        (20 / 3, "6.667"),
        (12345.67, "12345.7"),
        (1.5e-7, "1.5e-07"),
        (float("nan"), "not a number"),
        (float("-inf"), "-inf"),
    ],
)
def test_compact(value: float, text: str) -> None:
    assert compact(value) == text


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ((21.0625, 13.886, 28.239), ("21.1", "7.2", "13.9", "28.2")),
        ((-30, -181.2, 121.2), ("-30", "151", "-181", "121")),
        ((0.5, 0.4877, 0.5123), ("0.500", "0.012", "0.488", "0.512")),
        ((0.01, -3.0, 3.02), ("0.0", "3.0", "-3.0", "3.0")),
    ],
)
def test_with_margin(numbers: tuple[float, float, float], texts: tuple[str, ...]) -> None:
    assert with_margin(*numbers) == texts


def test_percent() -> None:
    assert [percent(share).split() for share in (1, 0.80639, 0.5)] == [
        ["100", "%"],
        ["80.6", "%"],
        ["50", "%"],
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (392.457, "6 min 32 s"), (59.6, "1 min 0 s"), (7261, "2 h 1 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ranges() -> None:
    assert ranges([0]) == "0"
    assert ranges([3, 5, 8, 4]) == "3-5, 8"
    assert ranges(range(100)) == "0-99"
