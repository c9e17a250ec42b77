"""What a scripted endpoint does wrong, and when: a test of the protocol, in which no model takes part."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from stmg_envs.errors import InvalidArgumentError, UnknownNameError, suggestion

Data = dict[str, Any]
Ending = Literal["whole", "cut", "drip", "nothing", "never"]


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    Attributes:
        body: its bytes.
        status: of HTTP.
        headers: besides the length.
        ending: whether the body is sent whole, is cut off in its middle, comes byte after byte ("drip"), or
            nothing is sent at all and the connection closes at once ("nothing") or with the server ("never").
        billed: whether an endpoint would charge for it.
    """

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    ending: Ending = "whole"
    billed: bool = True


@dataclass(frozen=True)
class Exchange:
    """What is answered wrongly.

    Attributes:
        asked: the body of the request.
        authorization: its header, or "".
        completion: the right answer, with usage.
    """

    asked: Data
    authorization: str
    completion: Data


Fault = Callable[[Exchange], "Answer | None"]
"""The wrong answer, or None where this request gets the right one."""


def whole(data: object) -> Answer:
    """Data as an answer."""
    return Answer(json.dumps(data).encode())


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None, **error: Any) -> Answer:
    """An answer that refuses, in OpenAI's form; nobody charges for it."""
    named = {"message": message, "type": "scripted", "param": None, "code": None} | error
    answer = whole({"error": named})
    return replace(answer, status=status, headers={**answer.headers, **(headers or {})}, billed=False)


def refuses(status: int, message: str, headers: Mapping[str, str] | None = None, **error: Any) -> Fault:
    """A fault that refuses every request."""
    return lambda exchange: refusal(status, message, headers, **error)


def ends(ending: Ending) -> Fault:
    """A fault that does not send the right answer to its end."""
    return lambda exchange: replace(whole(exchange.completion), ending=ending)


def changes(**parts: Any) -> Fault:
    """A fault that changes parts of the right answer."""
    return lambda exchange: whole(exchange.completion | parts)


def changes_choice(**parts: Any) -> Fault:
    """A fault that changes parts of the right answer's only choice."""
    return lambda exchange: whole(
        exchange.completion | {"choices": [exchange.completion["choices"][0] | parts]}
    )


def short_below(tokens: int) -> Fault:
    """A fault that cuts off replies that may not have so many tokens, and counts all that they may have."""

    def cut(exchange: Exchange) -> Answer | None:
        limit = most_tokens(exchange.asked)
        if limit is None or limit >= tokens:
            return None
        usage = exchange.completion["usage"]
        usage = usage | {"completion_tokens": limit, "total_tokens": usage["prompt_tokens"] + limit}
        answered = changes_choice(finish_reason="length")
        return answered(replace(exchange, completion=exchange.completion | {"usage": usage}))

    return cut


def does_not_know(*formats: str) -> Fault:
    """A fault that refuses forms of the reply ("json_schema", "json_object")."""

    def refuse(exchange: Exchange) -> Answer | None:
        form = exchange.asked.get("response_format", {}).get("type")
        if form not in formats:
            return None
        return refusal(400, f"'response_format.type' {form!r} is not supported", param="response_format")

    return refuse


def does_not_take(name: str, instead: str = "") -> Fault:
    """A fault that refuses requests with an argument."""

    def refuse(exchange: Exchange) -> Answer | None:
        if name not in exchange.asked:
            return None
        message = f"Unsupported parameter: {name!r} is not supported with this model. {instead}"
        return refusal(400, message, param=name, code="unsupported_parameter")

    return refuse


def repeats_key(status: int) -> Fault:
    """A fault that refuses the key and shows it."""
    return lambda exchange: refusal(status, f"Incorrect API key provided: {exchange.authorization}")


def most_tokens(asked: Data) -> int | None:
    """The most tokens that a request wants of its reply, or None if it does not say."""
    return asked.get("max_tokens", asked.get("max_completion_tokens"))


PAGE = b"<!doctype html><title>Sign in</title><p>Please sign in to this network."

FAULTS: Mapping[str, Fault] = {
    "too_many": refuses(429, "Too many requests"),
    "too_many_wait": refuses(429, "Too many requests", {"Retry-After": "0.02"}),
    "conflict": refuses(409, "Conflict"),
    "request_timeout": refuses(408, "Request timeout"),
    "internal_error": refuses(500, "Internal error"),
    "unavailable": refuses(503, "Overloaded"),
    "gateway_timeout": refuses(504, "Upstream took too long"),
    "hang": ends("never"),
    "drip": ends("drip"),
    "cut_body": ends("cut"),
    "closed": ends("nothing"),
    "broken_json": lambda exchange: replace(
        whole(exchange.completion), body=json.dumps(exchange.completion).encode()[:-9]
    ),
    "page": lambda exchange: Answer(PAGE, headers={"Content-Type": "text/html"}),
    "error_body": lambda exchange: whole({"error": {"message": "upstream failed", "code": 502}}),
    "no_choices": changes(choices=[]),
    "no_content": changes_choice(message={"role": "assistant", "content": None}),
    "no_usage": changes(usage=None),
    "short": short_below(2048),
    "no_json_schema": does_not_know("json_schema"),
    "no_response_format": does_not_know("json_schema", "json_object"),
    "no_max_tokens": does_not_take("max_tokens", "Use 'max_completion_tokens' instead."),
    "no_temperature": does_not_take("temperature", "Only the default (1) value is supported."),
    "no_seed": does_not_take("seed"),
    "context_overflow": refuses(
        400,
        "This model's maximum context length is 2048 tokens. However, you requested 4096 tokens. Please "
        "reduce the length of the messages or max_tokens.",
        param="messages",
        code="context_length_exceeded",
    ),
    "wrong_key": repeats_key(401),
    "forbidden_key": repeats_key(403),
    "no_credit": refuses(429, "You exceeded your current quota", code="insufficient_quota"),
    "no_model": refuses(404, "The model does not exist"),
}
"""All of them by name."""


@dataclass(frozen=True)
class FaultPlan:
    """When something goes wrong. What a call meets depends on its number alone, not on when it comes.

    Attributes:
        by_call: number of a call, from 0 -> its fault.
        rates: fault -> with what probability a call without one of `by_call` meets it.
        always: what the endpoint never can; the first that matters to a call is what it meets.
        seed: of the chance.

    Raises:
        UnknownNameError: if there is no such fault.
        InvalidArgumentError: if the probabilities are none.
    """

    by_call: Mapping[int, str] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (*self.by_call.values(), *self.rates, *self.always):
            if name not in FAULTS:
                raise UnknownNameError(f"fault {name!r} is unknown; {suggestion(name, FAULTS)}")
        if min(self.rates.values(), default=0.0) < 0 or sum(self.rates.values()) > 1:
            raise InvalidArgumentError(
                f"rates={dict(self.rates)} are no probabilities; expected none below 0 and a sum up to 1"
            )

    def of(self, number: int) -> tuple[str, ...]:
        """What a call may meet, the first that matters to it."""
        chosen = self.by_call.get(number)
        if chosen is None and self.rates:
            names = [*self.rates, None]
            rest = max(0.0, 1 - sum(self.rates.values()))
            chance = random.Random(f"{self.seed} {number}")
            chosen = chance.choices(names, [*self.rates.values(), rest])[0]
        return self.always if chosen is None else (*self.always, chosen)


NO_FAULTS = FaultPlan()
"""Everything goes right."""
