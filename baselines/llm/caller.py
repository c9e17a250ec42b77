"""Calls to an endpoint: attempts, repeated where that may help, within what they may cost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from baselines.errors import EndpointError
from baselines.llm.budget import Bound, Budget, bound_of
from baselines.llm.dialect import Dialects
from baselines.llm.endpoint import Attempt, Endpoint
from baselines.llm.endpoint_settings import EndpointSettings
from baselines.llm.faults import BUDGET, FAULTS, LENGTH, REFUSED, UNREACHABLE, UNSUPPORTED
from baselines.llm.gate import Gate
from baselines.llm.pace import Pace
from baselines.llm.requests import Reply, Request, Usage
from baselines.llm.retry import PATIENT, Retry
from baselines.llm.tally import Tally


@dataclass
class _Course:
    """How a call has gone so far."""

    max_tokens: int
    faults: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    attempts: int = 0
    doublings: int = 0

    @property
    def failed(self) -> int:
        """Attempts that failed and count as such."""
        return sum(fault != UNSUPPORTED for fault in self.faults)


class Caller:
    """Whoever asks an endpoint; a `baselines.llm.requests.Client`.

    Args:
        endpoint: what makes one attempt.
        gate: how many attempts are under way at once.
        budget: what they may cost.
        retry: how often and when failed ones are made again.

    Attributes:
        gate: as given.
        budget: as given.
        dialects: what has been learned of how the endpoint wants to be asked.
        tally: what calls have come to so far.
        complaints: what the endpoint said first with each fault, without the key.
    """

    def __init__(self, endpoint: Endpoint, gate: Gate, budget: Budget, retry: Retry) -> None:
        self._endpoint, self.gate, self.budget, self._retry = endpoint, gate, budget, retry
        self.dialects, self.tally = Dialects(), Tally()
        self.complaints: dict[str, str] = {}
        # Only how long waits are depends on it, and never what a call comes to.
        self._chance = random.Random()

    async def complete(self, request: Request) -> Reply:
        """The reply of the endpoint, after as many attempts as may help.

        Raises:
            EndpointError: if it cannot be reached, or says that nobody can ever answer.
        """
        started = time.monotonic()
        course = _Course(request.sampling.max_tokens)
        answer, failure = await self._pursue(request, course)
        reply = Reply(
            text=answer.text,
            failure=failure,
            usage=course.usage,
            attempts=course.attempts,
            faults=tuple(course.faults),
            fingerprint=answer.fingerprint,
            seconds=time.monotonic() - started,
        )
        self.tally.add(request, reply)
        return reply

    async def _pursue(self, request: Request, course: _Course) -> tuple[Attempt, str | None]:
        while True:
            attempt = await self._attempt(request, course)
            if attempt is None:
                return Attempt(), BUDGET
            if attempt.fault is None:
                return attempt, None
            fault = attempt.fault
            course.faults.append(fault)
            if attempt.complaint.message:
                self.complaints.setdefault(fault, attempt.complaint.message)
            if not self._goes_on(course, fault):
                if fault == UNREACHABLE:
                    # It says nothing of the model, so that it must not count as one of its failures.
                    raise self._endpoint.unreachable
                return Attempt(), fault
            if fault != UNSUPPORTED:
                await asyncio.sleep(self._retry.wait(course.failed, attempt.retry_after, self._chance))

    async def _attempt(self, request: Request, course: _Course) -> Attempt | None:
        """One attempt, or None if it could cost more than may be spent."""
        bound = bound_of(request, course.max_tokens)
        # Who can never be let through need not queue.
        if not self.budget.ever_holds(request.episode, bound):
            return None
        async with self.gate.passage(bound.tokens) as passage:
            hold = await self.budget.hold(request.episode, bound)
            if hold is None:
                passage.tokens = 0
                return None
            course.attempts += 1
            # Until something else is known, also where this is cancelled: the endpoint may have answered.
            usage = Usage(estimated=bound.tokens)
            try:
                attempt = await self._ask(request, course.max_tokens)
                usage = _usage(attempt, bound)
                passage.fault, passage.answered = attempt.fault, attempt.fault is None
            except EndpointError:
                usage = Usage()
                raise
            finally:
                hold.settle(usage)
                passage.tokens = usage.tokens
                course.usage += usage
        return attempt

    async def _ask(self, request: Request, max_tokens: int) -> Attempt:
        """Ask as is known by now that the endpoint wants to be asked, and learn from what it says."""
        model = request.sampling.model
        dialect = self.dialects.of(model)
        attempt = await self._endpoint.attempt(dialect.arguments(request, max_tokens))
        learned = attempt.fault == REFUSED and self.dialects.learn(model, dialect, attempt.complaint)
        return replace(attempt, fault=UNSUPPORTED) if learned else attempt

    def _goes_on(self, course: _Course, fault: str) -> bool:
        if not FAULTS[fault].again or course.failed >= self._retry.attempts:
            return False
        if fault == LENGTH:
            course.max_tokens *= 2
            course.doublings += 1
            return course.doublings <= self._retry.doublings
        return True


def _usage(attempt: Attempt, bound: Bound) -> Usage:
    if attempt.usage is not None:
        return attempt.usage
    billed = attempt.fault is None or FAULTS[attempt.fault].billed
    return Usage(estimated=bound.tokens if billed else 0)


@asynccontextmanager
async def open_client(
    settings: EndpointSettings, budget: Budget | None = None, retry: Retry = PATIENT
) -> AsyncIterator[Caller]:
    """Whoever asks an endpoint, for all calls of a run, in one event loop.

    Args:
        settings: where, and how hard.
        budget: what the calls may cost; None for no limit.
        retry: how often and when failed attempts are made again.

    Raises:
        EndpointError: if `openai` is not installed, or there is no key that could be sent.
    """
    endpoint = Endpoint(settings)
    gate = Gate(
        settings.max_concurrency, Pace(settings.requests_per_minute), Pace(settings.tokens_per_minute)
    )
    try:
        yield Caller(endpoint, gate, Budget() if budget is None else budget, retry)
    finally:
        await endpoint.close()
