"""How an endpoint wants to be asked, learned from what it refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from baselines.llm.requests import Request

FORMS = ("json_schema", "json_object", "prompt")
"""How the reply's form is asked for, the strictest first; the last leaves it to the prompt."""

LIMITS = ("max_tokens", "max_completion_tokens")
"""What the most tokens of a reply are called; reasoning models of OpenAI only know the second."""

FORM_WORDS = ("response_format", "json_schema", "json_object", "schema")

# A request that is too long names max_tokens as well; only these words say that a name itself is the matter.
UNKNOWN = re.compile(
    r"unsupported|not supported|(?:not|n't) support|unknown|unrecogni[sz]ed|unexpected|deprecated|forbidden"
    r"|not permitted|not allowed|invalid[ _]parameter|not a valid parameter",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Complaint:
    """What an endpoint said as it refused a request.

    Attributes:
        message: its words.
        code: its name for what is wrong, or "".
        param: the part of the request that it names, or "".
    """

    message: str = ""
    code: str = ""
    param: str = ""

    def names(self, *words: str) -> bool:
        """Whether one of the words is what it complains about."""
        said = f"{self.param} {self.message}"
        return any(re.search(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", said) for word in words)

    @property
    def of_the_unknown(self) -> bool:
        """Whether it says that something is not known, rather than too large or too long."""
        return bool(UNKNOWN.search(f"{self.code} {self.message}"))


@dataclass(frozen=True)
class Dialect:
    """How a request is put.

    Attributes:
        form: one of FORMS.
        limit: one of LIMITS.
        limits_left: names for the most tokens that have not been tried yet.
        temperature: whether one is asked for.
        seed: whether one is asked for.
    """

    form: str = FORMS[0]
    limit: str = LIMITS[0]
    limits_left: tuple[str, ...] = LIMITS[1:]
    temperature: bool = True
    seed: bool = True

    def after(self, complaint: Complaint) -> Dialect | None:
        """How to ask instead, or None if the complaint is of nothing that can be put otherwise.

        Every step gives something up for good, so that there are at most five.
        """
        if complaint.names(*FORM_WORDS) and self.form != FORMS[-1]:
            return replace(self, form=FORMS[FORMS.index(self.form) + 1])
        if not complaint.of_the_unknown:
            return None
        if complaint.names(self.limit) and self.limits_left:
            return replace(self, limit=self.limits_left[0], limits_left=self.limits_left[1:])
        for name in ("temperature", "seed"):
            if complaint.names(name) and getattr(self, name):
                return replace(
                    self,
                    temperature=name != "temperature" and self.temperature,
                    seed=name != "seed" and self.seed,
                )
        return None

    def arguments(self, request: Request, max_tokens: int) -> dict[str, Any]:
        """The request as arguments of a chat completion, with at most `max_tokens` of a reply."""
        sampling = request.sampling
        asked: dict[str, Any] = {
            "model": sampling.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            self.limit: max_tokens,
        }
        if self.temperature:
            asked["temperature"] = sampling.temperature
        if self.seed and sampling.seed is not None:
            asked["seed"] = sampling.seed
        return asked | _response_format(self.form, request.schema)


def _response_format(form: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": "reply", "schema": dict(schema), "strict": True}
    formats: dict[str, dict[str, Any]] = {
        "json_schema": {"response_format": {"type": "json_schema", "json_schema": named}},
        "json_object": {"response_format": {"type": "json_object"}},
        "prompt": {},
    }
    return formats[form]


class Dialects:
    """What has been learned of each model of an endpoint."""

    def __init__(self) -> None:
        self._known: dict[str, Dialect] = {}

    def of(self, model: str) -> Dialect:
        """How the model is asked now."""
        return self._known.get(model, Dialect())

    def learn(self, model: str, sent: Dialect, complaint: Complaint) -> bool:
        """Take what was said of a request; whether the next one is put otherwise.

        Calls that were under way together all hear the same complaint: only the first changes what is known.
        """
        if self.of(model) != sent:
            return True
        better = sent.after(complaint)
        if better is not None:
            self._known[model] = better
        return better is not None
