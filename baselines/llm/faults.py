"""What an attempt to get a reply can meet, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One kind of them.

    Attributes:
        meaning: what happened.
        again: whether another attempt may do better.
        billed: whether the endpoint may have read and written tokens although it reported none.
    """

    meaning: str
    again: bool
    billed: bool


RATE_LIMITED = "rate_limited"
CONFLICT = "conflict"
TIMEOUT = "timeout"
SERVER_ERROR = "server_error"
CONNECTION = "connection"
UNREACHABLE = "unreachable"
BROKEN_JSON = "broken_json"
NOT_A_COMPLETION = "not_a_completion"
ERROR_BODY = "error_body"
NO_CHOICES = "no_choices"
NO_CONTENT = "no_content"
LENGTH = "length"
UNSUPPORTED = "unsupported"
REFUSED = "refused"
BUDGET = "budget"

FAULTS: Mapping[str, Fault] = {
    RATE_LIMITED: Fault("status 429: too many requests or tokens", again=True, billed=False),
    CONFLICT: Fault("status 409", again=True, billed=False),
    TIMEOUT: Fault("no whole answer in time, or status 408 or 504", again=True, billed=True),
    SERVER_ERROR: Fault("any other status from 500", again=True, billed=False),
    CONNECTION: Fault("the connection ended within the request or the answer", again=True, billed=True),
    UNREACHABLE: Fault("no connection came about; nothing was sent", again=True, billed=False),
    BROKEN_JSON: Fault("the answer is broken JSON", again=True, billed=True),
    NOT_A_COMPLETION: Fault("the answer is something else, for instance a page", again=True, billed=True),
    ERROR_BODY: Fault("the answer says that it succeeded, and holds no choices", again=True, billed=True),
    NO_CHOICES: Fault("the answer holds an empty list of choices", again=True, billed=True),
    NO_CONTENT: Fault("the first choice holds no text", again=True, billed=True),
    LENGTH: Fault("the text was cut off at the most tokens it may have", again=True, billed=True),
    UNSUPPORTED: Fault("the endpoint does not know a part of the request", again=True, billed=False),
    REFUSED: Fault(
        "the endpoint does not take this request, for instance too long", again=False, billed=False
    ),
    BUDGET: Fault("a ceiling is reached; nothing was sent", again=False, billed=False),
}
"""All of them by name. What a text says, and whether it is a legal action, is no matter of these."""

STATUSES: Mapping[int, str] = {408: TIMEOUT, 409: CONFLICT, 429: RATE_LIMITED, 504: TIMEOUT}
"""Statuses with a name of their own."""


def fault_of_status(status: int) -> str:
    """The name of the fault that an HTTP status other than 200 means."""
    return STATUSES.get(status, SERVER_ERROR if status >= 500 else REFUSED)
