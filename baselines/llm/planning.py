"""Makes one legal plan of a situation: critics propose, one voice decides, the rules send it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from baselines.llm.answers import Reading, read_parts, read_plan
from baselines.llm.line import EpisodeFailedError, Line
from baselines.llm.method import Method
from baselines.llm.prompts import Prompts
from baselines.llm.requests import Message
from baselines.llm.schemas import plan_schema, plans_schema
from baselines.llm.stage import Stage
from baselines.llm.together import together

Plan = tuple[int, ...]
"""An action for each agent, (n,)."""
CRITICS = ("explorer", "exploiter")
NO_PLAN = "no plan that could be read"


class Planner:
    """The conversation in which the plan of one timestep is made.

    Args:
        line: to the model.
        stage: the game as it stands.
        method: how.
        prompts: what is said.
        situation: the situation in words, with what has happened so far.

    Attributes:
        repairs: how often a plan was sent back so far.
    """

    def __init__(self, line: Line, stage: Stage, method: Method, prompts: Prompts, situation: str) -> None:
        self._line, self._stage, self._method, self._prompts = line, stage, method, prompts
        self._situation = situation
        self._example = _example(stage)
        self._idle = None if stage.text.idle is None else stage.text.actions(0)[stage.text.idle]
        self._format = prompts.say("plan_format", idle=self._idle, example=self._example)
        self._system = system_message(stage, prompts)
        self._role = "planner" if method.name == "hmas-2" else "assessor"
        self._messages: list[Message] = [self._system]
        self.repairs = 0

    async def plan(self) -> Plan:
        """The first plan.

        Raises:
            EpisodeFailedError: if no legal one is found.
        """
        if self._role == "planner":
            return await self._decide(self._prompts.say("planner", **self._said()))
        plans = await (self._jointly() if self._method.critics == "joint" else self._separately())
        proposals = {name: self._proposal(plan) for name, plan in zip(CRITICS, plans, strict=True)}
        return await self._decide(self._prompts.say("assessor", **self._said(), **proposals))

    async def revise(self, objections: Sequence[str]) -> Plan:
        """The plan again, after objections.

        Raises:
            EpisodeFailedError: if no legal one is found.
        """
        return await self._decide(self._prompts.say("objections", objections=objections, format=self._format))

    async def _separately(self) -> list[Reading | None]:
        """What two critics propose who do not hear each other."""
        schema = plan_schema(self._stage)
        replies = await together(
            *(self._line.ask(critic, [self._system, self._user(critic)], schema) for critic in CRITICS)
        )
        self._line.require_budget()
        return [None if reply.text is None else read_plan(reply.text, self._stage) for reply in replies]

    async def _jointly(self) -> list[Reading | None]:
        """What one voice proposes for two."""
        schema = plans_schema(self._stage, CRITICS)
        reply = await self._line.ask("critics", [self._system, self._user("critics")], schema)
        self._line.require_budget()
        if reply.text is None:
            return [None for _ in CRITICS]
        return [*read_parts(reply.text, self._stage, CRITICS)]

    def _user(self, template: str) -> Message:
        return Message("user", self._prompts.say(template, **self._said()))

    def _said(self) -> dict[str, Any]:
        """What templates may use."""
        return {
            "situation": self._situation,
            "format": self._format,
            "idle": self._idle,
            "example": self._example,
        }

    def _proposal(self, reading: Reading | None) -> str:
        """A critic's plan as the assessor gets it, without what could not be read."""
        if reading is None or "no_object" in reading.faults:
            self._line.faults.update({"lost_critic": 1} if reading is None else reading.faults)
            return NO_PLAN
        self._line.faults.update(reading.faults)
        return json.dumps(self._stage.named(reading.actions), ensure_ascii=False)

    async def _decide(self, said: str) -> Plan:
        """Ask until the plan is legal, at most as often as the method allows."""
        self._messages.append(Message("user", said))
        for attempt in range(self._method.repairs + 1):
            text = await self._line.need(self._role, self._messages, plan_schema(self._stage))
            self._messages.append(Message("assistant", text))
            reading = read_plan(text, self._stage)
            self._line.faults.update(reading.faults)
            if not reading.problems:
                return complete(reading.actions)
            if attempt < self._method.repairs:
                self.repairs += 1
                repair = self._prompts.say("repair", problems=reading.problems, format=self._format)
                self._messages.append(Message("user", repair))
        if self._method.on_exhausted == "fail":
            raise EpisodeFailedError(f"no legal plan in {self._method.repairs + 1} attempts")
        return without_conflicts(reading.actions, self._stage)


def system_message(stage: Stage, prompts: Prompts) -> Message:
    """What everybody is told first."""
    return Message("system", prompts.say("system", rules=stage.text.rules, agents=stage.text.agents))


def complete(actions: Sequence[int | None]) -> Plan:
    """A joint action in which nothing is missing any more."""
    return tuple(action for action in actions if action is not None)


def without_conflicts(actions: Sequence[int | None], stage: Stage) -> Plan:
    """The legal rest of a plan: who is not told, or told what does not go together, does what it can least.

    That is to stay, or where the game has no such action the first that is legal.
    """
    least = [
        chosen if chosen is not None else stage.legal[agent][0]
        for agent, chosen in enumerate(stage.undecided)
    ]
    plan = [least[agent] if action is None else action for agent, action in enumerate(actions)]
    for complaint in stage.complaints(plan):
        for agent in complaint.agents:
            plan[agent] = least[agent]
    return tuple(plan)


def _example(stage: Stage) -> dict[str, str]:
    """A plan for the first agents that have a choice, for the form only."""
    return {stage.text.agents[agent]: stage.names(agent)[-1] for agent in stage.choosers[:2]}
