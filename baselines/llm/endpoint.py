"""One attempt to get a reply from an endpoint, through the package `openai`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from baselines.errors import EndpointError
from baselines.llm.completion import read_completion
from baselines.llm.dialect import Complaint
from baselines.llm.endpoint_settings import EndpointSettings
from baselines.llm.faults import (
    BROKEN_JSON,
    CONNECTION,
    NOT_A_COMPLETION,
    TIMEOUT,
    UNREACHABLE,
    fault_of_status,
)
from baselines.llm.requests import Usage
from baselines.llm.retry import retry_after

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

PLACEHOLDER = "none"
"""What endpoints on this machine get for a key where there is none."""

COMPLAINT_LENGTH = 500
"""Characters of an endpoint's words that are kept."""

HOPELESS: Mapping[int, str] = {
    401: "refuses the key",
    402: "wants to be paid for the account of the key",
    403: "does not let the key do this",
    404: "knows no such address or no such model",
}
"""Statuses after which nobody can ever answer."""

SPENT = "insufficient_quota"
"""What OpenAI calls an account without credit, by the status 429: no wait mends that."""


@dataclass(frozen=True)
class Attempt:
    """What came of asking once.

    Attributes:
        text: the reply, or None if there is none.
        fault: why there is none, a name of `baselines.llm.faults`, or None.
        usage: its tokens, or None where they are not reported.
        fingerprint: of the system that answered, where it tells one.
        retry_after: seconds that the endpoint asks to wait, or None.
        complaint: what it said as it refused.
    """

    text: str | None = None
    fault: str | None = None
    usage: Usage | None = None
    fingerprint: str | None = None
    retry_after: float | None = None
    complaint: Complaint = field(default_factory=Complaint)


class Endpoint:
    """An endpoint with its key, for one event loop.

    Args:
        settings: where it is.

    Raises:
        EndpointError: if `openai` is not installed, or there is no key that could be sent.
    """

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._key = _key(settings)
        self._client = _client(settings, self._key)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def unreachable(self) -> EndpointError:
        """The error of an endpoint to which no connection comes about, however often it is tried."""
        return EndpointError(
            f"{self._settings.base_url} cannot be reached; expected an endpoint that listens there: start "
            "it, look at the network, or change base_url"
        )

    async def attempt(self, arguments: Mapping[str, Any]) -> Attempt:
        """Ask once.

        Args:
            arguments: of a chat completion, as `Dialect.arguments` makes them.

        Raises:
            EndpointError: if nobody can ever answer, as the status 401, 402, 403 or 404 says.
        """
        refusal, attempt = await self._ask(arguments)
        # Raised here, where no exception is being handled that would go along: its words may hold the key.
        if refusal is not None:
            self._give_up(refusal, arguments["model"])
        return attempt

    async def _ask(self, arguments: Mapping[str, Any]) -> tuple[str | None, Attempt]:
        import httpx2
        import openai

        try:
            # The timeout of `openai` is that of a silence; an answer that trickles would never end.
            async with asyncio.timeout(self._settings.timeout):
                completion = await self._client.chat.completions.create(**arguments)
        except openai.APIStatusError as error:
            complaint = self._complaint(error)
            reason = HOPELESS.get(402 if complaint.code == SPENT else error.status_code)
            if reason is not None:
                return f"{reason} (status {error.status_code}; it says: {complaint.message!r})", Attempt()
            fault = fault_of_status(error.status_code)
            return None, Attempt(
                fault=fault, retry_after=retry_after(error.response.headers), complaint=complaint
            )
        except TimeoutError:
            return None, Attempt(fault=TIMEOUT)
        except openai.APIConnectionError as error:
            # Where no connection came about, nothing was sent.
            unsent = isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)
            if unsent:
                return None, Attempt(fault=UNREACHABLE)
            return None, Attempt(fault=TIMEOUT if isinstance(error, openai.APITimeoutError) else CONNECTION)
        except openai.OpenAIError:
            return None, Attempt(fault=NOT_A_COMPLETION)
        except (ValueError, RecursionError):
            # What `openai` lets through of the decoder of JSON: broken, no UTF-8, or nested too deeply.
            return None, Attempt(fault=BROKEN_JSON)
        content = read_completion(completion)
        text, fingerprint = (
            None if words is None else self._without_key(words)
            for words in (content.text, content.fingerprint)
        )
        return None, Attempt(text, content.fault, content.usage, fingerprint)

    def _complaint(self, error: APIStatusError) -> Complaint:
        body = error.body if isinstance(error.body, Mapping) else {}
        message = body.get("message", error.message)
        return Complaint(*(self._shown(part) for part in (message, body.get("code"), body.get("param"))))

    def _shown(self, words: object) -> str:
        return self._without_key("" if words is None else str(words))[:COMPLAINT_LENGTH]

    def _without_key(self, text: str) -> str:
        # Endpoints repeat the key that they refuse, and a model may be told it.
        return text if self._key == PLACEHOLDER else text.replace(self._key, "[key]")

    def _give_up(self, refusal: str, model: str) -> NoReturn:
        settings = self._settings
        raise EndpointError(
            f"{settings.base_url} {refusal}, asked for model {model!r} with the key from "
            f"{settings.key_env}; expected a base_url that ends before "
            f"/chat/completions, a model that it lists under /models and a key that is valid there: set "
            f"{settings.key_env} or change base_url or the model"
        )


def _key(settings: EndpointSettings) -> str:
    key = os.environ.get(settings.key_env, "").strip()
    if not key and not settings.is_local:
        raise EndpointError(
            f"environment variable {settings.key_env} holds no key for {settings.base_url}; expected one: "
            f"set it, name another variable with key_env, or ask an endpoint on this machine without one"
        )
    # A header takes nothing else, and the error that it would raise shows the key.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EndpointError(
            f"the key in the environment variable {settings.key_env} has characters that cannot be sent (not "
            f"shown here); expected printable ASCII without spaces: set it again"
        )
    return key or PLACEHOLDER


def _client(settings: EndpointSettings, key: str) -> AsyncOpenAI:
    try:
        import openai
    except ImportError:
        raise EndpointError(
            "the package openai is not installed, and language models are asked through it; expected "
            "openai>=3.50: pip install 'stmg[llm]'"
        ) from None
    # What goes to this machine stays on it: no proxy that the environment names and no redirect to elsewhere.
    # So it needs no certificates, which take longer to read than many an answer.
    away = not settings.is_local
    http = openai.DefaultAsyncHttpxClient(
        trust_env=away, follow_redirects=away, verify=away, timeout=settings.timeout
    )
    return openai.AsyncOpenAI(
        api_key=key, base_url=settings.base_url, timeout=settings.timeout, max_retries=0, http_client=http
    )
