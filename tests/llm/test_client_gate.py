"""How many attempts are under way at once, and how much begins within a minute."""

from __future__ import annotations

import asyncio

import pytest
from asking import ask, request, serving

from baselines.llm.faults import RATE_LIMITED
from baselines.llm.gate import Gate
from baselines.llm.pace import Entry, Pace
from baselines.llm.retry import Retry
from baselines.llm.scripted.faults import FaultPlan


def test_as_many_calls_are_under_way_as_may_be() -> None:
    with serving(latency=0.05) as server:
        replies = ask(server, *map(request, range(50)), max_concurrency=10)
    assert server.peak == 10 and server.calls == 50
    assert all(reply.failure is None for reply in replies)


def test_replies_belong_to_their_requests_whatever_comes_first() -> None:
    with serving(latency=lambda number: 0.03 * (number % 3 == 0)) as server:
        server._respond = lambda body: body["messages"][-1]["content"]
        replies = ask(server, *(request(text=f"number {k}") for k in range(20)))
    assert [reply.text for reply in replies] == [f"number {k}" for k in range(20)]


def test_the_gate_narrows_where_there_are_too_many() -> None:
    widths = []
    with serving(FaultPlan(rates={"too_many": 1.0})) as server:
        ask(
            server,
            request(),
            max_concurrency=8,
            retry=Retry(attempts=3, first=0.001),
            seen=lambda client: widths.append(client.gate.width),
        )
    assert widths == [1]


async def pass_through(gate: Gate, *faults: str | None) -> list[int]:
    """The width after each attempt, one after the other."""
    widths = []
    for fault in faults:
        async with gate.passage(1) as passage:
            passage.fault, passage.answered = fault, fault is None
        widths.append(gate.width)
    return widths


def test_the_gate_halves_and_grows_by_one_after_as_many_successes_as_it_is_wide() -> None:
    gate = Gate(8)
    assert asyncio.run(pass_through(gate, *[RATE_LIMITED] * 5)) == [4, 2, 1, 1, 1]
    assert asyncio.run(pass_through(gate, *[None] * 6)) == [2, 2, 3, 3, 3, 4]
    # Other faults are no successes, and say nothing of how many there are.
    assert asyncio.run(pass_through(gate, None, None, None, "timeout", None)) == [4, 4, 4, 4, 5]
    assert asyncio.run(pass_through(gate, None, RATE_LIMITED)) == [5, 2]
    assert asyncio.run(pass_through(gate, *[None] * 40))[-1] == 8


def test_attempts_under_way_together_narrow_the_gate_once() -> None:
    async def together() -> list[int]:
        gate, widths = Gate(8), []

        async def fail() -> None:
            async with gate.passage(1) as passage:
                await asyncio.sleep(0.01)
                passage.fault = RATE_LIMITED
            widths.append(gate.width)

        await asyncio.gather(*(fail() for _ in range(8)))
        await fail()
        return widths

    assert asyncio.run(together()) == [4] * 8 + [2]


def test_a_narrowed_gate_lets_no_more_through() -> None:
    async def count() -> int:
        gate, busy, most = Gate(8), 0, 0
        await pass_through(gate, RATE_LIMITED)

        async def attempt() -> None:
            nonlocal busy, most
            async with gate.passage(1):
                busy += 1
                most = max(most, busy)
                await asyncio.sleep(0.001)
                busy -= 1

        async with asyncio.timeout(10):
            await asyncio.gather(*(attempt() for _ in range(20)))
        return most

    assert asyncio.run(count()) == 4


def test_attempts_begin_in_the_order_of_asking() -> None:
    async def order() -> list[int]:
        gate, begun = Gate(3), []

        async def attempt(number: int) -> None:
            async with gate.passage(1):
                begun.append(number)
                await asyncio.sleep(0.001 * (number % 4))

        await asyncio.gather(*(attempt(number) for number in range(30)))
        return begun

    assert asyncio.run(order()) == list(range(30))


def test_whoever_gives_up_waiting_leaves_the_gate_to_the_others() -> None:
    async def give_up() -> None:
        gate = Gate(1)

        async def attempt() -> None:
            async with gate.passage(1):
                await asyncio.sleep(0.01)

        calls = [asyncio.create_task(attempt()) for _ in range(6)]
        await asyncio.sleep(0.001)
        for call in (calls[0], calls[1], calls[3]):
            call.cancel()
        await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 2)
        assert gate.busy == 0 and [call.cancelled() for call in calls] == [
            True,
            True,
            False,
            True,
            False,
            False,
        ]

    asyncio.run(give_up())


@pytest.mark.parametrize(("limit", "amount", "each"), [(4, 1, 4), (10, 3, 3), (2, 5, 1)])
def test_no_period_has_more_than_the_limit(limit: int, amount: int, each: int) -> None:
    period = 0.05

    async def enter() -> list[float]:
        pace = Pace(limit, period)
        return [(await pace.enter(amount)).time for _ in range(3 * each)]

    times = asyncio.run(enter())
    assert all(later - earlier >= period for earlier, later in zip(times, times[each:], strict=False))
    # They wait no longer than they have to: those that have room enter at once.
    assert times[each - 1] - times[0] < period


def test_amounts_leave_only_after_the_whole_period() -> None:
    period = 0.1

    async def enter() -> list[float]:
        pace, times = Pace(2, period), []
        for _ in range(5):
            times.append((await pace.enter(1)).time)
            await asyncio.sleep(0.3 * period)
        return times

    times = asyncio.run(enter())
    assert all(later - earlier >= period for earlier, later in zip(times, times[2:], strict=False))


class Recorded(Pace):
    """A pace that keeps what was entered."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, period=0.05)
        self.entered: list[Entry] = []

    async def enter(self, amount: int) -> Entry:
        self.entered.append(await super().enter(amount))
        return self.entered[-1]


def test_attempts_keep_the_pace() -> None:
    async def begin(gate: Gate) -> None:
        async def attempt() -> None:
            async with gate.passage(3):
                pass

        await asyncio.gather(*(attempt() for _ in range(8)))

    for pace, gate, each, amount in (
        (requests := Recorded(2), Gate(8, requests=requests), 2, 1),
        (tokens := Recorded(10), Gate(8, tokens=tokens), 3, 3),
    ):
        asyncio.run(begin(gate))
        assert [entry.amount for entry in pace.entered] == [amount] * 8
        times = [entry.time for entry in pace.entered]
        assert all(later - earlier >= 0.05 for earlier, later in zip(times, times[each:], strict=False))


def test_an_amount_that_turns_out_smaller_makes_room_at_once() -> None:
    async def enter() -> None:
        pace = Pace(10, 60.0)
        entry = await pace.enter(8)
        waiting = asyncio.create_task(pace.enter(6))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        pace.correct(entry, 4)
        await asyncio.wait_for(waiting, 2)

    asyncio.run(enter())


def test_tokens_of_a_minute_are_those_that_were_used() -> None:
    with serving() as server:
        # Each call may use about 300 tokens and uses 10: all of them pass without waiting.
        replies = ask(server, *map(request, range(10)), tokens_per_minute=400, requests_per_minute=10)
    assert all(reply.failure is None and reply.seconds < 30 for reply in replies)
