"""The control loop, with scripted replies: who is asked what, and what counts as feedback."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from playing import TRANSPORT, Scripted, ends, oracle, run, steps

from baselines.llm.memory import estimated_tokens
from baselines.llm.method import Method
from baselines.llm.prompts import Prompts
from baselines.llm.requests import Reply, Request
from baselines.llm.run import TRANSCRIPT, first_difference, replay
from baselines.llm.scripted.oracle import greedy_actions
from baselines.llm.stage import Stage
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.transport import GridTransport

NOBODY = Method(ask="none")


def greedy_steps(seed: int, **args: Any) -> int:
    """Steps that the greedy planner takes in process."""
    stage = Stage(TRANSPORT, args)
    game = stage.env.game
    assert isinstance(game, GridTransport)
    stage.reset(seed)
    for step in range(1, 100):
        state = stage.env.episodes.state  # type: ignore[attr-defined]
        if stage.step(greedy_actions(game, state["boxes"], state["targets"])).done:
            return step
    raise AssertionError("no end")


@pytest.mark.parametrize("variant", ["easy", "hard"])
@pytest.mark.parametrize(("critics", "calls"), [("separate", 3), ("joint", 2)])
def test_the_oracle_plays_as_in_process(tmp_path: Path, variant: str, critics: Any, calls: int) -> None:
    client = Scripted()
    method = Method(critics=critics, ask="none")
    stories, records = run(tmp_path, client, method, seeds=4, variant=variant, rows=2, columns=4)
    assert [story.steps for story in stories] == [
        greedy_steps(seed, variant=variant, rows=2, columns=4) for seed in range(4)
    ]
    assert all(story.success and story.feedback == 0 for story in stories)
    assert [sum(end["calls"].values()) for end in ends(records)] == [calls * story.steps for story in stories]


def test_roles_get_what_is_theirs(tmp_path: Path) -> None:
    client = Scripted()
    run(tmp_path, client, NOBODY)
    explorer, exploiter, assessor = client.asked[:3]
    assert [request.role for request in (explorer, exploiter, assessor)] == [
        "explorer",
        "exploiter",
        "assessor",
    ]
    assert explorer.messages[0] == assessor.messages[0] and explorer.messages[0].role == "system"
    proposal = client.asked[2].messages[1].content
    assert f"The explorer, who looks far ahead: {oracle(explorer)}" in proposal
    # Strict schemas list all who have a choice, with what they can do.
    agents = explorer.schema["properties"]
    assert agents and explorer.schema["required"] == list(agents)
    assert all(action["enum"][0] == "stay" for action in agents.values())


def test_an_illegal_plan_is_sent_back_in_the_same_conversation(tmp_path: Path) -> None:
    def first_wrong(request: Request) -> str:
        wrong = request.role == "assessor" and request.timestep == 0 and len(request.messages) == 2
        return '{"Agent[8, 8]": "stay"}' if wrong else oracle(request)

    client = Scripted(first_wrong)
    (story,), records = run(tmp_path, client, NOBODY)
    again = client.of("assessor")[1]
    assert [message.role for message in again.messages] == ["system", "user", "assistant", "user"]
    assert again.messages[2].content == '{"Agent[8, 8]": "stay"}'
    assert "There is no Agent[8, 8]." in again.messages[3].content
    assert story.feedback == 1 and story.success
    assert ends(records)[0]["faults"] == {"unknown_agent": 1}


@pytest.mark.parametrize(("on_exhausted", "success"), [("fail", False), ("stay", True)])
def test_repairs_have_an_end(tmp_path: Path, on_exhausted: Any, success: bool) -> None:
    """With "stay" what is illegal is dropped, and here that is all of the first three steps."""
    client = Scripted(
        lambda request: "no" if request.role == "assessor" and request.timestep < 3 else oracle(request)
    )
    (story,), records = run(tmp_path, client, Method(ask="none", on_exhausted=on_exhausted))
    first = [request for request in client.of("assessor") if request.timestep == 0]
    assert len(first) == 7
    assert story.success is success
    if success:
        assert [record["actions"] for record in steps(records)[:3]] == [{}, {}, {}]
        assert story.steps == 3 + greedy_steps(0) and story.feedback == 3
    else:
        assert story.failure == "no legal plan in 7 attempts" and story.steps == 0
        assert ends(records)[0]["success"] is False


def test_a_lost_plan_fails_the_episode_and_a_lost_critic_does_not(tmp_path: Path) -> None:
    (story,), _ = run(tmp_path / "assessor", Scripted(lambda r: None if r.role == "assessor" else oracle(r)))
    assert story.failure == "timeout (assessor)" and not story.success
    client = Scripted(lambda r: None if r.role == "explorer" else oracle(r))
    (story,), records = run(tmp_path / "explorer", client, NOBODY)
    assert story.success and ends(records)[0]["faults"] == {"lost_critic": story.steps}
    assert (
        "The explorer, who looks far ahead: no plan that could be read"
        in client.of("assessor")[0].messages[1].content
    )


class Poor(Scripted):
    """Has no budget for calls of some roles."""

    def __init__(self, *roles: str) -> None:
        super().__init__()
        self._without = roles

    async def complete(self, request: Request) -> Reply:
        reply = await super().complete(request)
        poor = request.role in self._without
        return Reply(None, "budget", attempts=0) if poor else reply


@pytest.mark.parametrize(
    ("role", "method"),
    [
        ("explorer", Method()),
        ("critics", Method(critics="joint")),
        ("actor", Method(ask="all")),
        ("actor", Method(ask="none", actors="turns")),
        ("assessor", Method()),
    ],
)
def test_without_budget_an_episode_does_not_go_on_as_if_a_call_was_lost(
    tmp_path: Path, role: str, method: Method
) -> None:
    """With a higher ceiling everything would be asked otherwise."""
    client = Poor(role)
    (story,), records = run(tmp_path, client, method)
    assert story.failure == f"budget ({role})" and story.steps == 0 and not steps(records)
    assert client.asked[-1].role in (role, "exploiter")
    replay(tmp_path / TRANSCRIPT, tmp_path / "again.jsonl")
    assert first_difference(tmp_path / TRANSCRIPT, tmp_path / "again.jsonl") is None


def moves_away(request: Request) -> str:
    """A plan that moves the box of the first square south, in a grid of one column: away from its target."""
    if request.role == "actor":
        return json.dumps({"agree": False, "action": None, "reason": "it is here already"})
    if len(request.messages) > 2 or request.timestep:
        return oracle(request)
    return json.dumps({"Agent[0, 0]": "move(box_blue, square[1, 0])"})


def test_who_does_what_leads_nowhere_is_asked_and_objects(tmp_path: Path) -> None:
    client = Scripted(moves_away)
    # Seed 0 has a blue box and a blue target in the upper square.
    (story,), records = run(tmp_path, client, seeds=1, rows=2, columns=1)
    assert client.of("actor")[0].agent == "Agent[0, 0]"
    heard = steps(records)[0]["objections"]
    assert heard == [{"round": 0, "agent": "Agent[0, 0]", "reason": "it is here already", "by_rule": False}]
    revised = client.of("assessor")[1].messages[-1].content
    assert "Agent[0, 0]: it is here already" in revised
    assert story.feedback >= 1 and story.success


def test_hmas_2_asks_all_and_shows_all_the_plan(tmp_path: Path) -> None:
    client = Scripted()
    (story,), _ = run(tmp_path, client, Method(name="hmas-2"), rows=2, columns=2)
    assert {request.role for request in client.asked} == {"planner", "actor"}
    planned = client.of("planner")[0]
    asked = [request for request in client.of("actor") if request.timestep == 0]
    assert [request.agent for request in asked] == list(planned.schema["properties"])
    assert all("The plan for all: {" in request.messages[1].content for request in asked)
    assert story.success


def test_actors_of_llamac_do_not_see_the_plans_of_others(tmp_path: Path) -> None:
    client = Scripted()
    run(tmp_path, client, Method(ask="all"))
    assert client.of("actor")
    assert not any("The plan for all" in request.messages[1].content for request in client.of("actor"))


class Later(Scripted):
    """Answers each turn as advised, but one agent's by its last possibility."""

    def __init__(self, agent: str) -> None:
        super().__init__(lambda request: self._turn(request, agent))

    def _turn(self, request: Request, agent: str) -> str:
        if request.role != "actor":
            return json.dumps(dict.fromkeys(request.schema["properties"], "3"))
        return json.dumps({request.agent: "9" if request.agent == agent else "3"})


def turns(folder: Path, agent: str) -> list[Request]:
    client = Later(agent)
    method = Method(actors="turns", ask="none")
    run(folder, client, method, env_id="stmg/ResourceAllocation-v0", n=4)
    return client.of("actor")


def test_in_turns_each_sees_those_before_it_and_nobody_after_it(tmp_path: Path) -> None:
    """Whatever the agent of rank k decides, prompts up to its own are the same, those after it are not."""
    same = turns(tmp_path / "same", "nobody")
    assert [request.agent for request in same] == [f"agent_{agent}" for agent in range(4)]
    for rank in range(4):
        other = turns(tmp_path / str(rank), f"agent_{rank}")
        differ = [one.messages != two.messages for one, two in zip(same, other, strict=True)]
        assert differ == [later > rank for later in range(4)]
    assert 'decided: {"agent_0": "3", "agent_1": "3"}' in same[2].messages[1].content


def test_a_turn_that_is_lost_is_played_as_advised(tmp_path: Path) -> None:
    client = Scripted(
        lambda r: None if r.role == "actor" else json.dumps(dict.fromkeys(r.schema["properties"], "3"))
    )
    method = Method(actors="turns", ask="none")
    _, records = run(tmp_path, client, method, env_id="stmg/ResourceAllocation-v0", n=3)
    assert steps(records)[0]["joint_action"] == [3, 3, 3]
    assert ends(records)[0]["faults"] == {"lost_actor": 3}


def test_the_past_is_told_latest_first_and_only_as_far_as_there_is_room(tmp_path: Path) -> None:
    client = Scripted()
    (story,), _ = run(tmp_path / "all", client, NOBODY)
    last = client.of("explorer")[-1].messages[1].content
    told = [line.split(".")[0] for line in last.splitlines() if line.endswith("Situation:")]
    assert told == [f"Step {step}" for step in range(story.steps - 1, 0, -1)]
    client = Scripted()
    run(tmp_path / "none", client, Method(ask="none", memory_tokens=0))
    assert not any("What has happened" in request.messages[1].content for request in client.asked)


def test_the_rules_and_the_past_together_are_below_what_they_may_have(tmp_path: Path) -> None:
    client = Scripted()
    run(tmp_path, client, Method(ask="none", memory_tokens=600))
    told = [
        estimated_tokens(rules.content)
        + estimated_tokens(said.content.partition("\n\nYou are the critic")[0])
        for rules, said in (request.messages for request in client.of("explorer"))
    ]
    assert max(told) < 600
    assert any("What has happened" in request.messages[1].content for request in client.of("explorer"))


def test_names_are_told_in_order_and_as_they_are_written() -> None:
    said = Prompts().say(
        "turn",
        agent="z",
        timestep=0,
        view="",
        actions=["stay"],
        leaders={"b": "é <'>", "a": "1"},
        part="1",
        example={},
    )
    assert """{"b": "é <'>", "a": "1"}""" in said


def test_any_game_with_discrete_actions_is_played(tmp_path: Path) -> None:
    for number, env_id in enumerate(
        ("stmg/Penalty-v0", "stmg/OnRampMerge-v0", "pettingzoo/mpe2.simple_spread_v3")
    ):
        client = Scripted()
        (story,), records = run(
            tmp_path / str(number), client, Method(ask="none", memory_tokens=1), env_id=env_id
        )
        assert story.failure is None and len(steps(records)) == story.steps


def test_nothing_out_of_range_is_taken() -> None:
    for wrong in ({"repairs": -1}, {"name": "gpt"}, {"ask": "some"}, {"rounds": 1.5}):
        with pytest.raises(InvalidArgumentError):
            Method(**wrong)  # type: ignore[arg-type]


def test_calls_of_the_same_time_come_by_agent_and_not_by_arrival(tmp_path: Path) -> None:
    class Slow(Scripted):
        async def complete(self, request: Request) -> Any:
            await asyncio.sleep(0.002 * (hash(request.agent) % 5))
            return await super().complete(request)

    _, one = run(tmp_path / "one", Scripted(), Method(name="hmas-2"))
    _, two = run(tmp_path / "two", Slow(), Method(name="hmas-2"))
    assert (tmp_path / "one/transcript.jsonl").read_bytes() == (
        tmp_path / "two/transcript.jsonl"
    ).read_bytes()
    assert len(one) == len(two)
