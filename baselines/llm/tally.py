"""What calls have come to, by role and by episode."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from baselines.llm.requests import Reply, Request, Usage


@dataclass
class Counts:
    """What some calls have come to.

    Attributes:
        calls: how many there were.
        attempts: how often they were sent.
        usage: their tokens.
        faults: how often attempts met each fault.
        failures: how many calls failed in the end, by what they failed with.
    """

    calls: int = 0
    attempts: int = 0
    usage: Usage = field(default_factory=Usage)
    faults: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, reply: Reply) -> None:
        """Count one more call."""
        self.calls += 1
        self.attempts += reply.attempts
        self.usage += reply.usage
        self.faults.update(reply.faults)
        self.failures.update([] if reply.failure is None else [reply.failure])

    def as_data(self) -> dict[str, Any]:
        """Plain numbers and tables, as files hold them."""
        return {
            "calls": self.calls,
            "attempts": self.attempts,
            "usage": asdict(self.usage),
            "faults": dict(sorted(self.faults.items())),
            "failures": dict(sorted(self.failures.items())),
        }


class Tally:
    """Counts of all calls.

    Attributes:
        total: of all of them.
        roles: by the role in which the model answered.
        episodes: by the episode that asked.
    """

    def __init__(self) -> None:
        self.total = Counts()
        self.roles: dict[str, Counts] = {}
        self.episodes: dict[int, Counts] = {}

    def add(self, request: Request, reply: Reply) -> None:
        """Count one more call, live or from a transcript."""
        self.total.add(reply)
        self.roles.setdefault(request.role, Counts()).add(reply)
        self.episodes.setdefault(request.episode, Counts()).add(reply)

    def as_data(self) -> dict[str, Any]:
        """Plain numbers and tables, as files hold them; episodes are named by their number."""
        return {
            "total": self.total.as_data(),
            "roles": {role: counts.as_data() for role, counts in sorted(self.roles.items())},
            "episodes": {str(number): counts.as_data() for number, counts in sorted(self.episodes.items())},
        }
