"""What tests ask a scripted endpoint, and how."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Callable
from typing import Any

import pytest

from baselines.llm.budget import Budget
from baselines.llm.caller import Caller, open_client
from baselines.llm.endpoint_settings import EndpointSettings
from baselines.llm.requests import Message, Reply, Request, Sampling
from baselines.llm.retry import Retry
from baselines.llm.scripted.faults import FaultPlan
from baselines.llm.scripted.server import ScriptedServer

if importlib.util.find_spec("openai") is None and os.environ.get("CI") != "true":
    pytest.skip("the package openai is not installed; try: pip install 'stmg[llm]'", allow_module_level=True)

KEY = "sk-Test0123456789abcdefKEY"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
QUICK = Retry(first=0.001, most=0.05)


def request(episode: int = 0, text: str = "where does it go?", **sampling: Any) -> Request:
    messages = (Message("system", "you plan"), Message("user", text))
    asked = Sampling(**{"model": "scripted", "max_tokens": 64} | sampling)
    return Request(episode, 0, "planner", None, messages, SCHEMA, asked)


def three_words(body: dict[str, Any]) -> str:
    return '{"a": 1} and so'


def ask(
    server: ScriptedServer,
    *requests: Request,
    budget: Budget | None = None,
    retry: Retry = QUICK,
    seen: Callable[[Caller], Any] = lambda client: None,
    in_turn: bool = False,
    **settings: Any,
) -> list[Reply]:
    """The replies to requests that are asked together, or each after the one before has been answered.

    Args:
        seen: gets the client once they are there.
    """

    async def replies() -> list[Reply]:
        asked = EndpointSettings(server.base_url, **{"timeout": 5.0} | settings)
        async with open_client(asked, budget, retry) as client:
            # What hangs is to fail.
            async with asyncio.timeout(30):
                if in_turn:
                    found = [await client.complete(request) for request in requests]
                else:
                    found = await asyncio.gather(*map(client.complete, requests))
            seen(client)
            return found

    return asyncio.run(replies())


def ask_in_turn(server: ScriptedServer, *requests: Request, **arguments: Any) -> list[Reply]:
    """The replies to requests, each asked after the one before has been answered."""
    return ask(server, *requests, in_turn=True, **arguments)


def serving(plan: FaultPlan | None = None, **arguments: Any) -> ScriptedServer:
    return ScriptedServer(three_words, plan or FaultPlan(), **arguments)
