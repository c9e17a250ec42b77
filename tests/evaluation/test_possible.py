"""What cannot be in results is named with its place, and everything that can be passes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.evaluation.possible import impossibilities, known_optima
from baselines.leaderboard.schema import read_results

TASK = "penalty(k=-100)"


def runs() -> Any:
    rng = np.random.default_rng(0)
    return {
        f"seed_{seed}": {
            "step_0": {"step_count": 0, "elapsed_time": 0.0, "return": rng.uniform(0, 10, 20).tolist()},
            "absolute_metrics": {"elapsed_time": 1.0, "return": rng.uniform(0, 10, 20).tolist()},
        }
        for seed in (0, 1)
    }


def put(**values: Any) -> Callable[[Any], None]:
    return lambda table: table["seed_1"]["step_0"].update(values)


def all_of(**values: Any) -> Callable[[Any], None]:
    return lambda table: [step.update(values) for run in table.values() for step in run.values()] and None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            put(**{"return": [10.1] * 20}),
            "seed_1 > step_0 > return: found 10.1; expected at most 10.0",
        ),
        (all_of(win_rate=7.0), "win_rate: found 7.0; expected a share between 0 and 1"),
        (all_of(optimal=[-0.5] * 20), "optimal: found -0.5; expected a share between 0 and 1"),
        (put(elapsed_time=-1.0), "seed_1 > step_0 > elapsed_time: found -1.0; expected a number from 0 on"),
        (put(step_count=20.5), "seed_1 > step_0 > step_count: found 20.5; expected a whole number"),
        (put(**{"return": [1.0] * 19}), "seed_1 > step_0 > return: found 19 episodes; expected 20"),
        (all_of(speed=[1.0] * 3), "speed: found 3 numbers; expected one, or one of each of 20 episodes"),
        (
            put(speed=[1.0]),
            "seed_1 > step_0: metrics ['return', 'speed']; expected those of seed_0",
        ),
        (lambda table: table["seed_1"].pop("absolute_metrics"), "seed_1: no absolute_metrics"),
        (
            lambda table: table.update(seed_1=copy.deepcopy(table["seed_0"])),
            "seed_1: has the returns of",
        ),
    ],
)
def test_what_cannot_be_is_named(change: Callable[[Any], None], said: str) -> None:
    table = runs()
    assert not list(impossibilities(TASK, table))
    change(table)
    assert any(said in problem for problem in impossibilities(TASK, table))


def test_runs_of_a_game_without_chance_may_be_the_same() -> None:
    table = {f"seed_{k}": {"absolute_metrics": {"return": [10.0] * 32}} for k in range(16)}
    assert not list(impossibilities(TASK, table))


def test_rounding_and_other_games_are_no_fault() -> None:
    above = {"seed_0": {"absolute_metrics": {"return": [10.000001, 9.0]}}}
    assert not list(impossibilities(TASK, above))
    more = {"seed_0": {"absolute_metrics": {"return": [1000.0, 9.0]}}}
    assert list(impossibilities(TASK, more))
    assert not list(impossibilities("somebody's game", more))


def test_optima_are_those_of_the_registry() -> None:
    optima = known_optima()
    assert optima["penalty(k=-100)"] == optima["penalty(k=0)"] == 10.0
    assert optima["coordination"] == 26.5
    assert optima["resourceallocation(n=50)"] == 154.0065344531
    assert "onrampmerge(traffic_density=1)" not in optima


@pytest.mark.parametrize("path", sorted(Path("docs/results").glob("table*/results.json")), ids=str)
def test_published_results_are_possible(path: Path) -> None:
    assert read_results(path)
