"""Files of others: only plain ones of their own folder are read, and only what JSON is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from baselines.errors import CheckpointError
from baselines.leaderboard.entries import read_entries
from baselines.leaderboard.site import write_site
from baselines.storage import read_bytes, read_json, require_plain, write_json
from baselines.training.checkpoint import load_checkpoint
from stmg_envs.errors import InvalidArgumentError

RESULTS = {"step_count": 0, "elapsed_time": 0.0, "return": [1.0]}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "run.json"
    os.mkfifo(pipe)
    with pytest.raises(InvalidArgumentError, match=r"run\.json is a pipe; expected a plain file"):
        read_json(pipe)
    with pytest.raises(CheckpointError, match="is a pipe"):
        load_checkpoint(pipe)


def test_folders_sockets_and_devices_are_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match="is a folder"):
        read_bytes(tmp_path)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(InvalidArgumentError, match="is a socket"):
            read_bytes(Path("socket"))
    with pytest.raises(InvalidArgumentError, match="is a device"):
        read_bytes(Path("/dev/zero"))


def test_links_stay_in_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (tmp_path / "private").write_text("{}", encoding="utf-8")
    (folder / "own").write_text("{}", encoding="utf-8")
    (folder / "out").symlink_to(tmp_path / "private")
    (folder / "in").symlink_to("own")
    (folder / "itself").symlink_to("itself")
    assert read_json(folder / "in") == {}
    with pytest.raises(InvalidArgumentError, match="is a link out of its folder"):
        read_json(folder / "out")
    with pytest.raises(InvalidArgumentError, match="cannot be read"):
        require_plain(folder / "itself")
    # A folder may be anywhere: whoever names it has chosen it.
    (tmp_path / "link").symlink_to(folder)
    assert read_json(tmp_path / "link" / "own") == {}


def test_a_picture_that_links_elsewhere_does_not_get_into_the_site(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (tmp_path / "private.txt").write_text("not for the site", encoding="utf-8")
    (folder / "film.png").symlink_to(tmp_path / "private.txt")
    run = {"step_0": RESULTS, "absolute_metrics": {"elapsed_time": 0.0, "return": [1.0]}}
    write_json(folder / "results.json", {"stmg": {"mixing": {"steer": {"seed_0": run}}}})
    assert len(read_entries([folder / "results.json"])[0]) == 1
    with pytest.raises(InvalidArgumentError, match=r"film\.png is a link out of its folder"):
        write_site([folder], tmp_path / "site")
    written = [file.read_text("utf-8", "replace") for file in (tmp_path / "site").rglob("*.*")]
    assert not any("not for the site" in text for text in written)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b'{"a": ' + b"[" * 100_000, "is no JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        (b'{"a": [NaN]}', "NaN is no number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is no number of JSON"),
        (b'{"a": 1e999}', "1e999 is too large"),
        (b'{"a": 1' + b"0" * 30 + b"}", "is too large; expected at most 18446744073709551616"),
        (b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", "has more than 64 levels"),
        (b"[]", "holds a list"),
        (b"", "is no JSON"),
    ],
)
def test_what_is_no_json_object_is_said(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text)
    with pytest.raises(InvalidArgumentError, match=said):
        read_json(path)


def test_large_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(2**20)
    with pytest.raises(InvalidArgumentError, match="has 1,048,576 bytes; expected at most 1,000"):
        read_bytes(path, 1000)
    with pytest.raises(InvalidArgumentError, match="does not exist"):
        read_json(tmp_path / "none")
