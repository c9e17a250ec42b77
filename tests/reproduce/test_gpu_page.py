"""What is said of a GPU is what was measured on one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.page import page, read, verdicts

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "results" / "gpu"


def test_the_page_is_made_of_the_numbers() -> None:
    assert (FOLDER / "README.md").read_text("utf-8") == page(*read(FOLDER))


def test_the_readme_says_what_was_measured() -> None:
    tables, _ = read(FOLDER)
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    section = text[text.index("## On a GPU") : text.index("## With other libraries")]

    def fastest(game: str) -> float:
        return max(row["recorded million steps/s"] for row in tables["speed of games"] if game in row["game"])

    def together(runs: int) -> float:
        rows = [
            row for row in tables["speed of learners"] if (row["algorithm"], row["runs"]) == ("steer", runs)
        ]
        return float(rows[0]["recorded thousand steps/s"])

    assert tables["machine"][0]["device"] in section
    found = re.search(
        r"hunting makes (\d+) million steps a second, merging ([\d.]+) million and skirmishes ([\d.]+) "
        r"million, and 256 runs of STEER on Penalty make (\d+) thousand steps a second together, where one "
        r"run makes (\d+)",
        section,
    )
    assert found is not None
    measured = (fastest("Hunting"), fastest("Merge"), fastest("Skirmish"), together(256), together(1))
    said = tuple(map(float, found.groups()))
    assert said == pytest.approx(measured, rel=0.01)


def test_what_falls_short_is_said() -> None:
    learners: list[dict[str, Any]] = [
        {"algorithm": "steer", "runs": 1, "recorded update ms": 2.0},
        {"algorithm": "steer", "runs": 256, "recorded update ms": 8.0},
    ]
    jobs = [{"end": "exit status 0"}, {"end": "cut off"}, {"end": "not begun"}]
    said = verdicts({"speed of learners": learners, "table 1": jobs})
    assert said == [
        "An update of 256 runs in updates of one run, recorded: steer 4.0; asked for was at most 3.",
        "The matrix-game table at 100 runs: 1 of 3 parts ended before the time was up.",
    ]


def test_of_what_was_left_out_nothing_is_said() -> None:
    stages = ("waits", "speed of games", "speed of learners", "table 1")
    assert verdicts({name: [{"left out": "only CUDA has it"}] for name in stages}) == []
