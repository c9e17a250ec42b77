"""Where a language model is asked, and how hard."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from baselines.errors import ConfigError
from stmg_envs.arguments import require_count, require_positive

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class EndpointSettings:
    """An endpoint that speaks OpenAI's protocol of chat completions.

    Attributes:
        base_url: its address without `/chat/completions`, for instance `http://127.0.0.1:8080/v1`.
        key_env: the environment variable that holds its key; the key itself is never an argument.
        timeout: seconds after which an attempt without a whole answer ends.
        max_concurrency: attempts under way at once, at most, of all episodes and agents together.
        requests_per_minute: attempts begun within any minute, at most; None for no limit.
        tokens_per_minute: tokens of the attempts begun within any minute, at most; None for no limit.

    Raises:
        ConfigError: if the address or the variable's name is none.
        InvalidArgumentError: if a number is out of range.
    """

    base_url: str = OPENAI_URL
    key_env: str = "OPENAI_API_KEY"
    timeout: float = 120.0
    max_concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def __post_init__(self) -> None:
        _check_url(self.base_url)
        # A key that somebody gave for the name would have small letters; it must not be shown.
        if not isinstance(self.key_env, str) or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.key_env):
            raise ConfigError(
                "key_env is no name of an environment variable (not shown, for it may be a key); expected "
                "capital letters, digits and _, for instance 'OPENAI_API_KEY'"
            )
        require_positive(timeout=self.timeout)
        require_count("max_concurrency", self.max_concurrency, 1)
        for name in ("requests_per_minute", "tokens_per_minute"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name), 1)

    @property
    def host(self) -> str:
        """The host's name in the address."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine, by a loopback address."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def _check_url(url: object) -> None:
    parts = urlsplit("")
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
    if not _is_address(parts):
        # What may be a secret in it is not shown.
        shown = repr(f"{parts.scheme}://{parts.hostname}" if parts.hostname else parts.scheme or "")
        raise ConfigError(
            f"base_url of {shown} is no address of an endpoint; expected http or https, a host, perhaps a "
            f"port and a path, and no user, password, query or fragment, for instance {OPENAI_URL!r}"
        )


def _is_address(parts: SplitResult) -> bool:
    try:
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and bool(parts.hostname) and port_is_fine
    clean = parts.username is None and parts.password is None and not parts.query and not parts.fragment
    return known and clean and not re.search(r"[\s\x00-\x1f]", parts.geturl())
