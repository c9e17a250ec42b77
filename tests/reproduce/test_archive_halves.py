"""Results and how they were made do not come apart, whenever the process that writes them dies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from baselines.reproduce.archive import Archive
from baselines.reproduce.experiments import EXPERIMENTS

ROOT = Path(__file__).parents[2]
TASK, STEER = "mixing", "steer"
KEY = f"{TASK} / {STEER}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("results.json", "manifest.json"):
        shutil.copy(ROOT / "docs" / "results" / "table1" / name, tmp_path / name)
    return tmp_path


def change(path: Path, change: object) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert callable(change)
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def missing(folder: Path) -> int:
    """Seeds of the cell that count as not there."""
    (cell,) = EXPERIMENTS["table1"]().select([STEER], [TASK])
    return len(Archive(folder).missing(cell, cell.plan(cell.seeds(), "cpu")))


def test_whole_files_are_taken_as_they_are(folder: Path) -> None:
    archive = Archive(folder)
    assert archive.results == json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert list(archive.manifest.items()) == list(
        json.loads((folder / "manifest.json").read_text(encoding="utf-8")).items()
    )
    assert missing(folder) == 0


def test_runs_without_provenance_count_as_missing(folder: Path) -> None:
    change(folder / "manifest.json", lambda data: data[KEY]["blocks"][0]["seeds"].remove(7))
    archive = Archive(folder)
    assert "seed_7" not in archive.results["stmg"][TASK][STEER] and missing(folder) == 1


def test_provenance_without_runs_counts_as_missing(folder: Path) -> None:
    change(folder / "results.json", lambda data: data["stmg"][TASK][STEER].pop("seed_7"))
    archive = Archive(folder)
    assert not any(7 in block["seeds"] for block in archive.manifest[KEY]["blocks"]) and missing(folder) == 1


def test_a_cell_of_one_file_alone_is_not_there(folder: Path) -> None:
    change(folder / "manifest.json", lambda data: data.pop(KEY))
    assert STEER not in Archive(folder).results["stmg"][TASK] and missing(folder) == 100
    (folder / "manifest.json").unlink()
    archive = Archive(folder)
    assert archive.results == {"stmg": {}} and archive.manifest == {}
