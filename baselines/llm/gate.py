"""How many attempts are under way at once, whoever makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from baselines.llm.faults import RATE_LIMITED
from baselines.llm.pace import Pace


@dataclass
class Passage:
    """One attempt that is under way; what came of it is for the attempt to say.

    Attributes:
        narrowed: how often the gate had been narrowed when it began.
        fault: what it met, or None.
        answered: whether a reply came of it.
        tokens: what it has cost, or may have.
    """

    narrowed: int
    fault: str | None = None
    answered: bool = False
    tokens: int = 0


class Gate:
    """Lets attempts begin in the order in which they ask.

    It narrows to half where the endpoint says that there are too many, and widens by one after as many
    successes as it is wide. Attempts that were under way together say so of one width: they narrow it once.

    Args:
        max_concurrency: how wide it is, at most.
        requests: how many may begin within any minute.
        tokens: how much those may cost; at first what they may cost at most, then what they have cost.

    Attributes:
        width: how many may be under way now.
        busy: how many are.
    """

    def __init__(
        self, max_concurrency: int, requests: Pace | None = None, tokens: Pace | None = None
    ) -> None:
        self.width, self.busy = max_concurrency, 0
        self._most, self._narrowed, self._successes = max_concurrency, 0, 0
        self._requests, self._tokens = requests or Pace(None), tokens or Pace(None)
        # A lock hands itself over in the order of asking: one waits for room, the others for the lock.
        self._turn, self._room = asyncio.Lock(), asyncio.Event()

    @asynccontextmanager
    async def passage(self, tokens: int) -> AsyncIterator[Passage]:
        """Wait for room, then be under way.

        Args:
            tokens: what the attempt may cost, at most.
        """
        async with self._turn:
            while self.busy >= self.width:
                self._room.clear()
                await self._room.wait()
            held = await self._tokens.enter(tokens)
            await self._requests.enter(1)
            self.busy += 1
            passage = Passage(self._narrowed, tokens=tokens)
        try:
            yield passage
        finally:
            self.busy -= 1
            self._tokens.correct(held, passage.tokens)
            self._adapt(passage)
            self._room.set()

    def _adapt(self, passage: Passage) -> None:
        if passage.fault == RATE_LIMITED and passage.narrowed == self._narrowed:
            self.width, self._successes = max(1, self.width // 2), 0
            self._narrowed += 1
        elif passage.answered:
            self._successes += 1
            if self._successes >= self.width:
                self.width, self._successes = min(self._most, self.width + 1), 0
