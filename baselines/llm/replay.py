"""Answers from a transcript: the same requests get the same replies, without an endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from baselines.errors import TranscriptError
from baselines.llm.requests import Client, Reply, Request
from baselines.llm.transcript import Record, is_answered, reply_of

Place = tuple[int, str, int]
"""Episode, digest of what is asked, and how often the episode has asked it before."""


class Replay:
    """Replies with what a transcript holds.

    Args:
        records: of the transcript.
        beyond: who answers what the transcript does not hold, or had no budget for; by default nobody does:
            what it does not hold is an error, and what had no budget has none again.

    Attributes:
        answered: calls answered from the transcript.
    """

    def __init__(self, records: Iterable[Record], beyond: Client | None = None) -> None:
        self._beyond = beyond
        self._calls: dict[Place, Record] = {}
        self._timesteps: dict[tuple[int, int], list[Record]] = {}
        self._seen: Counter[tuple[int, str]] = Counter()
        self.answered = 0
        count: Counter[tuple[int, str]] = Counter()
        for record in records:
            if record["kind"] != "call":
                continue
            asked = (record["episode"], record["digest"])
            self._calls[(*asked, count[asked])] = record
            count[asked] += 1
            self._timesteps.setdefault((record["episode"], record["timestep"]), []).append(record)

    async def complete(self, request: Request) -> Reply:
        """The reply that the transcript holds.

        Raises:
            TranscriptError: if it holds none, and nobody else is there to answer; it names the first
                difference.
        """
        asked = (request.episode, request.digest)
        record = self._calls.get((*asked, self._seen[asked]))
        self._seen[asked] += 1
        if record is not None and (self._beyond is None or is_answered(record)):
            self.answered += 1
            return reply_of(record)
        if self._beyond is not None:
            reply = await self._beyond.complete(request)
            return reply if record is None else reply.after(reply_of(record))
        raise TranscriptError(self._miss(request))

    def _miss(self, request: Request) -> str:
        """What a request asks that the transcript does not hold, and where they differ first."""
        where = f"episode {request.episode}, timestep {request.timestep}, {request.agent or request.role}"
        like = [
            record
            for record in self._timesteps.get((request.episode, request.timestep), [])
            if (record["role"], record["agent"]) == (request.role, request.agent)
        ]
        if not like:
            return f"{where}: the transcript holds no such call; it belongs to another run"
        now = request.asked
        closest = max(like, key=lambda record: _agreeing(record["messages"], now["messages"]))
        field, old, new = _difference(closest, now)
        return (
            f"{where}: {field} is {new!r:.120}, in the transcript {old!r:.120}; replay it with the prompts, "
            "the settings and the version that made it"
        )


def _agreeing(old: list[Any], new: list[Any]) -> int:
    """How many messages agree before the first that does not."""
    pairs = zip(old, new, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """The first field in which two requests differ, with what stands there."""
    for at, (one, other) in enumerate(zip(old["messages"], new["messages"], strict=False)):
        for key in ("role", "content"):
            if one[key] != other[key]:
                return f"messages[{at}].{key}", *_first(one[key], other[key])
    if len(old["messages"]) != len(new["messages"]):
        return "the number of messages", len(old["messages"]), len(new["messages"])
    for key in new["sampling"]:
        if old["sampling"].get(key) != new["sampling"][key]:
            return f"sampling.{key}", old["sampling"].get(key), new["sampling"][key]
    if old["schema"] != new["schema"]:
        return "schema", *_first(str(old["schema"]), str(new["schema"]))
    return "how often it is asked", "less often", "once more"


def _first(old: str, new: str) -> tuple[str, str]:
    """Two texts from shortly before they differ."""
    pairs = zip(old, new, strict=False)
    at = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))
    return old[max(at - 20, 0) :], new[max(at - 20, 0) :]
