"""What tokens cost, and the most that may be spent."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from baselines.llm.requests import Usage
from stmg_envs.arguments import require_count, require_number, require_positive
from stmg_envs.errors import InvalidArgumentError

PICO = 10**12
"""Amounts of money are whole numbers of 1e-12 US dollars: sums and differences of them are exact."""


@dataclass(frozen=True)
class Prices:
    """What an endpoint charges, in US dollars per million tokens.

    Attributes:
        prompt: of tokens read.
        completion: of tokens written.
        cached: of tokens that it had read before; None if they cost as much as others.

    Raises:
        InvalidArgumentError: if a price is negative or no number.
    """

    prompt: float
    completion: float
    cached: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            price = getattr(self, field.name)
            if price is None and field.name == "cached":
                continue
            require_number(f"price of {field.name} tokens", price)
            if price < 0:
                raise InvalidArgumentError(
                    f"price of {field.name} tokens={price!r} is negative; expected US dollars per million, "
                    f"for instance 0.15"
                )

    def cost(self, usage: Usage) -> int:
        """What tokens cost, in 1e-12 US dollars; an estimated token counts as the dearest."""
        prompt, cached, completion = self._of_a_token()
        read = prompt * (usage.prompt - usage.cached) + cached * usage.cached
        return read + completion * usage.completion + max(prompt, cached, completion) * usage.estimated

    def most(self, prompt: int, completion: int) -> int:
        """What that many tokens cost at most, in 1e-12 US dollars, whatever the endpoint has read before."""
        of_prompt, of_cached, of_completion = self._of_a_token()
        return max(of_prompt, of_cached) * prompt + of_completion * completion

    def _of_a_token(self) -> tuple[int, int, int]:
        cached = self.prompt if self.cached is None else self.cached
        # The price of a million in millionths is that of one token in PICO.
        return round(self.prompt * 1e6), round(cached * 1e6), round(self.completion * 1e6)


class Spent(NamedTuple):
    """An amount of what has a ceiling.

    Attributes:
        calls: requests sent, every attempt counted.
        tokens: read and written.
        money: in 1e-12 US dollars; 0 where there are no prices.
    """

    calls: int = 0
    tokens: int = 0
    money: int = 0

    @property
    def usd(self) -> float:
        """The money in US dollars."""
        return self.money / PICO

    def plus(self, other: Spent) -> Spent:
        """The sum of both."""
        return Spent(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: Spent) -> Spent:
        """The difference of both."""
        return Spent(*(a - b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Ceiling:
    """The most that may be spent; None for no limit.

    Attributes:
        max_calls: requests sent, every attempt counted.
        max_tokens: read and written.
        max_usd: US dollars.

    Raises:
        InvalidArgumentError: if a number is out of range.
    """

    max_calls: int | None = None
    max_tokens: int | None = None
    max_usd: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_calls", "max_tokens"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name), 1)
        if self.max_usd is not None:
            require_positive(max_usd=self.max_usd)

    def holds(self, spent: Spent) -> bool:
        """Whether that much may be spent."""
        money = None if self.max_usd is None else round(self.max_usd * PICO)
        limits = (self.max_calls, self.max_tokens, money)
        return all(limit is None or value <= limit for limit, value in zip(limits, spent, strict=True))


UNLIMITED = Ceiling()
"""No limit."""
