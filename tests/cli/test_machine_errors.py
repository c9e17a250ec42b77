"""Where the machine cannot do more a command says so in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from click.testing import CliRunner

from baselines.cli import main
from baselines.cli import zoo as command_of_the_zoo


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/a"),
            "No space left on device: runs/a;",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "Permission denied: x"),
        (MemoryError(), "memory has ended"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "memory has ended"),
        (RecursionError("maximum recursion depth exceeded"), "too many levels"),
    ],
)
def test_one_sentence_and_status_2(monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(command_of_the_zoo, "zoo_entries", fails)
    result = CliRunner().invoke(main, ["zoo", "list"], terminal_width=200)
    assert result.exit_code == 2 and said in " ".join(result.output.split())


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(command_of_the_zoo, "zoo_entries", fails)
    assert isinstance(CliRunner().invoke(main, ["zoo", "list"]).exception, RuntimeError)


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    result = CliRunner().invoke(main, ["leaderboard", "docs/results/table1", "--out", str(file / "site")])
    assert result.exit_code == 2 and "Traceback" not in result.output
