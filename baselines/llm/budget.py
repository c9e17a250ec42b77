"""What calls may cost, in calls, tokens and money: nothing is sent that could go beyond it."""

from __future__ import annotations

import asyncio
import json
from typing import NamedTuple

from baselines.errors import EndpointError
from baselines.llm.prices import UNLIMITED, Ceiling, Prices, Spent
from baselines.llm.requests import Request, Usage

TOKENS_OF_A_MESSAGE = 32
"""More than any chat template puts around a message."""

TOKENS_OF_A_REQUEST = 64
"""More than templates put around a conversation, for instance a sentence about the form of the reply."""


class Bound(NamedTuple):
    """Tokens that one attempt may cost, at most.

    Attributes:
        prompt: read.
        completion: written.
    """

    prompt: int
    completion: int

    @property
    def tokens(self) -> int:
        """Both."""
        return self.prompt + self.completion


def bound_of(request: Request, max_tokens: int) -> Bound:
    """The most tokens of an attempt.

    A token stands for at least one byte of text, so that bytes bound the tokens of any tokenizer without its
    tables.

    Args:
        request: what is asked.
        max_tokens: of the reply, at most.
    """
    texts = [*(message.content for message in request.messages), json.dumps(dict(request.schema))]
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    around = TOKENS_OF_A_REQUEST + TOKENS_OF_A_MESSAGE * len(request.messages)
    return Bound(size + around, max_tokens)


class Account:
    """What one ceiling is compared with.

    Attributes:
        spent: for good.
        held: for attempts under way, at most.
    """

    def __init__(self, ceiling: Ceiling) -> None:
        self._ceiling = ceiling
        self.spent, self.held = Spent(), Spent()

    def ever_holds(self, amount: Spent) -> bool:
        """Whether there is room once all attempts under way have cost nothing."""
        return self._ceiling.holds(self.spent.plus(amount))

    def holds(self, amount: Spent) -> bool:
        """Whether there is room even if all attempts under way cost the most they may."""
        return self._ceiling.holds(self.spent.plus(self.held).plus(amount))


class Hold:
    """Room for one attempt; whoever has it settles it once."""

    def __init__(self, budget: Budget, episode: int, bound: Bound) -> None:
        self._budget, self._episode, self._bound = budget, episode, bound

    def settle(self, usage: Usage) -> None:
        """Give the room back and count what the attempt has cost, or may have."""
        self._budget._settle(self._episode, self._bound, usage)


class Budget:
    """Ceilings of a run and of each of its episodes.

    Args:
        run: for all episodes together.
        episode: for each of them.
        prices: what tokens cost; needed where money has a ceiling.

    Raises:
        EndpointError: if money has a ceiling and there are no prices.
    """

    def __init__(
        self, run: Ceiling = UNLIMITED, episode: Ceiling = UNLIMITED, prices: Prices | None = None
    ) -> None:
        for ceiling in (run, episode):
            if ceiling.max_usd is not None and prices is None:
                raise EndpointError(
                    f"max_usd={ceiling.max_usd!r} without prices; expected the prices of the endpoint in US "
                    f"dollars per million tokens, for instance Prices(prompt=0.15, completion=0.6)"
                )
        self._run, self._ceiling, self._prices = Account(run), episode, prices
        self._episodes: dict[int, Account] = {}
        self._settled = asyncio.Event()

    def spent(self, episode: int | None = None) -> Spent:
        """What has been spent for good, by an episode or by the whole run."""
        return self._run.spent if episode is None else self._account(episode).spent

    def spend(self, episode: int, usage: Usage, attempts: int) -> None:
        """Count what an earlier call has cost, for instance one that a resumed run has in its transcript."""
        self._count(episode, Spent(attempts, usage.tokens, self._cost(usage)))

    def ever_holds(self, episode: int, bound: Bound) -> bool:
        """Whether there is room for an attempt, now or when others are over."""
        amount = self._most(bound)
        return all(account.ever_holds(amount) for account in self._both(episode))

    async def hold(self, episode: int, bound: Bound) -> Hold | None:
        """Room for one attempt, or None if a ceiling is reached.

        Attempts under way hold the most they may cost, which is far more than most do: where only they are in
        the way, this waits for them to be over.
        """
        amount = self._most(bound)
        while self.ever_holds(episode, bound):
            if all(account.holds(amount) for account in self._both(episode)):
                for account in self._both(episode):
                    account.held = account.held.plus(amount)
                return Hold(self, episode, bound)
            await self._settled.wait()
        return None

    def _most(self, bound: Bound) -> Spent:
        prices = self._prices
        return Spent(1, bound.tokens, prices.most(*bound) if prices else 0)

    def _settle(self, episode: int, bound: Bound, usage: Usage) -> None:
        most = self._most(bound)
        for account in self._both(episode):
            account.held = account.held.minus(most)
        # What is not known counts as held: more exact than the dearest price for all of it.
        money = most.money if usage.estimated else self._cost(usage)
        self._count(episode, Spent(1, usage.tokens, money))
        settled, self._settled = self._settled, asyncio.Event()
        settled.set()

    def _cost(self, usage: Usage) -> int:
        return self._prices.cost(usage) if self._prices else 0

    def _count(self, episode: int, amount: Spent) -> None:
        for account in self._both(episode):
            account.spent = account.spent.plus(amount)

    def _both(self, episode: int) -> tuple[Account, Account]:
        return self._run, self._account(episode)

    def _account(self, episode: int) -> Account:
        return self._episodes.setdefault(episode, Account(self._ceiling))
