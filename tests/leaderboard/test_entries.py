"""What is found beside and in results: sources, provenance, pictures, tasks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made import made_runs, write_results

from baselines.leaderboard.entries import _sources, find_results, read_entries
from baselines.leaderboard.suites import list_suites
from baselines.leaderboard.tasks import find_task, known_bounds
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.games import BOUNDS_VERSION

STEER = {"mixing": {"steer": made_runs([1.0, 2.0])}}

BOUNDS = {
    1: {
        "penalty(k=0)": (20 / 9, 10),
        "penalty(k=-100)": (20 / 9, 10),
        "penalty(k=-10000)": (20 / 9, 10),
        "mixing": (-23 / 6, 2.5),
        "coordination": (0.2500000266, 26.5),
        "cooperation": (0.666674614, 13),
        "prisonersdilemma": (7.5, 10),
        "maintain": (95 / 18, 17.5),
        "escape": (25 / 3, 30),
        "meeting": (139 / 54, 20 / 3),
        "huntingstage": (1.25, 5),
        "collectionstage": (5.625, 10),
        "matrixgame(payoffs=stag_hunt)": (2.25, 4),
        "cooperativehunting(variant=i)": (-46.7, 25.6),
        "cooperativecollection": (-5.8, 400.2),
        "onrampmerge(traffic_density=1)": (-11.9, 86.3),
        "onrampmerge(traffic_density=2)": (-52.7, 76.1),
        "onrampmerge(traffic_density=3)": (-54.6, 65.5),
        "multiagentmujoco(scenario=halfcheetah,agent_conf=2x3)": (-291, 7000),
        "football(scenario=academy_pass_and_shoot_with_keeper)": (0.5, 10.2),
        "football(scenario=academy_3_vs_1_with_keeper)": (0.6, 10.1),
    }
}
"""What each version of the bounds says: whoever changes one writes the next version here."""


def test_bounds_change_only_with_their_version() -> None:
    known = known_bounds()
    assert {name: known[name] for name in BOUNDS[BOUNDS_VERSION]} == BOUNDS[BOUNDS_VERSION]


def test_suites_have_bounds() -> None:
    for suite in list_suites():
        assert suite.tasks and set(suite.tasks) <= set(known_bounds())


@pytest.mark.parametrize(
    ("environment", "name", "family", "known"),
    [
        ("stmg", "penalty(k=-100)", "matrix-one-shot", True),
        ("stmg", "penalty(k=-7)", "matrix-one-shot", False),
        ("stmg", "cooperativehunting(variant=ii)", "particle", False),
        ("stmg", "random_three_agents", "other", False),
        ("smac", "3m", "other", False),
    ],
)
def test_tasks(environment: str, name: str, family: str, known: bool) -> None:
    task = find_task(environment, name)
    assert (task.family, task.bounds is not None) == (family, known)


def test_scores() -> None:
    task = find_task("stmg", "prisonersdilemma")
    assert list(task.scores(np.array([7.5, 8.75, 10.0]))) == [0.0, 0.5, 1.0]


def test_slugs() -> None:
    names = ("penalty(k=-100)", "penalty(k=100)", "cooperativehunting(variant=ii)", "../../<x>")
    slugs = [find_task("stmg", name).slug for name in names]
    assert slugs == ["penalty-k-minus-100", "penalty-k-100", "cooperativehunting-variant-ii", "x"]


def test_folders_are_searched_and_named_apart(tmp_path: Path) -> None:
    for name in ("a/results", "b/results", "table1"):
        write_results(tmp_path / name, STEER)
    other = tmp_path / "table1" / "other.json"
    other.write_text((tmp_path / "table1" / "results.json").read_text())
    files = find_results([tmp_path, tmp_path / "table1", other])
    assert len(files) == 4
    entries, _ = read_entries(files)
    assert [entry.source for entry in entries] == ["a/results", "b/results", "table1", "table1/other"]
    assert [entry.runs for entry in entries] == [("seed_0", "seed_1")] * 4


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["/x/mine.json", "/x/mine.txt"], ["x/mine.json", "x/mine.txt"]),
        (
            ["/q/x/a.json", "/q/x/a/results.json", "/r/a/results.json"],
            ["x/a.json", "x/a/results.json", "r/a/results.json"],
        ),
        (["/results.json", "/a.json"], ["/", "//a"]),
        (["/a/b/results.json", "/b/results.json"], ["a/b", "//b"]),
        (["/a/b/mine", "/b/mine"], ["a/b/mine", "//b/mine"]),
    ],
)
def test_sources_are_told_apart(files: list[str], names: list[str]) -> None:
    assert _sources([Path(file) for file in files]) == names


def test_nothing_to_find(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"no results\.json in there"):
        find_results([tmp_path])
    with pytest.raises(InvalidArgumentError, match="does not exist"):
        find_results([tmp_path / "missing"])


def test_provenance_of_a_run_directory(tmp_path: Path) -> None:
    write_results(tmp_path / "run", STEER)
    (tmp_path / "run" / "run.json").write_text(
        json.dumps(
            {
                "algorithm": "steer",
                "env_id": "stmg/Mixing-v0",
                "env_args": {"target": "global"},
                "seeds": [0, 1],
                "priority": ["agent_1", "agent_0"],
                "command": "stmg train steer stmg/Mixing-v0",
                "commit": "abc",
                "versions": {"stmg": "0.1.0", "torch": "2.13.0"},
                "processor": "Z80",
                "config": {"clip": 0.2},
            }
        )
    )
    (entry,), _ = read_entries(find_results([tmp_path]))
    assert entry.provenance is not None
    facts = entry.provenance.facts
    assert facts["Command"] == "stmg train steer stmg/Mixing-v0"
    assert facts["Environment"] == "stmg/Mixing-v0 target=global"
    assert facts["Priority"] == "agent_1, agent_0"
    assert (facts["Seeds"], facts["Versions"]) == ("0-1", "stmg 0.1.0, torch 2.13.0")
    assert facts["Processor"] == "Z80"
    assert "Python" not in facts
    assert entry.provenance.config == {"clip": 0.2}


def test_provenance_of_an_archive(tmp_path: Path) -> None:
    write_results(tmp_path, STEER | {"maintain": {"steer": made_runs([1.0])}})
    recipe = {"algorithm": "steer", "env_id": "stmg/Mixing-v0", "env_args": {}, "config": {}}
    blocks = [{"seeds": [0], "commit": "abc", "seconds": 40}, {"seeds": [1], "commit": "def", "seconds": 30}]
    manifest = {"Mixing / STEER": {"recipe": recipe, "blocks": blocks}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    entries, _ = read_entries(find_results([tmp_path]))
    known, unknown = (entry.provenance for entry in entries)
    assert known is not None and unknown is None
    assert known.facts["Commit"] == "abc; def"
    assert (known.facts["Seeds"], known.facts["Training time"]) == ("0-1", "1 min 10 s")


def test_pictures_and_what_they_show(tmp_path: Path) -> None:
    runs = made_runs([1.0])
    write_results(tmp_path / "one", STEER)
    write_results(tmp_path / "two", {"penalty(k=-100)": {"a": runs}, "penalty(k=-1000)": {"a": runs}})
    for name in ("one/film.gif", "two/penalty-k-minus-1000-a.mp4", "two/curves.png", "two/notes.md"):
        (tmp_path / name).write_bytes(b"")
    _, pictures = read_entries(find_results([tmp_path]))
    shown = {picture.path.name: picture.task.name if picture.task else None for picture in pictures}
    assert shown == {
        "film.gif": "mixing",
        "penalty-k-minus-1000-a.mp4": "penalty(k=-1000)",
        "curves.png": None,
    }
