"""Clients without an endpoint, and runs that they play."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baselines.llm.episode import Story
from baselines.llm.method import Method
from baselines.llm.requests import Client, Reply, Request, Usage
from baselines.llm.run import TRANSCRIPT, begin, play
from baselines.llm.scripted.oracle import answer
from baselines.llm.setup import Setup
from baselines.llm.transcript import Record, key_of

TRANSPORT = "stmg/GridTransport-v0"
Says = Callable[[Request], "str | None"]


def body_of(request: Request) -> dict[str, Any]:
    """The request as an endpoint gets it."""
    return {"messages": [{"role": one.role, "content": one.content} for one in request.messages]}


def oracle(request: Request) -> str:
    return answer(body_of(request))


class Scripted:
    """Answers by a function; None is a call that is lost.

    Attributes:
        asked: all requests, in order of asking.
    """

    def __init__(self, says: Says = oracle) -> None:
        self.asked: list[Request] = []
        self._says = says

    async def complete(self, request: Request) -> Reply:
        self.asked.append(request)
        text = self._says(request)
        return Reply(
            text, failure=None if text is not None else "timeout", usage=Usage(prompt=7, completion=2)
        )

    def of(self, *roles: str) -> list[Request]:
        return [request for request in self.asked if request.role in roles]


def run(
    folder: Path,
    client: Client,
    method: Method | None = None,
    seeds: int = 1,
    env_id: str = TRANSPORT,
    **args: Any,
) -> tuple[list[Story], list[Record]]:
    """What came of a run, and its records in order."""
    setup = Setup(env_id, args, tuple(range(seeds)), method=method or Method())
    with begin(setup, folder / TRANSCRIPT) as transcript:
        stories = asyncio.run(play(setup, client, transcript))
    return stories, sorted(transcript.records.values(), key=key_of)


def ends(records: list[Record]) -> list[Record]:
    return [record for record in records if record["kind"] == "end"]


def steps(records: list[Record]) -> list[Record]:
    return [record for record in records if record["kind"] == "step"]
