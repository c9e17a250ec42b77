"""How much is begun within any minute."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import suppress
from dataclasses import dataclass


@dataclass
class Entry:
    """One amount of a pace.

    Attributes:
        time: when it was entered, in seconds of the event loop's clock.
        amount: how much it is.
    """

    time: float
    amount: int


class Pace:
    """At most so much within any period; one at a time waits for it.

    Args:
        limit: the amount, or None for no limit.
        period: seconds.
    """

    def __init__(self, limit: int | None, period: float = 60.0) -> None:
        self._limit = math.inf if limit is None else limit
        self._period = period
        self._entries: deque[Entry] = deque()
        self._corrected = asyncio.Event()

    async def enter(self, amount: int) -> Entry:
        """Wait until there is room for an amount; one beyond the limit has room where nothing else is."""
        clock = asyncio.get_running_loop()
        while True:
            now = clock.time()
            while self._entries and self._entries[0].time <= now - self._period:
                self._entries.popleft()
            if not self._entries or sum(entry.amount for entry in self._entries) + amount <= self._limit:
                break
            self._corrected.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._entries[0].time + self._period):
                    await self._corrected.wait()
        entry = Entry(now, amount)
        if self._limit < math.inf:
            self._entries.append(entry)
        return entry

    def correct(self, entry: Entry, amount: int) -> None:
        """Say how much an entry has been in the end."""
        entry.amount = amount
        self._corrected.set()
