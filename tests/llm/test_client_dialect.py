"""What a client learns of how an endpoint wants to be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import SCHEMA, ask, ask_in_turn, request, serving

from baselines.llm.dialect import Complaint, Dialect, Dialects
from baselines.llm.retry import Retry
from baselines.llm.scripted.faults import FaultPlan
from baselines.llm.scripted.server import ScriptedServer


def forms(server: ScriptedServer) -> list[str | None]:
    return [body.get("response_format", {}).get("type") for body in server.bodies]


def test_the_whole_request_is_sent() -> None:
    with serving() as server:
        ask(server, request(temperature=0.5, seed=3))
        ask(server, request(seed=None))
    assert server.bodies[0] == {
        "model": "scripted",
        "messages": [
            {"role": "system", "content": "you plan"},
            {"role": "user", "content": "where does it go?"},
        ],
        "max_tokens": 64,
        "temperature": 0.5,
        "seed": 3,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True},
        },
    }
    assert server.bodies[1]["temperature"] == 0.0 and "seed" not in server.bodies[1]


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("no_json_schema", ["json_schema", "json_object", "json_object"]),
        ("no_response_format", ["json_schema", "json_object", None, None]),
    ],
)
def test_the_form_is_asked_for_less_strictly_and_that_is_remembered(
    fault: str, sent: list[str | None]
) -> None:
    with serving(FaultPlan(always=(fault,))) as server:
        first, second = ask_in_turn(server, request(), request())
    assert forms(server) == sent
    assert first.faults == ("unsupported",) * (len(sent) - 2) and first.attempts == len(sent) - 1
    assert second.faults == () and second.attempts == 1
    assert first.failure is None and second.failure is None


@pytest.mark.parametrize(
    ("fault", "given_up", "instead"),
    [
        ("no_max_tokens", "max_tokens", "max_completion_tokens"),
        ("no_temperature", "temperature", None),
        ("no_seed", "seed", None),
    ],
)
def test_what_is_not_known_is_left_out_or_renamed(fault: str, given_up: str, instead: str | None) -> None:
    with serving(FaultPlan(always=(fault,))) as server:
        first, second = ask_in_turn(server, request(), request())
    assert [given_up in body for body in server.bodies] == [True, False, False]
    assert instead is None or server.bodies[1][instead] == 64
    assert first.faults == ("unsupported",) and second.faults == ()
    # Nothing else is given up with it.
    assert server.bodies[0].keys() - server.bodies[1].keys() == {given_up}


def test_steps_are_no_attempts_that_count_and_those_under_way_learn_together() -> None:
    everything = ("no_response_format", "no_max_tokens", "no_temperature", "no_seed")
    plan = FaultPlan(rates={"unavailable": 1.0}, always=everything)
    with serving(plan, latency=0.005) as server:
        replies = ask(server, *map(request, range(8)))
    for reply in replies:
        assert reply.failure == "server_error"
        assert reply.faults.count("server_error") == 6 and reply.faults.count("unsupported") <= 5
        assert reply.attempts == len(reply.faults)
    assert sum(reply.attempts for reply in replies) == server.calls


def test_asking_differently_needs_no_wait() -> None:
    with serving(FaultPlan(always=("no_response_format",))) as server:
        (reply,) = ask(server, request(), retry=Retry(first=100.0, most=100.0))
    assert reply.failure is None and reply.attempts == 3


def test_models_of_one_endpoint_may_differ() -> None:
    with serving(FaultPlan({0: "no_seed"})) as server:
        ask_in_turn(server, request(model="one"), request(model="two"), request(model="one"))
    assert [(body["model"], "seed" in body) for body in server.bodies] == [
        ("one", True),
        ("one", False),
        ("two", True),
        ("one", False),
    ]


def test_who_hears_a_complaint_late_unlearns_nothing() -> None:
    dialects, sent = Dialects(), Dialect()
    assert dialects.learn("one", sent, Complaint("unknown parameter seed"))
    assert dialects.learn("one", sent, Complaint("unknown parameter temperature"))
    assert dialects.of("one") == replace(sent, seed=False)
    # Nothing can be put otherwise, but what was sent is not what is known by now.
    assert dialects.learn("one", sent, Complaint("too long"))
    assert not dialects.learn("one", dialects.of("one"), Complaint("too long"))


def test_an_endpoint_that_complains_for_ever_is_left() -> None:
    for words in ("response_format is not supported", "seed temperature max_tokens schema: unknown"):
        dialect, steps = Dialect(), 0
        while (after := dialect.after(Complaint(f"{words} max_completion_tokens"))) is not None:
            dialect, steps = after, steps + 1
        assert steps <= 5


@pytest.mark.parametrize(
    ("complaint", "changed"),
    [
        # As endpoints say it.
        (Complaint("Invalid parameter: 'response_format' of type 'json_schema' is not supported"), "form"),
        (Complaint("Invalid schema for response_format 'reply'", param="response_format"), "form"),
        (Complaint("'messages' must contain the word 'json'", param="response_format"), "form"),
        (
            Complaint(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
                code="unsupported_parameter",
                param="max_tokens",
            ),
            "limit",
        ),
        (
            Complaint(
                "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) "
                "value is supported.",
                code="unsupported_value",
                param="temperature",
            ),
            "temperature",
        ),
        (Complaint("Unrecognized request argument supplied: seed"), "seed"),
        (Complaint("property 'seed' is unsupported"), "seed"),
    ],
)
def test_complaints_of_what_is_not_known(complaint: Complaint, changed: str) -> None:
    after, before = Dialect().after(complaint), Dialect()
    assert after is not None
    differing = {name for name in vars(before) if getattr(before, name) != getattr(after, name)}
    assert differing - {"limits_left"} == {changed}


@pytest.mark.parametrize(
    "complaint",
    [
        Complaint("max_tokens is too large: 99999. This model supports at most 16384 completion tokens"),
        Complaint(
            "This model's maximum context length is 4096 tokens. Please reduce the messages or max_tokens."
        ),
        Complaint("temperature must be at most 2", param="temperature"),
        Complaint("unknown field reseed"),
        Complaint(),
    ],
)
def test_complaints_of_something_else(complaint: Complaint) -> None:
    assert Dialect().after(complaint) is None


def test_a_limit_that_goes_by_neither_name_is_refused() -> None:
    dialect = Dialect().after(Complaint("unknown parameter max_tokens"))
    assert dialect is not None and dialect.limit == "max_completion_tokens"
    assert dialect.after(Complaint("unknown parameter max_completion_tokens")) is None
