"""What the body of a successful answer says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baselines.llm.faults import ERROR_BODY, LENGTH, NO_CHOICES, NO_CONTENT, NOT_A_COMPLETION
from baselines.llm.requests import Usage

MOST_TOKENS = 2**40
"""What is said to be more is no number of tokens; sums of those below it are exact in any format."""


@dataclass(frozen=True)
class Content:
    """What a completion holds.

    Attributes:
        text: the reply, or None if there is none.
        fault: why there is none, a name of `baselines.llm.faults`, or None.
        usage: its tokens, or None where they are not reported.
        fingerprint: of the system that answered, where it tells one.
    """

    text: str | None
    fault: str | None
    usage: Usage | None = None
    fingerprint: str | None = None


def read_completion(completion: Any) -> Content:
    """Read a completion as `openai` gives it, which has not been validated: any part may be anything.

    Args:
        completion: an instance of `openai.types.chat.ChatCompletion`, or whatever came instead.
    """
    if not hasattr(completion, "choices"):
        return Content(None, NOT_A_COMPLETION)
    text, fault = _first_choice(completion.choices)
    fingerprint = getattr(completion, "system_fingerprint", None)
    usage = _usage(getattr(completion, "usage", None))
    return Content(text, fault, usage, _encodable(fingerprint) if isinstance(fingerprint, str) else None)


def _first_choice(choices: Any) -> tuple[str | None, str | None]:
    if choices is None:
        return None, ERROR_BODY
    if not isinstance(choices, list):
        return None, NOT_A_COMPLETION
    if not choices:
        return None, NO_CHOICES
    # A reply may be cut off before its first word, by reasoning that is not shown.
    if getattr(choices[0], "finish_reason", None) == "length":
        return None, LENGTH
    text = getattr(getattr(choices[0], "message", None), "content", None)
    if not isinstance(text, str):
        return None, NO_CONTENT
    return _encodable(text), None


def _encodable(text: str) -> str:
    """Text without halves of surrogate pairs, which JSON can name but no file can hold."""
    return text.encode(errors="replace").decode()


def _usage(reported: Any) -> Usage | None:
    prompt, completion = _count(reported, "prompt_tokens"), _count(reported, "completion_tokens")
    # No prompt has no tokens: who reports none does not count.
    if not prompt or completion is None:
        return None
    cached = _count(getattr(reported, "prompt_tokens_details", None), "cached_tokens") or 0
    reasoning = _count(getattr(reported, "completion_tokens_details", None), "reasoning_tokens") or 0
    return Usage(prompt, min(cached, prompt), completion, min(reasoning, completion))


def _count(holder: Any, name: str) -> int | None:
    value = getattr(holder, name, None)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return value if is_count else None
