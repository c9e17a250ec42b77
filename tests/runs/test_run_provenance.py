"""What is recorded of how something was made."""

from __future__ import annotations

import subprocess
from pathlib import Path

from baselines.runs.provenance import commit_of, provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_results_written_into_the_tree_do_not_change_its_sources(tmp_path: Path) -> None:
    source, result = (
        tmp_path / "package" / "source.py",
        tmp_path / "docs" / "results" / "table" / "results.json",
    )
    for path in (source, result):
        path.parent.mkdir(parents=True)
        path.write_text("before")
    assert commit_of(source.parent) is None
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    result.write_text("after")
    assert commit_of(source.parent) == commit
    source.write_text("after")
    assert commit_of(source.parent) == f"{commit}-dirty"


def test_the_machine_is_recorded() -> None:
    made = provenance("a call")
    assert isinstance(made["processor"], str)
    assert made["platform"].count(" ") == 1
    assert made["threads"] >= 1
