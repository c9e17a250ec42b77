"""Transcripts that somebody else wrote: loading one does nothing else, and what is wrong with it is said."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playing import Scripted, run

from baselines.errors import TranscriptError
from baselines.llm.method import Method
from baselines.llm.page import write_pages
from baselines.llm.run import TRANSCRIPT, first_difference, replay
from baselines.llm.summary import summarize
from baselines.llm.transcript import KINDS, Record, read_records
from stmg_envs.errors import STMGError

JUNK: tuple[Any, ...] = (None, "../../x", 10**30, [{"a": None}])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a record, at most one of each list."""
    if path:
        yield path
    inside = (
        value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    )
    for key, part in inside:
        yield from places(part, (*path, key))


def changes(record: Record) -> Iterator[Record]:
    """A record with something else in one place, or nothing."""
    for path in places(record):
        if "schema" in path[:-1]:
            continue
        for junk in (*JUNK, ...):
            changed = copy.deepcopy(record)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            if junk is ...:
                del holder[path[-1]]
            else:
                holder[path[-1]] = junk
            yield changed


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.slow] if kind in ("header", "call") else []) for kind in KINDS],
)
def test_whatever_is_changed_is_an_error_or_a_difference_and_never_anything_else(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What takes the time is to make files of pictures.
    monkeypatch.setattr("baselines.llm.pictures._address", lambda pixels: "data:,")
    method = Method(actors="turns", repairs=0)
    run(tmp_path, Scripted(), method, env_id="stmg/ResourceAllocation-v0", n=2)
    path = tmp_path / TRANSCRIPT
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if f'"kind": "{kind}"' in line)
    changed = tmp_path / "changed.jsonl"
    silent, said = [], list[str]()
    for record in changes(json.loads(lines[at])):
        changed.write_text(
            "\n".join([*lines[:at], json.dumps(record), *lines[at + 1 :], ""]), encoding="utf-8"
        )
        again = tmp_path / "again.jsonl"
        again.unlink(missing_ok=True)
        try:
            records = read_records(changed)
            summarize(records)
            write_pages(records, tmp_path / "pages")
        except STMGError:
            pass
        try:
            replay(changed, again)
        except TranscriptError as error:
            said.append(str(error))
        else:
            if first_difference(changed, again) is None and changed.read_bytes() != path.read_bytes():
                silent.append(record)
    assert said and all(str(changed) in error for error in said)
    # The day and the versions, what only an endpoint can know, and settings that made no difference here.
    told = {"date", "versions", "host", "reply", "sampling", "method"}
    for record in silent:
        was = json.loads(lines[at])
        differ = {key for key in was if was.get(key) != record.get(key)}
        if differ == {"setup"}:
            differ = {key for key in was["setup"] if was["setup"][key] != record["setup"].get(key)}
        assert differ <= told, record
    assert {page.name for page in (tmp_path / "pages").iterdir()} == {"index.html", "episode-0.html"}


def test_the_game_of_a_strangers_transcript_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "taken_by_a_transcript.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    run(tmp_path, Scripted(), Method(ask="none"), env_id="pettingzoo/mpe2.simple_spread_v3")
    path = tmp_path / TRANSCRIPT
    strange = tmp_path / "strange.jsonl"
    text = path.read_text(encoding="utf-8").replace("mpe2.simple_spread_v3", "taken_by_a_transcript")
    strange.write_text(text, encoding="utf-8")
    records = read_records(strange)
    summarize(records)
    write_pages(records, tmp_path / "pages")
    with pytest.raises(TranscriptError, match=r"module of another package.*--trust"):
        replay(strange, tmp_path / "again.jsonl")
    assert "taken_by_a_transcript" not in sys.modules and not (tmp_path / "again.jsonl").exists()
    replay(path, tmp_path / "again.jsonl", trust=True)
    assert first_difference(path, tmp_path / "again.jsonl") is None
