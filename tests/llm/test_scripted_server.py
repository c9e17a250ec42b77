"""The scripted endpoint itself."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
from asking import ask, ask_in_turn, request, serving, three_words

from baselines.llm.scripted.faults import FaultPlan
from baselines.llm.scripted.server import ScriptedServer
from stmg_envs.errors import InvalidArgumentError, UnknownNameError


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def test_it_lists_one_model() -> None:
    with serving() as server:
        assert [model["id"] for model in get(f"{server.base_url}/models")["data"]] == ["scripted"]
        with pytest.raises(urllib.error.HTTPError, match="404") as raised:
            get(f"{server.base_url}/engines")
        raised.value.close()


def test_it_counts_words() -> None:
    with ScriptedServer(lambda body: " ".join(["so"] * len(body["messages"]))) as server:
        (reply,) = ask(server, request(text="one two three"))
    assert (server.prompt_tokens, server.completion_tokens) == (5, 2)
    assert (reply.usage.prompt, reply.usage.completion) == (5, 2)


def test_it_ends_with_all_it_has_begun() -> None:
    before = threading.active_count()
    with serving(FaultPlan(rates={"hang": 1.0})) as server:
        ask(server, *map(request, range(4)), timeout=0.05)
        assert threading.active_count() > before
    assert threading.active_count() == before
    with pytest.raises(urllib.error.URLError):
        get(f"{server.base_url}/models")


def test_what_breaks_in_the_script_is_raised() -> None:
    def break_down(body: dict[str, Any]) -> str:
        raise RuntimeError("the script breaks")

    with pytest.raises(RuntimeError, match="the script breaks"), ScriptedServer(break_down) as server:
        ask(server, request())


def test_faults_by_chance_depend_on_the_number_alone() -> None:
    plan = FaultPlan(rates={"page": 0.3, "closed": 0.2}, seed=3)
    met = [plan.of(number) for number in range(2000)]
    assert met == [plan.of(number) for number in range(2000)]
    assert 0.25 < met.count(("page",)) / 2000 < 0.35 and 0.15 < met.count(("closed",)) / 2000 < 0.25
    assert met != [FaultPlan(rates={"page": 0.3, "closed": 0.2}, seed=4).of(number) for number in range(2000)]


def test_faults_by_number_come_before_chance() -> None:
    plan = FaultPlan({1: "page"}, {"closed": 1.0}, ("no_seed",))
    assert [plan.of(number) for number in range(2)] == [("no_seed", "closed"), ("no_seed", "page")]


def test_faults_are_counted() -> None:
    with serving(FaultPlan({0: "page", 1: "no_usage"})) as server:
        first, second = ask_in_turn(server, request(), request())
    assert server.faults_met == {"page": 1, "no_usage": 1}
    assert first.text == second.text == three_words({})
    # Three answers to 6 words with 4, of which one told so.
    assert server.billed_tokens == 30 and server.prompt_tokens + server.completion_tokens == 10


def test_plans_that_are_none() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'page'"):
        FaultPlan({0: "pages"})
    with pytest.raises(InvalidArgumentError, match="rates"):
        FaultPlan(rates={"page": 0.7, "closed": 0.7})
    with pytest.raises(InvalidArgumentError, match="rates"):
        FaultPlan(rates={"page": -0.1})
