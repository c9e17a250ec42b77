"""Transcripts: everything that was asked, said and played, one JSON object in a line.

While a run plays, lines are added as they come, so that nothing that was paid for is lost. When it ends they
are put in order, which depends on nothing but what was said: the same replies make the same transcript but
for times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import BaseFileLock
from pydantic import ValidationError

from baselines.errors import TranscriptError
from baselines.llm.faults import BUDGET
from baselines.llm.printable import printable
from baselines.llm.records import check_record
from baselines.llm.requests import Reply, Request, Usage
from baselines.storage import AppendLog, read_bytes, write_text
from stmg_envs.errors import InvalidArgumentError

FORMAT = 1
KINDS = ("header", "call", "step", "end")
MOST_BYTES = 2**34
"""Of a transcript: every call holds its whole conversation."""
LONGEST_REASON = 200
"""Letters of what is wrong with a line."""
Record = dict[str, Any]
Key = tuple[int, int, int, int]


def key_of(record: Mapping[str, Any]) -> Key:
    """Where a record stands: its episode, timestep, kind, and number within them."""
    kind = KINDS.index(record["kind"])
    if kind == 0:
        return (-1, 0, 0, 0)
    return (record["episode"], record["timestep"], kind, record.get("number", 0))


def call_record(number: int, request: Request, reply: Reply) -> Record:
    """A call as it is written."""
    return {
        "kind": "call",
        "episode": request.episode,
        "timestep": request.timestep,
        "number": number,
        "role": request.role,
        "agent": request.agent,
        "digest": request.digest,
        **request.asked,
        "reply": {**asdict(reply), "faults": list(reply.faults)},
    }


def reply_of(record: Mapping[str, Any]) -> Reply:
    """The reply of a call that was written."""
    said = dict(record["reply"])
    return Reply(**{**said, "usage": Usage(**said["usage"]), "faults": tuple(said["faults"])})


def is_answered(record: Mapping[str, Any]) -> bool:
    """Whether a call has come to its end; one that a ceiling ended has not."""
    return bool(record["reply"]["failure"] != BUDGET)


class Transcript:
    """A transcript that is being written.

    Args:
        path: the file; what it holds is kept.
        records: what it holds.
        lock: that is held while it is written, if others could write it too; released on leaving.

    Attributes:
        records: all that is in it, by where it stands.
    """

    def __init__(self, path: Path, records: Iterable[Record] = (), lock: BaseFileLock | None = None) -> None:
        self.path, self._lock = path, lock
        self.records: dict[Key, Record] = {key_of(record): record for record in records}
        self._log: AppendLog | None = None

    def __enter__(self) -> Transcript:
        self._log = AppendLog(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._log is not None:
            self._log.close()
        if self._lock is not None:
            self._lock.release()

    def add(self, record: Record) -> None:
        """Write a record, unless the same one is there."""
        key = key_of(record)
        if self.records.get(key) == record:
            return
        self.records[key] = record
        assert self._log is not None
        self._log.append(_line(record))

    def call(self, number: int, request: Request, reply: Reply) -> None:
        """Write a call."""
        self.add(call_record(number, request, reply))

    def finish(self) -> None:
        """Put all records in order, at once or not at all."""
        write_records(self.path, self.records.values())


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write a transcript in order, at once or not at all."""
    write_text(path, "".join(_line(record) for record in sorted(records, key=key_of)))


def _line(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def read_records(path: Path) -> list[Record]:
    """The records of a transcript, as they stand in the file; of two in one place the later counts.

    A last line without an end, from a run that was killed in it, is left out.

    Raises:
        TranscriptError: if the file cannot be read, or is no transcript.
    """
    try:
        data = read_bytes(path, MOST_BYTES)
    except (OSError, InvalidArgumentError) as error:
        raise TranscriptError(
            f"{path} cannot be read as a transcript ({error}); name a transcript.jsonl"
        ) from None
    # Whatever killed a run may have cut a letter of several bytes.
    *lines, _ = data.split(b"\n")
    records = [_record(path, number, line) for number, line in enumerate(lines, 1)]
    if not records or records[0]["kind"] != "header":
        raise TranscriptError(
            f"{path} does not begin with the header of a transcript; name a transcript.jsonl"
        )
    for number, record in enumerate(records[1:], 2):
        if record["kind"] == "header":
            raise TranscriptError(
                f"{path}, line {number} is another header; expected one transcript in a file"
            )
    return list({key_of(record): record for record in records}.values())


def _record(path: Path, number: int, line: bytes) -> Record:
    """A line that has been checked, for a transcript may come from anybody."""
    try:
        record: Record = json.loads(line)
        if record["kind"] == "header" and record["format"] != FORMAT:
            raise TranscriptError(
                f"{path} has format {record['format']!r:.60}; expected {FORMAT}: use the stmg that made it"
            )
        check_record(line)
        # What could not be written again is none either.
        _line(record).encode()
    except TranscriptError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        shown = line[:60].decode(errors="replace")
        raise TranscriptError(
            f"{path}, line {number}: {shown!r} is no record of a transcript ({_reason(error)}); expected "
            "the file as stmg llm run wrote it"
        ) from None
    return record


def _reason(error: Exception) -> str:
    """What is wrong first, and where in the record."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return printable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")[:LONGEST_REASON]
    return f"{type(error).__name__}: {error}"[:LONGEST_REASON]
