"""A file is the old one or the new one, whatever happens while it is written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from baselines.storage import write_bytes, write_json, write_text


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "grün \ud800\r\n")
    assert (tmp_path / "a").read_bytes() == "grün \\ud800\r\n".encode()
    write_json(tmp_path / "b", {"x": [1, 2.5]})
    assert json.loads((tmp_path / "b").read_text(encoding="utf-8")) == {"x": [1, 2.5]}
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_has_no_word_for_what_is_not_finite(tmp_path: Path, number: float) -> None:
    write_json(tmp_path / "a", [1])
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a", [number])
    assert (tmp_path / "a").read_text(encoding="utf-8") == "[\n 1\n]\n"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"old")

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace", "close"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_kill_at_any_call_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, call: str, number: int
) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"old")
    script = f"""
import os, signal
from pathlib import Path
from baselines.storage import write_bytes
count, real = 0, os.{call}
def dies(*arguments, **named):
    global count
    count += 1
    if count == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **named)
os.{call} = dies
write_bytes(Path({str(path)!r}), b"new")
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)
    died = done.returncode == -signal.SIGKILL
    assert died or number == 2 or call == "close"
    assert path.read_bytes() == (b"old" if died and number == 1 and call != "close" else b"new")
    write_bytes(path, b"newer")
    assert path.read_bytes() == b"newer" and list(tmp_path.iterdir()) == [path]


def test_the_file_that_found_no_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write_bytes(tmp_path / "a", b"new")
    assert raised.value.filename == str(tmp_path / "a")
