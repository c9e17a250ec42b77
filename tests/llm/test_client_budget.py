"""No ceiling is ever overshot, whatever attempts meet and however many are under way."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from asking import QUICK, ask, ask_in_turn, request, serving
from hypothesis import given
from hypothesis import strategies as st

from baselines.errors import EndpointError
from baselines.llm.budget import Bound, Budget, Hold, bound_of
from baselines.llm.caller import open_client
from baselines.llm.endpoint_settings import EndpointSettings
from baselines.llm.prices import Ceiling, Prices, Spent
from baselines.llm.requests import Message, Request, Usage
from baselines.llm.scripted.faults import FaultPlan
from stmg_envs.errors import InvalidArgumentError

PRICES = Prices(prompt=0.15, completion=0.6, cached=0.075)
CEILINGS = st.builds(
    Ceiling,
    max_calls=st.none() | st.integers(1, 30),
    max_tokens=st.none() | st.integers(1, 20_000),
    max_usd=st.none() | st.floats(1e-6, 0.01),
)


@st.composite
def attempts(draw: st.DrawFn) -> tuple[int, Bound, Usage]:
    """An episode, what an attempt of it may cost, and what it costs in the end."""
    bound = Bound(draw(st.integers(1, 2000)), draw(st.integers(1, 2000)))
    if draw(st.booleans()):
        return draw(st.integers(0, 3)), bound, Usage(estimated=bound.tokens)
    read, written = draw(st.integers(0, bound.prompt)), draw(st.integers(0, bound.completion))
    return draw(st.integers(0, 3)), bound, Usage(read, draw(st.integers(0, read)), written)


def within(ceiling: Ceiling, spent: Spent) -> bool:
    limits = (ceiling.max_calls, ceiling.max_tokens, ceiling.max_usd)
    values = (spent.calls, spent.tokens, spent.usd)
    return all(limit is None or value <= limit for limit, value in zip(limits, values, strict=True))


@given(run=CEILINGS, episode=CEILINGS, asked=st.lists(attempts(), max_size=40), seed=st.integers(0, 99))
def test_no_order_of_attempts_overshoots(
    run: Ceiling, episode: Ceiling, asked: list[tuple[int, Bound, Usage]], seed: int
) -> None:
    budget, chance = Budget(run, episode, PRICES), random.Random(seed)

    async def attempt(number: int, bound: Bound, usage: Usage) -> Usage:
        hold = await budget.hold(number, bound)
        if hold is None:
            # Nothing that is under way now could have made room.
            assert not budget.ever_holds(number, bound)
            return Usage()
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        hold.settle(usage)
        assert within(run, budget.spent()) and within(episode, budget.spent(number))
        return usage

    async def together() -> list[Usage]:
        return await asyncio.wait_for(asyncio.gather(*(attempt(*each) for each in asked)), 20)

    used = asyncio.run(together())
    assert budget.spent().tokens == sum(usage.tokens for usage in used)
    assert budget.spent() == sum_of(budget.spent(number) for number in range(4))


def sum_of(parts: Any) -> Spent:
    total = Spent()
    for part in parts:
        total = total.plus(part)
    return total


def test_who_may_find_room_waits_for_those_under_way() -> None:
    async def two() -> None:
        budget, bound = Budget(Ceiling(max_tokens=100)), Bound(40, 20)
        first = await budget.hold(0, bound)
        second = asyncio.create_task(budget.hold(1, bound))
        await asyncio.sleep(0.001)
        assert isinstance(first, Hold) and not second.done()
        first.settle(Usage(10, 0, 10))
        assert isinstance(await second, Hold)
        third = asyncio.create_task(budget.hold(2, bound))
        await asyncio.sleep(0.001)
        assert not third.done()
        (await asyncio.wait_for(asyncio.shield(second), 1)).settle(Usage(estimated=60))
        assert await third is None

    asyncio.run(two())


FAULTS = {"cut_body": 0.1, "closed": 0.1, "too_many": 0.1, "no_usage": 0.1, "no_content": 0.1, "page": 0.1}


@pytest.mark.parametrize(
    ("run", "episode"),
    [
        (Ceiling(max_calls=23), Ceiling()),
        (Ceiling(), Ceiling(max_calls=3)),
        (Ceiling(max_tokens=4000), Ceiling()),
        (Ceiling(), Ceiling(max_tokens=800)),
        (Ceiling(max_usd=0.001), Ceiling(max_usd=0.0004)),
    ],
)
def test_the_server_counts_no_more_than_the_ceiling(run: Ceiling, episode: Ceiling) -> None:
    budget = Budget(run, episode, PRICES)
    requests = [request(episode=number % 10) for number in range(60)]
    with serving(FaultPlan(rates=FAULTS, seed=4), latency=0.002) as server:
        replies = ask(server, *requests, budget=budget, max_concurrency=16)
    spent = budget.spent()
    assert any(reply.failure == "budget" for reply in replies) and server.calls > 5
    assert within(run, spent) and all(within(episode, budget.spent(number)) for number in range(10))
    assert spent.calls == server.calls == sum(reply.attempts for reply in replies)
    assert spent.tokens == sum(reply.usage.tokens for reply in replies) >= server.billed_tokens
    reported = [reply.usage.prompt + reply.usage.completion for reply in replies]
    assert sum(reported) == server.prompt_tokens + server.completion_tokens


def test_calls_in_turn_use_all_that_there_is() -> None:
    with serving() as server:
        replies = ask_in_turn(server, *map(request, range(9)), budget=Budget(Ceiling(max_calls=4)))
    assert [reply.failure for reply in replies] == [None] * 4 + ["budget"] * 5
    assert [reply.attempts for reply in replies] == [1] * 4 + [0] * 5 and server.calls == 4
    assert replies[-1].text is None and replies[-1].usage == Usage()


def test_an_episode_at_its_end_does_not_stop_others() -> None:
    requests = [request(episode=number) for number in (0, 0, 1, 0, 1)]
    with serving() as server:
        replies = ask_in_turn(server, *requests, budget=Budget(episode=Ceiling(max_calls=2)))
    assert [reply.failure for reply in replies] == [None, None, None, "budget", None]


def test_what_earlier_calls_used_is_gone() -> None:
    budget = Budget(Ceiling(max_calls=5, max_usd=1.0), prices=PRICES)
    budget.spend(0, Usage(1_000_000, 400_000, 500_000, 0, 100_000), 3)
    # 600,000 fresh, 400,000 cached, 500,000 written, and 100,000 at the dearest price.
    assert budget.spent() == budget.spent(0) and budget.spent(1) == Spent()
    assert budget.spent()[:2] == (3, 1_600_000)
    assert budget.spent().usd == pytest.approx(0.09 + 0.03 + 0.3 + 0.06, abs=1e-12)
    with serving() as server:
        replies = ask_in_turn(server, *map(request, range(4)), budget=budget)
    assert [reply.failure for reply in replies] == [None, None, "budget", "budget"]


def test_lost_attempts_cost_what_was_held_for_them() -> None:
    budget = Budget(prices=PRICES)
    bound = bound_of(request(), 64)
    with serving(FaultPlan({0: "closed"})) as server:
        (reply,) = ask(server, request(), budget=budget)
    assert reply.usage.estimated == bound.tokens
    known = 0.15 * reply.usage.prompt + 0.6 * reply.usage.completion
    assert budget.spent().usd == pytest.approx((0.15 * bound.prompt + 0.6 * bound.completion + known) / 1e6)


@given(
    texts=st.lists(st.text(max_size=50), min_size=1, max_size=5),
    names=st.lists(st.text(max_size=9), max_size=4),
)
def test_bytes_bound_tokens(texts: list[str], names: list[str]) -> None:
    asked = request()
    schema = {"enum": names}
    messages = tuple(Message("user", text) for text in texts)
    made = Request(0, 0, "planner", None, messages, schema, asked.sampling)
    bound = bound_of(made, 7)
    assert bound.prompt >= sum(len(text.encode()) + 16 for text in texts) + sum(
        len(n.encode()) for n in names
    )
    assert bound.completion == 7


def test_who_may_spend_nothing_does_not_queue() -> None:
    async def two(address: str) -> None:
        budget = Budget(episode=Ceiling(max_calls=1))
        budget.spend(1, Usage(), 1)
        settings = EndpointSettings(address, max_concurrency=1)
        async with open_client(settings, budget, QUICK) as client:
            first = asyncio.create_task(client.complete(request(episode=0)))
            while not client.gate.busy:
                await asyncio.sleep(0)
            reply = await client.complete(request(episode=1))
            assert reply.failure == "budget" and not first.done()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    with serving(latency=3.0) as server:
        asyncio.run(two(server.base_url))


def test_a_refused_key_costs_a_call_and_no_tokens() -> None:
    budget = Budget()
    with serving(FaultPlan({0: "wrong_key"})) as server, pytest.raises(EndpointError, match="401"):
        ask(server, request(), budget=budget)
    assert budget.spent() == Spent(1, 0, 0)


def test_letters_of_many_bytes_may_be_as_many_tokens() -> None:
    assert bound_of(request(text="\N{HIRAGANA LETTER A}" * 1000), 1).prompt > 3000


def test_a_longer_attempt_needs_more_room() -> None:
    # Room for the first attempt, which is cut off, and not for one with twice the tokens.
    budget = Budget(Ceiling(max_tokens=bound_of(request(), 512).tokens + 600))
    with serving(FaultPlan(always=("short",))) as server:
        (reply,) = ask(server, request(max_tokens=512), budget=budget, retry=QUICK)
    assert reply.failure == "budget" and reply.faults == ("length",) and server.calls == 1
    assert reply.usage.completion == 512


def test_money_needs_prices() -> None:
    for ceilings in ({"run": Ceiling(max_usd=2.5)}, {"episode": Ceiling(max_usd=2.5)}):
        with pytest.raises(EndpointError, match=r"max_usd=2.5 without prices; expected .*Prices\("):
            Budget(**ceilings)


@pytest.mark.parametrize(
    "wrong", [{"max_calls": 0}, {"max_tokens": 1.5}, {"max_usd": 0}, {"max_usd": float("nan")}]
)
def test_ceilings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
        Ceiling(**wrong)


@pytest.mark.parametrize("wrong", [{"prompt": -1.0}, {"completion": float("inf")}, {"cached": "free"}])
def test_prices_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
        Prices(**{"prompt": 1.0, "completion": 1.0} | wrong)
