"""Transcripts hold everything, replay to the byte without an endpoint, and let runs go on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
from pathlib import Path
from typing import Any

import pytest
from playing import Scripted, oracle, run

from baselines.errors import TranscriptError
from baselines.llm.method import Method
from baselines.llm.replay import Replay
from baselines.llm.requests import Reply, Request, Usage
from baselines.llm.run import TRANSCRIPT, begin, first_difference, play, replay, resumed
from baselines.llm.setup import Setup
from baselines.llm.transcript import read_records, reply_of

METHODS = (Method(), Method(name="hmas-2"), Method(actors="turns"), Method(critics="joint", ask="all"))


@pytest.mark.parametrize("method", METHODS, ids=["llamac", "hmas-2", "turns", "joint"])
def test_replays_to_the_byte_without_a_socket(
    tmp_path: Path, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_wrong(request: Request) -> str | None:
        chance = random.Random(request.digest).random()
        return (
            "nonsense"
            if chance < 0.2
            else None
            if chance < 0.25 and request.role == "actor"
            else oracle(request)
        )

    run(tmp_path, Scripted(half_wrong), method, seeds=3, rows=1, columns=3)

    def blocked(*arguments: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", blocked)
    replay(tmp_path / TRANSCRIPT, tmp_path / "again.jsonl")
    assert first_difference(tmp_path / TRANSCRIPT, tmp_path / "again.jsonl") is None


def test_what_was_asked_and_said_is_all_there(tmp_path: Path) -> None:
    client = Scripted()
    _, records = run(tmp_path, client, Method(ask="none"))
    calls = [record for record in records if record["kind"] == "call"]
    assert sorted(call["digest"] for call in calls) == sorted(request.digest for request in client.asked)
    assert calls[0]["messages"] == client.asked[0].asked["messages"]
    assert reply_of(calls[0]) == Reply(oracle(client.asked[0]), usage=Usage(prompt=7, completion=2))
    assert records[0]["kind"] == "header" and records[0]["setup"]["seeds"] == [0]


def altered(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    changed = path.with_name("altered.jsonl")
    changed.write_text(text.replace(old, new), encoding="utf-8")
    return changed


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("You are the assessor.", "You are the boss.", "digest"),
        ('"temperature": 0.0', '"temperature": 0.5', "digest"),
    ],
)
def test_a_changed_request_is_not_in_the_transcript(tmp_path: Path, old: str, new: str, named: str) -> None:
    """What is asked now is looked up by its digest, whatever the record says beside it."""
    client = Scripted()
    _, records = run(tmp_path, client, Method(ask="none"))
    request = client.of("assessor")[0]
    changed = json.loads(json.dumps(request.asked).replace(old, new))
    other = Request(
        request.episode,
        request.timestep,
        request.role,
        request.agent,
        tuple(type(request.messages[0])(**message) for message in changed["messages"]),
        changed["schema"],
        type(request.sampling)(**changed["sampling"]),
    )
    assert other.digest != request.digest
    with pytest.raises(
        TranscriptError, match=r"episode 0, timestep 0, assessor: (messages\[1\].content|sampling.temp)"
    ):
        asyncio.run(Replay(records).complete(other))


@pytest.mark.parametrize("old", ['"task": "grid', '"header", '])
def test_a_header_that_its_setup_does_not_give_differs(tmp_path: Path, old: str) -> None:
    run(tmp_path, Scripted(), Method(ask="none"))
    changed = altered(tmp_path / TRANSCRIPT, old, old.replace("grid", "Grid").replace(", ", ",  "))
    replay(changed, tmp_path / "again.jsonl")
    assert first_difference(changed, tmp_path / "again.jsonl") == f"line 1 of {changed}"


def test_a_changed_prompt_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    run(tmp_path, Scripted(), Method(ask="none"))
    digest = read_records(tmp_path / TRANSCRIPT)[0]["prompts"]
    changed = altered(tmp_path / TRANSCRIPT, digest, "0" * 64)
    with pytest.raises(TranscriptError, match="prompts v1 have the digest"):
        replay(changed, tmp_path / "again.jsonl")
    assert not (tmp_path / "again.jsonl").exists()


def test_other_replies_make_another_transcript(tmp_path: Path) -> None:
    """The states and rewards of a transcript are played again, not believed."""
    run(tmp_path, Scripted(), Method(ask="none"))
    changed = altered(tmp_path / TRANSCRIPT, '"rewards": [', '"rewards": [9.0, ')
    replay(changed, tmp_path / "again.jsonl")
    difference = first_difference(changed, tmp_path / "again.jsonl")
    assert difference is not None and difference.startswith("line ")


class KilledError(Exception):
    """Ends a run as a signal does."""


class Stops(Scripted):
    """Is killed after some calls."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    async def complete(self, request: Request) -> Reply:
        if self._left == 0:
            raise KilledError
        self._left -= 1
        return await super().complete(request)


@pytest.mark.parametrize("torn", [b"", b'{"kind": "call", "episo', '{"kind": "é'.encode()[:-1]])
def test_a_run_goes_on_where_it_was_stopped_and_asks_nothing_twice(tmp_path: Path, torn: bytes) -> None:
    setup = Setup("stmg/GridTransport-v0", {}, (0, 1, 2), method=Method(actors="turns"))
    whole = Scripted()
    with begin(setup, tmp_path / "whole" / TRANSCRIPT) as transcript:
        asyncio.run(play(setup, whole, transcript))
    path = tmp_path / "parts" / TRANSCRIPT
    asked = []
    for number, after in enumerate((5, 20, 10_000)):
        client = Stops(after)
        with begin(setup, path, resume=number > 0) as transcript:
            answers = resumed(client, list(transcript.records.values()))
            try:
                asyncio.run(play(setup, answers, transcript))
            except KilledError:
                assert number < 2
        asked += client.asked
        if number < 2:
            with path.open("ab") as file:
                file.write(torn)
    assert sorted(request.digest for request in asked) == sorted(request.digest for request in whole.asked)
    assert path.read_bytes() == (tmp_path / "whole" / TRANSCRIPT).read_bytes()


def test_another_setup_does_not_go_on(tmp_path: Path) -> None:
    setup = Setup("stmg/GridTransport-v0", {}, (0,))
    with begin(setup, tmp_path / TRANSCRIPT), pytest.raises(TranscriptError, match="by another process"):
        begin(setup, tmp_path / TRANSCRIPT, resume=True)
    other = Setup("stmg/GridTransport-v0", {}, (0,), method=Method(repairs=2))
    with pytest.raises(
        TranscriptError, match=r"method is .*'repairs': 2.*, in the transcript .*'repairs': 6"
    ):
        begin(other, tmp_path / TRANSCRIPT, resume=True)
    with pytest.raises(TranscriptError, match="exists already; go on with it"):
        begin(setup, tmp_path / TRANSCRIPT)


HEADER = (
    '{"kind": "header", "format": 1, "setup": {"env_id": "stmg/Penalty-v0"}, "task": "penalty", '
    '"prompts": "0", "date": "2026-01-01", "versions": {"stmg": "0", "torch": "0", "python": "0"}}\n'
)
END = (
    '{"kind": "end", "episode": 0, "timestep": 1, "seed": 0, "success": true, "failure": "1", "steps": 1, '
    '"feedback": 0, "returns": [0.5], "metrics": {}, "calls": {}, "faults": {}, "usage": '
    '{"prompt": 0, "cached": 0, "completion": 0, "reasoning": 0, "estimated": 0}}\n'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not begin with the header"),
        (END, "does not begin with the header"),
        ('{"kind": "header", "format": 99}\n', "format 99"),
        ("[1]\n", "line 1: '\\[1\\]' is no record"),
        ('{"kind": "header", "format": 1}\n', "line 1: .*header.setup: Field required"),
        (HEADER + '{"kind": "call"}\n', "line 2: .*call.episode: Field required"),
        (HEADER + "\n", "line 2"),
        (HEADER + END.replace("0.5", "NaN"), "line 2: .*end.returns.0: .* finite"),
        (HEADER + END.replace("0.5", "1e999"), "line 2: .*end.returns.0: .* finite"),
        (HEADER + END.replace('"1"', '"\\ud800"'), "line 2"),
        (HEADER + END.replace('"episode": 0', '"episode": "../0"'), "line 2: .*end.episode"),
        (HEADER + HEADER, "line 2 is another header"),
        ('{"kind": "poem"}\n', "line 1"),
        ("[" * 100_000 + "\n", "line 1"),
    ],
)
def test_files_that_are_no_transcripts_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / TRANSCRIPT
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TranscriptError, match=message):
        read_records(path)
    with pytest.raises(TranscriptError, match="cannot be read"):
        read_records(tmp_path)


def test_a_header_without_a_setup_is_refused(tmp_path: Path) -> None:
    path = tmp_path / TRANSCRIPT
    path.write_text(HEADER.replace("env_id", "game"), encoding="utf-8")
    with pytest.raises(TranscriptError, match=r"transcript.jsonl cannot .*: the setup in the header is none"):
        replay(path, tmp_path / "again.jsonl")


def test_a_pipe_is_no_transcript_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / TRANSCRIPT)
    with pytest.raises(TranscriptError, match="is a pipe"):
        read_records(tmp_path / TRANSCRIPT)
