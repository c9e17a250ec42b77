"""Charts: where lines lie, which are drawn, and the numbers that the page reads out."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.evaluation.statistics import Interval, mean_interval
from baselines.leaderboard.charts import BOTTOM, COLOURS, LEFT, RIGHT, SHOWN, TOP, Line, line_chart


def line(*heights: float, name: str = "a") -> Line:
    values = np.array(heights)
    return Line(name, np.arange(len(values), dtype=float), Interval(values, values - 1, values + 1))


def test_lines_fill_the_plot() -> None:
    chart = line_chart("Title", "x", [line(0.0, 10.0)])
    (drawn,) = chart.lines
    # From -1 to 11 with bands, and a margin of 0.48 on either side.
    per_unit = (BOTTOM - TOP) / 12.96
    start, end = (round(BOTTOM - (height + 1.48) * per_unit, 1) for height in (0, 10))
    assert drawn.path == f"M{LEFT} {start:g}L{RIGHT} {end:g}"
    assert drawn.band.startswith("M") and drawn.band.endswith("Z") and drawn.band.count("L") == 3
    assert [text for _, text in chart.x_ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert all(TOP <= place <= BOTTOM for place, _ in chart.y_ticks)
    assert chart.remark == "" and chart.reference is None


def test_what_is_read_out() -> None:
    values = np.array([[1.0, 2.0], [3.0, np.nan]])
    chart = line_chart("Title", "x", [Line("<b>", np.array([0.0, 1e6]), mean_interval(values))])
    (read,) = chart.data["lines"]
    assert read["name"] == "<b>"
    assert (read["x"], read["y"]) == ([0.0, 1e6], [2.0, 2.0])
    # One run has no interval.
    assert read["low"][1] is read["high"][1] is None
    assert [text for _, text in chart.x_ticks][1] == "200k"


def test_deep_values_are_cut_off() -> None:
    chart = line_chart("Title", "x", [line(-5000.0, 10.0)], least=-2.0, reference=(10.0, "best"))
    assert chart.data["y"][0] == pytest.approx(-2.0 - 0.04 * 12)
    assert chart.remark == "What lies below -2 is cut off."
    assert chart.reference is not None and chart.reference[1] == "best"
    assert line_chart("Title", "x", [line(0.0, 10.0)], least=-2.0).remark == ""


def test_shares_are_in_percent() -> None:
    chart = line_chart("Title", "x", [line(0.0, 1.0)], percent=(True, False))
    assert [text for _, text in chart.x_ticks][-1] == "100\N{NO-BREAK SPACE}%"


def test_many_lines_can_be_told_apart() -> None:
    chart = line_chart("Title", "x", [line(0.0, 1.0, name=str(k)) for k in range(20)])
    assert [drawn.shown for drawn in chart.lines] == [k < SHOWN for k in range(20)]
    looks = [(drawn.colour, drawn.dash) for drawn in chart.lines]
    assert len(set(looks)) == 20 and looks[0] == (0, "") and looks[COLOURS][0] == 0


@pytest.mark.parametrize("heights", [(1.0,), (np.nan, np.nan), (1.0, np.nan, 2.0), (5.0, 5.0)])
def test_odd_lines_can_be_drawn(heights: tuple[float, ...]) -> None:
    chart = line_chart("Title", "x", [line(*heights)])
    assert "nan" not in chart.lines[0].path + chart.lines[0].band
    assert all(np.isfinite(place) for place, _ in (*chart.x_ticks, *chart.y_ticks))
