"""Every fault of an endpoint: its name, how often it is tried again, what it costs, and that it ends."""

from __future__ import annotations

import asyncio
import socket

import pytest
from asking import QUICK, ask, ask_in_turn, request, serving, three_words

from baselines.errors import EndpointError
from baselines.llm import faults
from baselines.llm.budget import Budget, bound_of
from baselines.llm.caller import open_client
from baselines.llm.endpoint_settings import EndpointSettings
from baselines.llm.prices import Ceiling
from baselines.llm.requests import Usage
from baselines.llm.retry import Retry
from baselines.llm.scripted.faults import FAULTS, FaultPlan
from baselines.llm.scripted.server import ScriptedServer

# Fault of the server -> name, and whether an endpoint may charge for the attempt.
TRIED_AGAIN = {
    "too_many": ("rate_limited", False),
    "too_many_wait": ("rate_limited", False),
    "conflict": ("conflict", False),
    "request_timeout": ("timeout", True),
    "internal_error": ("server_error", False),
    "unavailable": ("server_error", False),
    "gateway_timeout": ("timeout", True),
    "hang": ("timeout", True),
    "drip": ("timeout", True),
    "cut_body": ("connection", True),
    "closed": ("connection", True),
    "broken_json": ("broken_json", True),
    "page": ("not_a_completion", True),
    "error_body": ("error_body", True),
    "no_choices": ("no_choices", None),
    "no_content": ("no_content", None),
    "short": ("length", None),
}
"""None: it reports its usage all the same."""

HOPELESS = {"wrong_key": 401, "forbidden_key": 403, "no_model": 404, "no_credit": 429}
OTHERS = ("no_usage", "context_overflow")
OF_DIALECT = {name for name in FAULTS if name.startswith("no_")} - {*TRIED_AGAIN, *HOPELESS, *OTHERS}


def patience(fault: str, timeout: float) -> dict[str, float]:
    return {"timeout": timeout} if fault in ("hang", "drip") else {}


def test_every_fault_is_tested() -> None:
    assert {*TRIED_AGAIN, *HOPELESS, *OTHERS, *OF_DIALECT} == set(FAULTS)
    assert {name for name, _ in TRIED_AGAIN.values()} == {
        name
        for name, fault in faults.FAULTS.items()
        if fault.again and name not in ("unsupported", "unreachable")
    }


@pytest.mark.parametrize("fault", TRIED_AGAIN)
def test_a_fault_is_named_and_the_next_attempt_answers(fault: str) -> None:
    name, billed = TRIED_AGAIN[fault]
    with serving(FaultPlan({0: fault})) as server:
        # The second attempt of a reply cut off wants enough.
        asked = request(max_tokens=1024)
        (reply,) = ask(server, asked, **patience(fault, 0.5))
    assert reply.text == three_words({}) and reply.failure is None
    assert reply.faults == (name,) and reply.attempts == server.calls == 2
    assert reply.usage.estimated == (bound_of(asked, 1024).tokens if billed else 0)
    assert reply.usage.prompt == server.prompt_tokens and reply.usage.completion == server.completion_tokens
    assert reply.usage.tokens >= server.billed_tokens
    assert reply.fingerprint == "scripted"


@pytest.mark.parametrize("fault", TRIED_AGAIN)
def test_attempts_are_bounded(fault: str) -> None:
    name, billed = TRIED_AGAIN[fault]
    with serving(FaultPlan(rates={fault: 1.0})) as server:
        counted = []
        asked = request(max_tokens=8)
        (reply,) = ask(
            server, asked, seen=lambda client: counted.append(client.tally.total), **patience(fault, 0.1)
        )
    attempts = 4 if name == "length" else 6
    assert reply.text is None and reply.failure == name
    assert reply.faults == (name,) * attempts and reply.attempts == attempts
    # On a busy machine an attempt may end before it has come there.
    assert server.calls == attempts or (patience(fault, 0.1) and server.calls < attempts)
    assert reply.usage.estimated == (attempts * bound_of(asked, 8).tokens if billed else 0)
    assert counted[0].faults == {name: attempts} and counted[0].failures == {name: 1}


def test_a_reply_cut_off_is_asked_for_with_twice_the_tokens() -> None:
    with serving(FaultPlan(always=("short",))) as server:
        (reply,) = ask(server, request(max_tokens=512))
        assert [body["max_tokens"] for body in server.bodies] == [512, 1024, 2048]
        assert reply.faults == ("length", "length") and reply.failure is None
        (reply,) = ask(server, request(max_tokens=16))
        assert [body["max_tokens"] for body in server.bodies[3:]] == [16, 32, 64, 128]
        assert reply.failure == "length"
        (reply,) = ask(server, request(max_tokens=16), retry=Retry(attempts=2, first=0.001))
        assert reply.attempts == 2


def test_a_reply_of_too_many_words_is_cut_off_and_comes_whole_in_the_end() -> None:
    with ScriptedServer(lambda body: "one two three four five") as server:
        (reply,) = ask(server, request(max_tokens=2))
    assert reply.text == "one two three four five" and reply.faults == ("length", "length")
    assert reply.usage.completion == server.completion_tokens == 2 + 4 + 5


def test_a_request_that_is_refused_is_not_repeated() -> None:
    said = {}
    with serving(FaultPlan(rates={"context_overflow": 1.0})) as server:
        (reply,) = ask(server, request(), seen=lambda client: said.update(client.complaints))
    assert reply.failure == "refused" and reply.faults == ("refused",) and server.calls == 1
    assert reply.usage == Usage() and "maximum context length" in said["refused"]


@pytest.mark.parametrize(("fault", "status"), list(HOPELESS.items()))
def test_an_endpoint_that_can_never_answer_is_an_error_at_once(fault: str, status: int) -> None:
    with serving(FaultPlan(rates={fault: 1.0})) as server:
        with pytest.raises(
            EndpointError, match=f"status {status}; .*model 'scripted' with the key from OPENAI_API_KEY"
        ):
            ask(server, request())
        assert server.calls == 1


def test_missing_usage_is_no_fault() -> None:
    with serving(FaultPlan(rates={"no_usage": 1.0})) as server:
        (reply,) = ask(server, request())
    assert reply.text == three_words({}) and reply.faults == () and server.calls == 1
    assert reply.usage == Usage(estimated=bound_of(request(), 64).tokens)
    assert reply.usage.tokens >= server.billed_tokens > 0


def test_nobody_there_costs_nothing_and_is_no_failure_of_a_model() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

        async def call() -> None:
            async with open_client(EndpointSettings(address), retry=QUICK) as client:
                with pytest.raises(EndpointError, match=f"{address} cannot be reached; expected"):
                    await client.complete(request())
                spent = client.budget.spent()
                assert (spent.calls, spent.tokens) == (6, 0)

        asyncio.run(call())


def test_the_stream_of_answers_is_as_mixed_as_it_comes() -> None:
    # Which call meets which fault depends on the order in which they come: none may run out of attempts.
    patient = Retry(attempts=40, first=0.001, most=0.01)
    rates = {name: 0.05 for name in TRIED_AGAIN if name not in ("hang", "drip", "short")}
    with serving(FaultPlan(rates=rates, seed=1)) as server:
        counted = []
        replies = ask(
            server,
            *map(request, range(60)),
            retry=patient,
            seen=lambda client: counted.append(client.tally),
        )
    assert all(reply.failure is None for reply in replies)
    met = sorted(name for reply in replies for name in reply.faults)
    assert met == sorted(TRIED_AGAIN[name][0] for name in server.faults_met.elements()) and len(met) > 20
    total = counted[0].total
    assert total.calls == 60 and total.attempts == server.calls == 60 + len(met)
    assert total.usage.prompt == server.prompt_tokens and total.usage.completion == server.completion_tokens
    assert counted[0].as_data()["roles"]["planner"]["attempts"] == server.calls
    assert sum(counts.attempts for counts in counted[0].episodes.values()) == server.calls


def test_a_call_that_is_given_up_counts_as_if_it_was_answered() -> None:
    async def give_up(address: str) -> None:
        async with open_client(EndpointSettings(address), retry=QUICK) as client:
            call = asyncio.create_task(client.complete(request()))
            while not server.calls:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert client.gate.busy == 0
            assert client.budget.spent().tokens == bound_of(request(), 64).tokens

    with serving(latency=5.0) as server:
        asyncio.run(give_up(server.base_url))


def test_a_budget_of_one_attempt_ends_the_call_after_it() -> None:
    with serving(FaultPlan(rates={"unavailable": 1.0})) as server:
        first, second = ask_in_turn(server, request(), request(), budget=Budget(Ceiling(max_calls=1)))
    assert first.failure == "budget" and first.attempts == 1 and first.faults == ("server_error",)
    assert second.failure == "budget" and second.attempts == 0 and second.faults == ()
    assert server.calls == 1
