"""The line from an episode to its model: asks, and has everything written down in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from baselines.llm.faults import BUDGET
from baselines.llm.requests import Client, Message, Reply, Request, Sampling, Usage


class EpisodeFailedError(Exception):
    """An episode that cannot go on; its argument says why. Never leaves `baselines.llm`."""


class Listener(Protocol):
    """Whoever writes down what is asked and said."""

    def call(self, number: int, request: Request, reply: Reply) -> None:
        """A call has ended; `number` counts the calls of its timestep in the order of asking."""
        ...


class Line:
    """Asks for one episode.

    Args:
        client: who answers.
        episode: its number.
        sampling: which model, and how.
        listener: who writes it down.

    Attributes:
        timestep: of the episode, set by who plays it.
        usage: tokens so far.
        calls: how many so far, by role.
        faults: what attempts and replies met so far, by kind.
    """

    def __init__(self, client: Client, episode: int, sampling: Sampling, listener: Listener) -> None:
        self.episode = episode
        self.timestep = 0
        self.usage = Usage()
        self.calls: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._client, self._sampling, self._listener = client, sampling, listener
        self._asked = 0
        self._stopped: str | None = None

    def begin(self, timestep: int) -> None:
        """From now on it is this timestep."""
        self.timestep, self._asked = timestep, 0

    async def ask(
        self, role: str, messages: Sequence[Message], schema: Mapping[str, Any], agent: str | None = None
    ) -> Reply:
        """The reply to a conversation; a call that fails is a reply that says so."""
        number = self._asked
        self._asked += 1
        request = Request(self.episode, self.timestep, role, agent, tuple(messages), schema, self._sampling)
        reply = await self._client.complete(request)
        self.calls[role] += 1
        self.usage += reply.usage
        self.faults.update(reply.faults)
        self._listener.call(number, request, reply)
        if reply.failure == BUDGET:
            self._stopped = self._stopped or role
        return reply

    def require_budget(self) -> None:
        """Make sure that no call has been without budget; those asked at the same time have all ended.

        What would come of going on without an answer would not come of it once there is a higher ceiling.

        Raises:
            EpisodeFailedError: if one has been.
        """
        if self._stopped is not None:
            raise EpisodeFailedError(f"{BUDGET} ({self._stopped})")

    async def need(self, role: str, messages: Sequence[Message], schema: Mapping[str, Any]) -> str:
        """What is said to a question without whose answer nothing can be done.

        Raises:
            EpisodeFailedError: if the call fails, or there is no budget.
        """
        reply = await self.ask(role, messages, schema)
        self.require_budget()
        if reply.text is None:
            raise EpisodeFailedError(f"{reply.failure} ({role})")
        return reply.text
