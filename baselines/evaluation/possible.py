"""What cannot be in results, whoever wrote them: rates beyond 1, returns beyond the optimum, runs twice."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from baselines.evaluation.results import ABSOLUTE, BOOKKEEPING, RETURN, Runs, task_name
from baselines.evaluation.statistics import is_rate
from stmg_envs import game_spec, list_envs

ROUNDING = 1e-6
"""By how much of its size a return may lie above the optimum: rewards are added up in float32."""
MOST_ORDERS = 1e12
"""Two runs with the same returns, which might stand in more orders than this, are one run twice."""


def known_optima() -> dict[str, float]:
    """The best return of every task of which it is known exactly, by its name."""
    return _optima(tuple(list_envs()))


@cache
def _optima(ids: tuple[str, ...]) -> dict[str, float]:
    optima = {}
    for row in map(game_spec, ids):
        if row.optimum is not None:
            for arguments, (_, best) in (({}, (0.0, row.optimum)), *row.other_bounds):
                optima[task_name(row.id, arguments)] = best
    return optima


def impossibilities(task: str, runs: Runs) -> Iterator[str]:
    """What cannot be in the results of one algorithm, each with its place and what was expected.

    Args:
        task: task name.
        runs: evaluations by run and step.
    """
    best = known_optima().get(task, math.inf)
    for run, steps in runs.items():
        for step, entry in steps.items():
            for problem in _of_evaluation(entry, best):
                yield f"{run} > {step} > {problem}"
    if runs:
        yield from _unequal(runs)
        yield from _copies(runs)


def _of_evaluation(entry: Mapping[str, Any], best: float) -> Iterator[str]:
    episodes = len(_numbers(entry.get(RETURN, 0.0)))
    for name, value in entry.items():
        numbers = _numbers(value)
        low, high = min(numbers), max(numbers)
        if name in BOOKKEEPING and (low < 0 or isinstance(value, list)):
            yield f"{name}: found {value}; expected a number from 0 on"
        elif name == "step_count" and low % 1:
            yield f"{name}: found {low}; expected a whole number of steps"
        elif is_rate(name) and not (low >= 0.0 and high <= 1.0):
            yield f"{name}: found {high if high > 1.0 else low}; expected a share between 0 and 1"
        elif name == RETURN and high > best + ROUNDING * (1.0 + abs(best)):
            yield f"{name}: found {high}; expected at most {best}, the optimum of the task"
        elif len(numbers) not in (1, episodes):
            yield f"{name}: found {len(numbers)} numbers; expected one, or one of each of {episodes} episodes"


def _unequal(runs: Runs) -> Iterator[str]:
    """What runs have that the first one has not, or the other way round."""
    first_name, first = next(iter(runs.items()))
    metrics = _metrics(next(iter(first.values()), {}))
    for run, steps in runs.items():
        if (ABSOLUTE in steps) != (ABSOLUTE in first):
            yield f"{run if ABSOLUTE in first else first_name}: no {ABSOLUTE}; expected those of all runs"
        for step, entry in steps.items():
            if _metrics(entry) != metrics:
                yield f"{run} > {step}: metrics {_metrics(entry)}; expected those of {first_name}, {metrics}"
            here, there = (len(_numbers(one.get(RETURN, 0.0))) for one in (entry, first.get(step, entry)))
            if here != there:
                yield (
                    f"{run} > {step} > {RETURN}: found {here} episodes; expected {there}, as many as of "
                    f"{first_name}"
                )


def _copies(runs: Runs) -> Iterator[str]:
    """Runs with the returns of another one, where chance does not make the same ones twice."""
    known: dict[str, str] = {}
    for run, steps in runs.items():
        returns = {step: _numbers(entry.get(RETURN, 0.0)) for step, entry in sorted(steps.items())}
        first = known.setdefault(repr(returns), run)
        if first != run and sum(map(_log_orders, returns.values())) > math.log(MOST_ORDERS):
            yield f"{run}: has the returns of {first}, episode by episode; expected a run of its own"


def _log_orders(numbers: list[float]) -> float:
    """The logarithm of the number of orders in which numbers can stand."""
    same = sum(math.lgamma(count + 1) for count in Counter(numbers).values())
    return math.lgamma(len(numbers) + 1) - same


def _metrics(entry: Mapping[str, Any]) -> list[str]:
    return sorted(set(entry) - set(BOOKKEEPING))


def _numbers(value: float | list[float]) -> list[float]:
    return value if isinstance(value, list) else [value]
