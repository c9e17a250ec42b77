"""Two policies side by side, by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.evaluation.comparison import compare, compared_over, interval_text, markdown_table
from baselines.evaluation.greedy import Evaluated
from baselines.evaluation.statistics import Interval


def evaluated(returns: list[float], optimal: list[bool], speeds: list[float]) -> Evaluated:
    """One run of one agent."""
    table: NDArray[np.float64] = np.array(returns)[None, :, None]
    metrics = {"speed": np.array([speeds])}
    return Evaluated(table, np.array([optimal]), metrics, [], np.array([1]))


def test_every_metric_is_compared_episode_by_episode() -> None:
    first = evaluated([1.0, 3.0, 5.0], [True, True, False], [2.0, 2.0, 2.0])
    second = evaluated([2.0, 4.0, 6.0], [False, True, False], [1.0, 2.0, 3.0])
    returns, optimal, speed = compare(first, second)
    assert [row.metric for row in (returns, optimal, speed)] == ["return", "optimal", "speed"]
    assert float(returns.first.estimate) == 3.0 and float(returns.second.estimate) == 4.0
    # Every episode gives one more, so nothing is uncertain of the difference, unlike of either mean.
    assert float(returns.difference.low) == float(returns.difference.high) == 1.0
    assert float(returns.first.low) < 3.0 < float(returns.first.high)
    # Wilson's interval of 2 in 3: (2/3 + z^2/6 -+ z sqrt(2/27 + z^2/36)) / (1 + z^2/3), z = 1.96.
    np.testing.assert_allclose([optimal.first.low, optimal.first.high], [0.2077, 0.9385], atol=1e-4)
    np.testing.assert_allclose(optimal.difference.estimate, -1 / 3)
    assert speed.cells()[:2] == ("speed", "2")


def test_of_several_runs_the_intervals_are_over_runs() -> None:
    first, second = (
        Evaluated.joined([evaluated(*one), evaluated(*other)])
        for one, other in (
            (([1.0, 3.0], [True, True], [0.0, 0.0]), ([5.0, 5.0], [True, False], [0.0, 0.0])),
            (([2.0, 6.0], [True, True], [0.0, 0.0]), ([4.0, 10.0], [True, True], [0.0, 0.0])),
        )
    )
    returns, optimal, _ = compare(first, second)
    # Runs' means are 2 and 5: 3.5 with a standard error of 1.5, and 12.7062 is Student's t of one degree.
    assert float(returns.first.estimate) == 3.5
    np.testing.assert_allclose(
        [returns.first.low, returns.first.high], [3.5 - 1.5 * 12.7062, 3.5 + 1.5 * 12.7062], atol=1e-3
    )
    # Either run gains 2, though their episodes gain 1, 3, -1 and 5.
    assert float(returns.difference.low) == float(returns.difference.high) == 2.0
    # Of shares of episodes as well, inside of 0 and 1.
    assert float(optimal.first.estimate) == 0.75 and float(optimal.first.high) == 1.0
    assert float(optimal.first.low) == 0.0
    assert compared_over(2) == "over seeds" and compared_over(1) == "over episodes"


def test_intervals_are_as_exact_as_they_are_sure() -> None:
    def text(*numbers: float) -> str:
        return interval_text(Interval(*map(np.asarray, numbers)))

    assert text(74.912, 73.102, 76.722) == "74.9 (73.1 to 76.7)"
    assert text(0.5, 0.5, 0.5) == "0.5"
    assert text(13.0, np.nan, np.nan) == "13"


def test_a_table_in_markdown() -> None:
    assert markdown_table(["a", "b"], [["c", "1"]]) == "| a | b |\n| --- | ---: |\n| c | 1 |\n"
