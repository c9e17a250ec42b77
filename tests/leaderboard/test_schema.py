"""Results files: ours pass, and what is wrong with others is said with its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made import made_runs

from baselines.errors import ResultsError
from baselines.leaderboard.schema import read_results
from stmg_envs.errors import InvalidArgumentError

COMMITTED = sorted((Path(__file__).parents[2] / "docs" / "results").glob("*/results.json"))
GOOD = {"stmg": {"mixing": {"steer": made_runs([1.0, 2.0])}}}


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_committed_results_pass(path: Path) -> None:
    assert read_results(path)["stmg"]


def test_names_become_lower_case(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"STMG": {"Mixing": {"STEER": made_runs([1.0])}}}))
    assert list(read_results(path)["stmg"]["mixing"]) == ["steer"]


def run(data: Any) -> Any:
    return data["stmg"]["mixing"]["steer"]["seed_1"]


def set_value(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        place = run(data)
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value

    return change


def rename(data: Any) -> None:
    data["stmg"]["mixing"]["steer, tuned"] = data["stmg"]["mixing"].pop("steer")


def drop(*path: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        place = run(data)
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]

    return change


HERE = "stmg > mixing > steer > seed_1"
BROKEN: list[tuple[Callable[[Any], Any], list[str]]] = [
    (drop("absolute_metrics"), [f"{HERE} > absolute_metrics: nothing there", "stmg evaluate RUN_DIR"]),
    (drop("step_1", "step_count"), [f"{HERE} > step_1 > step_count: nothing there"]),
    (
        set_value("step_1", "return", value=["much"]),
        [f"{HERE} > step_1 > return > 0: found 'much'", "number"],
    ),
    (set_value("step_1", "return", value=[]), [f"{HERE} > step_1 > return: found []", "at least 1 item"]),
    (set_value("step_1", "return", value=3.0), [f"{HERE} > step_1 > return: found 3.0", "array"]),
    (set_value("step_1", "return", value=[True]), [f"{HERE} > step_1 > return > 0: found True", "number"]),
    (
        set_value("step_1", "step_count", value=-5),
        ["step_1 > step_count: found -5", "greater than or equal to 0"],
    ),
    (
        set_value("step_1", "step_count", value=60),
        [f"{HERE}: evaluated at steps [0, 60, 100]", "[0, 50, 100]"],
    ),
    (
        set_value("step_1", "speed", value=[1.0]),
        [f"{HERE} > step_1: metrics ['return', 'speed']", "['return']"],
    ),
    (set_value("last", value={}), [f"{HERE} > last", "step_<number>"]),
    (rename, ["steer, tuned", "no comma"]),
    (lambda data: data.update(stmg={}), ["stmg: found {}", "at least 1 item"]),
]


@pytest.mark.parametrize(("change", "said"), BROKEN)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, change: Callable[[Any], Any], said: list[str]
) -> None:
    data = copy.deepcopy(GOOD)
    change(data)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    assert all(part in str(caught.value) for part in [str(path), *said]), str(caught.value)


def test_every_result_needs_a_return(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    text = json.dumps(GOOD).replace('"return"', '"score"')
    path.write_text(text)
    with pytest.raises(ResultsError, match=r"no 'return' among \['score'\]"):
        read_results(path)


def test_many_problems_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(GOOD).replace("[0.0]", "[null]").replace("[1.0, 1.0]", "3"))
    data = json.loads(path.read_text())
    data["stmg"]["mixing"]["steer"] = {f"seed_{k}": {} for k in range(8)}
    path.write_text(json.dumps(data))
    with pytest.raises(ResultsError, match="and 3 more"):
        read_results(path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"{", "no JSON"),
        (b"", "no JSON"),
        ('{"stmg": "\N{GREEK SMALL LETTER BETA}"}'.encode("utf-16"), "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"9" * 5_000, "no JSON"),
        (b"[]", "holds a list; expected a JSON object"),
        (b"null", "holds a NoneType; expected a JSON object"),
    ],
)
def test_no_json(content: bytes, named: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(InvalidArgumentError, match=named) as caught:
        read_results(path)
    assert str(path) in str(caught.value)


def test_the_documented_example_passes(tmp_path: Path) -> None:
    document = (COMMITTED[0].parents[2] / "leaderboard.md").read_text(encoding="utf-8")
    example = document.partition("```json")[2].partition("```")[0]
    path = tmp_path / "results.json"
    path.write_text(example)
    assert list(read_results(path)["stmg"]["penalty(k=-100)"]) == ["my-algorithm"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (
            json.dumps({"stmg": {"mixing": {"PPO": made_runs([1.0]), "ppo": made_runs([2.0])}}}),
            "stmg > mixing: 'PPO' and 'ppo' differ in case alone",
        ),
        (
            json.dumps({"STMG": {"mixing": {"b": made_runs([1.0])}}, "stmg": {"duel": {"a": {}}}}),
            "the whole file: 'STMG' and 'stmg' differ in case alone",
        ),
    ],
)
def test_names_that_differ_in_case_alone_are_refused(content: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    assert named in str(caught.value)


def test_an_algorithm_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    runs = json.dumps(made_runs([1.0]))
    path.write_text(f'{{"stmg": {{"mixing": {{"ppo": {runs}, "ppo": {runs}}}}}}}')
    with pytest.raises(InvalidArgumentError, match="'ppo' stands twice"):
        read_results(path)
