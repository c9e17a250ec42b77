"""The page of simple players holds every map, and says what they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.combat_players import HEAD, row
from stmg_envs.combat import SCENARIOS

PAGE = Path(__file__).parents[2] / "docs" / "combat-players.md"


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|\n").split("|")]


def rows() -> dict[str, list[str]]:
    table = PAGE.read_text(encoding="utf-8").removeprefix(HEAD).split("\n\n")[0]
    return {found[0]: found for found in map(cells, table.splitlines())}


def test_every_map_has_its_row() -> None:
    assert PAGE.read_text(encoding="utf-8").startswith(HEAD)
    assert list(rows()) == list(SCENARIOS)


@pytest.mark.parametrize("name", ["3m", "2s_vs_1sc", "3s_vs_5z"])
def test_rows_are_what_the_players_do(name: str) -> None:
    """But for other processors' rounding, which makes other battles of some."""
    _, *printed = rows()[name]
    _, *played = cells(row(name, 320))
    for number, (said, found) in enumerate(zip(printed, played, strict=True)):
        share = number in (2, 5)
        assert float(found) == pytest.approx(float(said), abs=8 if share else 1)
