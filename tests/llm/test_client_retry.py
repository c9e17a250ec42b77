"""How long calls wait before they are sent again."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from asking import ask, request, serving

from baselines.llm.retry import Retry, retry_after
from baselines.llm.scripted.faults import FaultPlan
from stmg_envs.errors import InvalidArgumentError

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_what_an_answer_asks_to_wait(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_most_answers_do_not_ask() -> None:
    assert retry_after({}) is None


def test_waits_grow_twofold_with_chance_and_an_end() -> None:
    retry, chance = Retry(first=1.0, most=10.0), random.Random(0)
    for failed, ceiling in enumerate([1.0, 2.0, 4.0, 8.0, 10.0, 10.0], start=1):
        waits = [retry.wait(failed, None, chance) for _ in range(200)]
        assert ceiling / 2 <= min(waits) < 0.55 * ceiling and 0.95 * ceiling < max(waits) <= ceiling
    assert retry.wait(5000, None, chance) <= 10.0


def test_what_is_asked_for_is_waited_for_within_reason() -> None:
    retry, chance = Retry(first=1.0), random.Random(0)
    waits = [retry.wait(1, 20.0, chance) for _ in range(100)]
    assert min(waits) >= 20.0 and max(waits) <= 20.5 and len(set(waits)) > 90
    assert retry.wait(1, 3600.0, chance) == 60.0


def test_a_call_waits_as_the_endpoint_asks() -> None:
    with serving(FaultPlan({0: "too_many_wait", 1: "too_many_wait"})) as server:
        (reply,) = ask(server, request(), retry=Retry(first=1e-6, most=5.0))
        assert reply.seconds >= 0.04 and reply.attempts == 3
        (reply,) = ask(server, request())
        assert reply.attempts == 1


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first": 0.0}, {"most": -1.0}, {"doublings": -1}])
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
        Retry(**wrong)
