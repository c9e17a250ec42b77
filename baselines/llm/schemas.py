"""The JSON schemas of replies, in what all endpoints that take schemas understand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from baselines.llm.stage import Stage

Schema = dict[str, Any]


def _object(properties: Mapping[str, Any]) -> Schema:
    """An object with exactly these properties; strict schemas require all."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def plan_schema(stage: Stage) -> Schema:
    """An action for each agent that has a choice now."""
    return _object(
        {stage.text.agents[agent]: {"type": "string", "enum": stage.names(agent)} for agent in stage.choosers}
    )


def plans_schema(stage: Stage, names: Sequence[str]) -> Schema:
    """Several plans, each under its name."""
    return _object({name: plan_schema(stage) for name in names})


def verdict_schema(stage: Stage, agent: int) -> Schema:
    """Whether an agent agrees with its part, what it would rather do, and why."""
    action = {"anyOf": [{"type": "string", "enum": stage.names(agent)}, {"type": "null"}]}
    return _object({"agree": {"type": "boolean"}, "action": action, "reason": {"type": "string"}})


def turn_schema(stage: Stage, agent: int) -> Schema:
    """One agent's action."""
    return _object({stage.text.agents[agent]: {"type": "string", "enum": stage.names(agent)}})
