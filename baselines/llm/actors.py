"""What single agents say: of their parts of a plan, and in their turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from baselines.llm.answers import read_turn, read_verdict
from baselines.llm.line import Line
from baselines.llm.method import Method
from baselines.llm.planning import Plan, system_message
from baselines.llm.prompts import Prompts
from baselines.llm.requests import Message
from baselines.llm.schemas import turn_schema, verdict_schema
from baselines.llm.stage import Stage
from baselines.llm.together import together
from stmg_envs.protocol import Ask, Doubt


@dataclass(frozen=True)
class Objection:
    """Why a part of a plan should be another one.

    Attributes:
        agent: index of the agent whose part it is.
        reason: in words.
        by_rule: whether the rules said so, and nobody was asked.
    """

    agent: int
    reason: str
    by_rule: bool = False


async def objections(
    line: Line, stage: Stage, method: Method, prompts: Prompts, plan: Plan, ask: Ask
) -> list[Objection]:
    """What speaks against a plan, by agent.

    Agents that are asked do not hear each other. One whose call is lost, or whose reply says neither yes nor
    no, does not object, and is counted.

    Raises:
        EpisodeFailedError: if there is no budget.
    """
    doubts = stage.doubts(plan) if ask == "rule" else {}
    certain = [
        Objection(agent, doubt.reason, by_rule=True) for agent, doubt in doubts.items() if doubt.certain
    ]
    asked = {"all": stage.choosers, "none": []}.get(
        ask, [agent for agent, doubt in doubts.items() if not doubt.certain]
    )
    said = await together(
        *(_asked(line, stage, method, prompts, plan, agent, doubts.get(agent)) for agent in asked)
    )
    line.require_budget()
    found = [*certain, *(objection for objection in said if objection is not None)]
    return sorted(found, key=lambda objection: objection.agent)


def _opening(
    template: str, line: Line, stage: Stage, prompts: Prompts, advised: Plan, agent: int, **more: Any
) -> list[Message]:
    """What an agent is told first: the rules, what it sees and can do, and its part of the plan."""
    said = prompts.say(
        template,
        agent=stage.text.agents[agent],
        timestep=line.timestep,
        view=stage.view(agent),
        actions=stage.names(agent),
        part=stage.text.actions(agent)[advised[agent]],
        **more,
    )
    return [system_message(stage, prompts), Message("user", said)]


async def _asked(
    line: Line, stage: Stage, method: Method, prompts: Prompts, plan: Plan, agent: int, doubt: Doubt | None
) -> Objection | None:
    name = stage.text.agents[agent]
    whole = stage.named(plan) if method.name == "hmas-2" else None
    messages = _opening(
        "actor", line, stage, prompts, plan, agent, plan=whole, doubt=doubt.reason if doubt else ""
    )
    reply = await line.ask("actor", messages, verdict_schema(stage, agent), agent=name)
    verdict = None if reply.text is None else read_verdict(reply.text, stage, agent)
    if verdict is None:
        line.faults["lost_actor"] += 1
    if verdict is None or verdict.agrees:
        return None
    better = (
        "" if verdict.action is None else f" It would rather do {stage.text.actions(agent)[verdict.action]}."
    )
    return Objection(agent, f"{verdict.reason or 'No reason given.'}{better}")


async def take_turns(line: Line, stage: Stage, method: Method, prompts: Prompts, plan: Plan) -> Plan:
    """Each agent that has a choice decides in order of priority, advised by the plan.

    An agent sees what it sees, its own part of the plan, and what those before it have decided: nothing that
    comes of those after it. What it decides must be legal and go together with what has been decided. If it
    is not, it is asked again as often as the method allows, and then plays its part of the plan if that goes
    together with what has been decided, or else what it can least.

    Raises:
        EpisodeFailedError: if there is no budget.
    """
    decided: list[int | None] = list(stage.undecided)
    for agent in stage.choosers:
        decided[agent] = None
    order = [agent for agent in stage.priority if agent in set(stage.choosers)]
    for rank, agent in enumerate(order):
        leaders = {stage.text.agents[leader]: _name(stage, leader, decided) for leader in order[:rank]}
        decided[agent] = await _turn(line, stage, method, prompts, plan, agent, leaders, decided)
    return tuple(action for action in decided if action is not None)


def _name(stage: Stage, agent: int, decided: Sequence[int | None]) -> str:
    action = decided[agent]
    assert action is not None
    return stage.text.actions(agent)[action]


async def _turn(
    line: Line,
    stage: Stage,
    method: Method,
    prompts: Prompts,
    plan: Plan,
    agent: int,
    leaders: dict[str, str],
    decided: Sequence[int | None],
) -> int:
    name = stage.text.agents[agent]
    example = {name: stage.names(agent)[0]}
    messages = _opening("turn", line, stage, prompts, plan, agent, leaders=leaders, example=example)
    for _ in range(method.repairs + 1):
        reply = await line.ask("actor", messages, turn_schema(stage, agent), agent=name)
        line.require_budget()
        if reply.text is None:
            line.faults["lost_actor"] += 1
            break
        reading = read_turn(reply.text, stage, agent, decided)
        action = reading.actions[agent]
        line.faults.update(reading.faults)
        if action is not None and not reading.problems:
            return action
        messages += [
            Message("assistant", reply.text),
            Message("user", prompts.say("repair", problems=reading.problems, format="")),
        ]
    return _fallback(stage, plan, agent, decided)


def _fallback(stage: Stage, plan: Plan, agent: int, decided: Sequence[int | None]) -> int:
    """An agent's part of the plan, unless it does not go together with what has been decided."""
    joint = list(decided)
    joint[agent] = plan[agent]
    if not stage.complaints(joint):
        return plan[agent]
    return stage.legal[agent][0] if stage.text.idle is None else stage.text.idle
