"""What lies beside results may be anybody's: it is read, or said to be something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baselines.leaderboard.provenance import ProvenanceReader
from baselines.reproduce.archive import Archive
from stmg_envs.errors import InvalidArgumentError

RECIPE: dict[str, Any] = {"algorithm": "steer", "env_id": "stmg/Mixing-v0", "config": {"lanes": 1}}


def test_a_run_by_another_tool_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"algorithm": "mine", "commit": None, "unknown": [1]}))
    found = ProvenanceReader(tmp_path).find("mixing", "mine")
    assert found is not None
    assert found.facts == {"Algorithm": "mine", "Priority": "the game's default"}


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("run.json", {"env_args": ["k"]}, "env_args"),
        ("run.json", {"versions": None}, "versions"),
        ("run.json", {"seeds": 3}, "seeds"),
        ("run.json", [], "a list"),
        ("manifest.json", {"mixing / steer": {"recipe": RECIPE}}, "blocks"),
        ("manifest.json", {"mixing / steer": {"recipe": 3, "blocks": []}}, "recipe"),
        ("manifest.json", {"mixing / steer": {"recipe": RECIPE, "blocks": [3]}}, "blocks.0"),
        ("manifest.json", {"name": "an application"}, "name"),
    ],
)
def test_other_content_is_named(name: str, content: Any, named: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(InvalidArgumentError, match=named) as caught:
        ProvenanceReader(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("results", "manifest", "named"),
    [
        ({"stmg": []}, {}, "results.json"),
        ({"stmg": {}}, {"mixing / steer": {"blocks": []}}, "manifest.json"),
    ],
)
def test_an_archive_of_something_else_is_refused(
    results: Any, manifest: Any, named: str, tmp_path: Path
) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidArgumentError, match=named):
        Archive(tmp_path)
