"""What is asked of a language model, and what comes of asking."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

Speaker = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: who speaks.
        content: what is said.
    """

    role: Speaker
    content: str


@dataclass(frozen=True)
class Sampling:
    """Which model answers, and how.

    Attributes:
        model: its name at the endpoint.
        temperature: 0 takes the likeliest token, which at most endpoints is still not deterministic.
        seed: asked of endpoints that take one; None asks for none.
        max_tokens: of a reply, at most, hidden reasoning included.
    """

    model: str
    temperature: float = 0.0
    seed: int | None = 0
    max_tokens: int = 1024


@dataclass(frozen=True)
class Request:
    """One question.

    Attributes:
        episode: which episode asks, from 0.
        timestep: in which of its timesteps, from 0.
        role: as whom the model answers, for instance "assessor" or "actor".
        agent: for which agent, or None if for all.
        messages: the conversation so far, its last message from the user.
        schema: the JSON schema of the reply.
        sampling: which model, and how.
    """

    episode: int
    timestep: int
    role: str
    agent: str | None
    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    sampling: Sampling

    @property
    def asked(self) -> dict[str, Any]:
        """What the model gets to see: conversation, schema and sampling."""
        return {
            "messages": [asdict(message) for message in self.messages],
            "schema": self.schema,
            "sampling": asdict(self.sampling),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of what the model gets to see, in hexadecimal."""
        text = json.dumps(self.asked, ensure_ascii=False, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, with all its attempts.

    Attributes:
        prompt: tokens read.
        cached: those of them that the endpoint had read before.
        completion: tokens written, hidden reasoning included.
        reasoning: those of them that are hidden reasoning.
        estimated: tokens of attempts for which the endpoint reported no usage, at most; not in the others.
    """

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0
    estimated: int = 0

    @property
    def tokens(self) -> int:
        """All tokens, read and written."""
        return self.prompt + self.completion + self.estimated

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


@dataclass(frozen=True)
class Reply:
    """What came of a call.

    Attributes:
        text: what the model said, or None if the call failed.
        failure: what it failed with in the end, a name of `baselines.llm.faults`, or None.
        usage: its tokens.
        attempts: how often it was sent, at least 1 but where the budget was at its end.
        faults: what each unsuccessful attempt met, names of `baselines.llm.faults`, in order.
        fingerprint: of the system that answered, where it tells one.
        seconds: from asking to the end of the last attempt.
    """

    text: str | None
    failure: str | None = None
    usage: Usage = Usage()
    attempts: int = 1
    faults: tuple[str, ...] = ()
    fingerprint: str | None = None
    seconds: float = 0.0

    def after(self, earlier: Reply) -> Reply:
        """This reply with what an earlier call for it has cost, which came to an end without an answer."""
        return replace(
            self,
            usage=earlier.usage + self.usage,
            attempts=earlier.attempts + self.attempts,
            faults=earlier.faults + self.faults,
            seconds=earlier.seconds + self.seconds,
        )


class Client(Protocol):
    """Whoever answers: an endpoint, a transcript, a script."""

    async def complete(self, request: Request) -> Reply:
        """The reply to a request; a call that fails is a reply that says so.

        Raises:
            EndpointError: if nobody can ever answer, for instance because the key is wrong.
        """
        ...
