"""What the documentation shows is run as it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from fences import ROOT, run_page


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_the_tutorial_runs_from_an_empty_directory_to_a_leaderboard(tmp_path: Path) -> None:
    assert run_page(ROOT / "docs" / "tutorial.md") == 12
    site = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "penalty(k=-100)" in site
    assert "steer" in site
    assert "mappo" in site


def test_the_protocol_page_runs() -> None:
    assert run_page(ROOT / "docs" / "protocol.md") == 6


def test_the_page_of_language_models_runs() -> None:
    assert run_page(ROOT / "docs" / "language-models.md") == 1


def test_the_page_of_skirmishes_runs() -> None:
    assert run_page(ROOT / "docs" / "combat.md") == 2


def test_the_page_of_trained_policies_runs() -> None:
    assert run_page(ROOT / "zoo" / "README.md") == 2
