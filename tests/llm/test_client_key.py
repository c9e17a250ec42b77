"""The key of an endpoint is in nothing but its header."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import pytest
from asking import KEY, ask, request, serving

from baselines.errors import ConfigError, EndpointError
from baselines.llm.endpoint import Endpoint
from baselines.llm.endpoint_settings import EndpointSettings
from baselines.llm.scripted.faults import FAULTS, FaultPlan
from stmg_envs.errors import InvalidArgumentError

AWAY = "https://models.example/v1"


def everything_of(error: BaseException | None) -> str:
    """What an error tells, with those that it comes from, even where they are not shown."""
    if error is None:
        return ""
    told = "".join(traceback.format_exception(error)) + repr(error.args) + repr(vars(error))
    return told + everything_of(error.__cause__) + everything_of(error.__context__)


@pytest.mark.parametrize("fault", [*FAULTS, None])
def test_the_key_is_in_nothing_that_comes_back(
    fault: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "httpx2", "httpcore2", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    told: list[Any] = []
    plan = FaultPlan(rates={} if fault is None else {fault: 1.0})
    with serving(plan) as server:
        try:
            told += ask(
                server,
                request(),
                timeout=0.1 if fault in ("hang", "drip") else 5.0,
                seen=lambda client: told.extend([client.tally.as_data(), client.complaints, vars(client)]),
            )
        except EndpointError as error:
            told.append(everything_of(error))
    assert set(server.authorizations) == {f"Bearer {KEY}"}
    assert told and KEY not in repr(told)
    records = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "HTTP" in records and KEY not in records


@pytest.mark.parametrize("fault", ["wrong_key", "forbidden_key"])
def test_a_refused_key_is_not_shown_but_its_variable_is(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    with serving(FaultPlan({0: fault})) as server, pytest.raises(EndpointError) as raised:
        ask(server, request(), key_env="MY_KEY")
    assert "MY_KEY" in str(raised.value) and "[key]" in str(raised.value)
    assert KEY not in everything_of(raised.value)
    assert server.authorizations == [f"Bearer {KEY}"]


def test_endpoints_on_this_machine_need_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving() as server:
        (reply,) = ask(server, request())
    assert reply.failure is None and server.authorizations == ["Bearer none"]


def test_others_need_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(EndpointError, match="MY_KEY holds no key"):
        Endpoint(EndpointSettings(AWAY, key_env="MY_KEY"))


@pytest.mark.parametrize("broken", [f"{KEY} twice", f"{KEY}\x07", f"{KEY}ü"])
def test_a_key_that_cannot_be_sent_is_not_shown(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", broken)
    with pytest.raises(EndpointError, match="cannot be sent") as raised:
        Endpoint(EndpointSettings(AWAY))
    assert KEY not in everything_of(raised.value)


def test_proxies_do_not_stand_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving() as server:
        (reply,) = ask(server, request())
    assert reply.failure is None and reply.attempts == 1


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(EndpointError, match=r"pip install 'stmg\[llm\]'"):
        Endpoint(EndpointSettings("http://localhost:1/v1"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "models.example/v1",
        "ftp://models.example",
        f"https://user:{KEY}@models.example/v1",
        f"https://models.example/v1?key={KEY}",
        f"https://models.example/v1#{KEY}",
        "http://[::1/v1",
        "http://models.example:99999/v1",
        "http://models example/v1",
        None,
    ],
)
def test_addresses_that_are_none(url: Any) -> None:
    with pytest.raises(ConfigError, match="base_url") as raised:
        EndpointSettings(url)
    assert KEY not in everything_of(raised.value)


@pytest.mark.parametrize("name", ["", KEY, "gsk_small", "A B", None])
def test_names_of_variables_that_are_none(name: Any) -> None:
    with pytest.raises(ConfigError, match="key_env") as raised:
        EndpointSettings(key_env=name)
    assert not name or name not in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"timeout": float("inf")},
        {"max_concurrency": 0},
        {"requests_per_minute": 0},
        {"tokens_per_minute": 1.5},
    ],
)
def test_numbers_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
        EndpointSettings(**wrong)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8080/v1", True),
        ("http://127.0.0.2/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://192.168.0.4/v1", False),
        ("https://localhost.example/v1", False),
    ],
)
def test_which_hosts_are_this_machine(url: str, local: bool) -> None:
    assert EndpointSettings(url).is_local == local
