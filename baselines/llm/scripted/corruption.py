"""Replies spoilt on purpose, in the ways in which models spoil theirs: a protocol test."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

Respond = Callable[[Mapping[str, Any]], str]
Spoil = Callable[[str, str, random.Random], str]


def _prose(reply: str, told: str, chance: random.Random) -> str:
    return "I would look at the boxes first and then decide who is nearest."


def _cut_off(reply: str, told: str, chance: random.Random) -> str:
    return reply[: len(reply) // 2]


def _fenced(reply: str, told: str, chance: random.Random) -> str:
    return f"Here is the plan:\n```json\n{reply}\n```\nI hope that helps."


def _nested(reply: str, told: str, chance: random.Random) -> str:
    return json.dumps({"plan": json.loads(reply)})


def _twice(reply: str, told: str, chance: random.Random) -> str:
    return re.sub(r'^\{("[^"]*": "[^"]*")', r"{\1, \1", reply)


def _unknown_agent(reply: str, told: str, chance: random.Random) -> str:
    return json.dumps(json.loads(reply) | {"Agent[9, 9]": "stay"})


def _unknown_box(reply: str, told: str, chance: random.Random) -> str:
    return re.sub(r"box_\w+", "box_black", reply, count=1)


def _unknown_place(reply: str, told: str, chance: random.Random) -> str:
    return re.sub(r"(square|position)\[[^\]]*\]\)", r"\1[7, 7])", reply, count=1)


def _collision(reply: str, told: str, chance: random.Random) -> str:
    """Two agents move boxes to the same place, where any can."""
    legal = re.findall(r"^(Agent\S* \S*): (.*)$", told[told.rfind("What agents can do now") :], re.MULTILINE)
    moves: dict[str, list[tuple[str, str]]] = {}
    for agent, actions in legal:
        for action in actions.split("; "):
            if found := re.search(r"(?:square|position)\[.*?\]", action):
                moves.setdefault(found[0], []).append((agent, action))
    shared = [options for options in moves.values() if len({agent for agent, _ in options}) > 1]
    return json.dumps(dict(chance.choice(shared))) if shared else _prose(reply, told, chance)


SPOILS: tuple[Spoil, ...] = (
    _prose,
    _cut_off,
    _fenced,
    _nested,
    _twice,
    _unknown_agent,
    _unknown_box,
    _unknown_place,
    _collision,
)


def corrupted(respond: Respond, share: float, seed: int = 0) -> Respond:
    """Replies of which a share is spoilt; which, and how, depends on the request and the seed alone."""

    def spoilt(body: Mapping[str, Any]) -> str:
        reply = respond(body)
        chance = random.Random(f"{seed} {json.dumps(body['messages'])}")
        if chance.random() >= share:
            return reply
        return chance.choice(SPOILS)(reply, body["messages"][1]["content"], chance)

    return spoilt
