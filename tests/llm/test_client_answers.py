"""Answers that say that they succeeded: any part of them may be anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking import KEY, ask, request
from hypothesis import given
from hypothesis import strategies as st

from baselines.llm import faults
from baselines.llm.completion import read_completion
from baselines.llm.requests import Usage
from baselines.llm.scripted import server as scripted
from baselines.llm.scripted.faults import Answer
from baselines.llm.scripted.server import ScriptedServer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "finish_reason", "x"]), inner
        )
    ),
    max_leaves=12,
)


def built(**parts: Any) -> Any:
    """An answer as `openai` gives it."""
    from openai.types.chat import ChatCompletion

    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}
    return ChatCompletion.construct(**{"id": "1", "choices": [choice], "usage": None} | parts)


def test_usage_in_all_its_parts() -> None:
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 20,
        "total_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 16},
        "completion_tokens_details": {"reasoning_tokens": 12},
    }
    content = read_completion(built(usage=usage, system_fingerprint="fp"))
    assert content.usage == Usage(30, 16, 20, 12) and content.fingerprint == "fp" and content.text == "yes"


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": 3},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": -3, "completion_tokens": 2},
        {"prompt_tokens": "3", "completion_tokens": 2},
        {"prompt_tokens": 10**400, "completion_tokens": 2},
        "none",
    ],
)
def test_usage_that_is_none(usage: Any) -> None:
    content = read_completion(built(usage=usage))
    assert content.usage is None and content.text == "yes"


def test_parts_are_no_more_than_the_whole() -> None:
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 16},
        "completion_tokens_details": {"reasoning_tokens": 12},
    }
    assert read_completion(built(usage=usage)).usage == Usage(3, 3, 2, 2)


@pytest.mark.parametrize(
    ("choices", "fault"),
    [
        ("text", "not_a_completion"),
        ({}, "not_a_completion"),
        ([None], "no_content"),
        (["text"], "no_content"),
        ([{"message": None}], "no_content"),
        ([{"message": {"content": ["part"]}}], "no_content"),
        ([{"message": {"content": "so f"}, "finish_reason": "length"}], "length"),
        ([{"message": {"content": None}, "finish_reason": "length"}], "length"),
    ],
)
def test_choices_that_are_none(choices: Any, fault: str) -> None:
    content = read_completion(built(choices=choices))
    assert (content.text, content.fault) == (None, fault)


@given(choices=JSON, usage=JSON)
def test_nothing_that_comes_is_an_error(choices: Any, usage: Any) -> None:
    content = read_completion(built(choices=choices, usage=usage))
    assert (content.text is None) == (content.fault is not None)
    assert content.fault is None or faults.FAULTS[content.fault].again


def answering(body: bytes) -> ScriptedServer:
    """A server whose answer has that body, whatever is asked."""

    class Fixed(ScriptedServer):
        def answer(self, asked: Any, authorization: str) -> Answer:
            self.bodies.append(asked)
            return Answer(body)

    return Fixed(lambda asked: "")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "broken_json"),
        (b"\xff\xfe{}", "broken_json"),
        (b"[" * 100_000, "broken_json"),
        (b"[]", "not_a_completion"),
        (b"7", "not_a_completion"),
        (b"null", "not_a_completion"),
        (b"{}", "error_body"),
        (b'{"choices": [{"message": {"content": 5}}]}', "no_content"),
    ],
)
def test_bodies_that_are_none(body: bytes, fault: str) -> None:
    with answering(body) as server:
        (reply,) = ask(server, request())
    assert reply.failure == fault and reply.attempts == 6


def test_halves_of_surrogate_pairs_can_be_written() -> None:
    completion = scripted.completion_of(0, request().asked | {"model": ""}, "a\ud800b")
    with answering(json.dumps(completion | {"system_fingerprint": "c\ud800"}).encode()) as server:
        (reply,) = ask(server, request())
    assert (reply.text, reply.fingerprint) == ("a?b", "c?")


def test_the_key_is_not_in_the_fingerprint_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    completion = scripted.completion_of(0, request().asked | {"model": ""}, "yes")
    with answering(json.dumps(completion | {"system_fingerprint": f"for {KEY}"}).encode()) as server:
        (reply,) = ask(server, request())
    assert reply.fingerprint == "for [key]"
