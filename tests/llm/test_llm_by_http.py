"""The whole loop by HTTP, beside the scripted endpoint: a protocol test, in which no model takes part."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from asking import KEY, QUICK
from playing import TRANSPORT, Scripted, run

from baselines.llm.budget import Budget
from baselines.llm.caller import open_client
from baselines.llm.endpoint_settings import EndpointSettings
from baselines.llm.method import Method
from baselines.llm.prices import Ceiling
from baselines.llm.requests import Sampling
from baselines.llm.run import TRANSCRIPT, begin, count_spent, play, resumed
from baselines.llm.scripted.corruption import corrupted
from baselines.llm.scripted.faults import FaultPlan
from baselines.llm.scripted.oracle import answer
from baselines.llm.scripted.server import ScriptedServer
from baselines.llm.setup import Setup
from baselines.llm.summary import Summary, summarize
from baselines.llm.transcript import read_records

SHARES = "stmg/ResourceAllocation-v0"


def serve_and_play(
    folder: Path,
    server: ScriptedServer,
    env_id: str = TRANSPORT,
    seeds: int = 4,
    method: Method | None = None,
    budget: Budget | None = None,
    resume: bool = False,
    concurrency: int = 8,
    **args: Any,
) -> Summary:
    """What a run came to that asks the server."""
    setup = Setup(env_id, args, tuple(range(seeds)), 1, method or Method(), Sampling("scripted"), "127.0.0.1")
    settings = EndpointSettings(server.base_url, timeout=5.0, max_concurrency=concurrency)

    async def playing() -> Summary:
        async with open_client(settings, budget, QUICK) as client:
            with begin(setup, folder / TRANSCRIPT, resume) as transcript:
                records = list(transcript.records.values())
                count_spent(client.budget, records)
                await play(setup, resumed(client, records), transcript)
                return summarize(transcript.records.values())

    return asyncio.run(playing())


def test_the_same_steps_as_in_process(tmp_path: Path) -> None:
    stories, _ = run(tmp_path / "here", Scripted(), seeds=4)
    with ScriptedServer(answer) as server:
        summary = serve_and_play(tmp_path / "there", server)
    assert [end["steps"] for end in summary.ends] == [story.steps for story in stories]
    assert summary.success == 1.0 and summary.feedback is not None and summary.feedback.mean == 0
    steps = sum(end["steps"] for end in summary.ends)
    assert {role: summary.calls[role] for role in ("explorer", "exploiter", "assessor")} == dict.fromkeys(
        ("explorer", "exploiter", "assessor"), steps
    )
    assert summary.usage.tokens == server.prompt_tokens + server.completion_tokens
    assert server.calls == sum(summary.calls.values())


@pytest.mark.parametrize("variant", ["easy", "hard"])
def test_spoilt_replies_do_no_harm(tmp_path: Path, variant: str) -> None:
    with ScriptedServer(corrupted(answer, 0.3)) as server:
        summary = serve_and_play(tmp_path, server, seeds=12, variant=variant)
    assert summary.success == 1.0 and summary.metrics["collision"] == 0
    assert summary.usage.tokens == server.prompt_tokens + server.completion_tokens
    met = {"no_object", "unknown_agent", "unknown_action", "duplicate_key"}
    assert met | ({"conflict"} if variant == "hard" else set()) <= set(summary.faults)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["easy", "hard"])
def test_spoilt_replies_do_no_harm_in_200_episodes(tmp_path: Path, variant: str) -> None:
    with ScriptedServer(corrupted(answer, 0.3)) as server:
        summary = serve_and_play(tmp_path, server, seeds=200, variant=variant)
    assert summary.success is not None and summary.success >= 0.99 and summary.metrics["collision"] == 0
    assert summary.usage.tokens == server.prompt_tokens + server.completion_tokens


def test_fifty_agents_are_asked_ten_at_a_time(tmp_path: Path) -> None:
    with ScriptedServer(answer, latency=0.05) as server:
        summary = serve_and_play(tmp_path, server, SHARES, seeds=1, concurrency=10, n=50)
    assert server.peak == 10 and summary.calls["actor"] == 50


def without_times(path: Path) -> list[dict[str, Any]]:
    records = read_records(path)
    for record in records:
        record.get("reply", {}).pop("seconds", None)
    return records


def test_replies_in_any_order_make_the_same_transcript(tmp_path: Path) -> None:
    transcripts = []
    for shuffle in range(20):
        chance = random.Random(shuffle)
        with ScriptedServer(answer, latency=lambda _, chance=chance: 0.02 * chance.random()) as server:
            serve_and_play(tmp_path / str(shuffle), server, SHARES, seeds=2, n=5)
        transcripts.append(without_times(tmp_path / str(shuffle) / TRANSCRIPT))
    assert all(records == transcripts[0] for records in transcripts)


@pytest.mark.parametrize("ceiling", [Ceiling(max_calls=20), Ceiling(max_tokens=12_000)])
@pytest.mark.parametrize("which", ["run", "episode"])
def test_ceilings_are_never_overshot_and_a_higher_one_lets_the_run_go_on(
    tmp_path: Path, ceiling: Ceiling, which: str
) -> None:
    budget = Budget(**{which: ceiling})
    most = 1 if which == "run" else 4
    with ScriptedServer(corrupted(answer, 0.3)) as server:
        stopped = serve_and_play(tmp_path, server, budget=budget)
        calls, tokens = server.calls, server.billed_tokens
    assert calls <= most * (ceiling.max_calls or 10**9)
    assert tokens <= most * (ceiling.max_tokens or 10**9)
    assert stopped.missing > 0
    with ScriptedServer(corrupted(answer, 0.3)) as server:
        done = serve_and_play(tmp_path, server, resume=True)
        more = server.calls
    assert done.missing == 0 and done.success == 1.0
    # What had been answered was not asked again.
    assert calls + more == sum(done.calls.values())


def test_the_key_is_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def tells(body: dict[str, Any]) -> str:
        return f"{answer(body)} (your key is {KEY})"

    with ScriptedServer(tells, FaultPlan()) as server:
        serve_and_play(tmp_path, server, seeds=1)
    assert set(server.authorizations) == {f"Bearer {KEY}"}
    assert KEY not in (tmp_path / TRANSCRIPT).read_text(encoding="utf-8")


def test_what_a_ceiling_ended_between_attempts_is_paid_for_as_well(tmp_path: Path) -> None:
    """However often a run goes on with the same ceiling, its calls count what they have cost before."""
    plan = FaultPlan(always=("broken_json",))
    with ScriptedServer(answer, plan) as server:
        for resume in (False, True, True):
            budget = Budget(run=Ceiling(max_calls=4))
            stopped = serve_and_play(tmp_path, server, seeds=1, budget=budget, resume=resume)
    assert server.calls == 4 and stopped.missing == 1
    with ScriptedServer(answer) as server:
        done = serve_and_play(tmp_path, server, seeds=1, resume=True)
    records = read_records(tmp_path / TRANSCRIPT)
    attempts = [record["reply"]["attempts"] for record in records if record["kind"] == "call"]
    assert done.success == 1.0 and sum(attempts) == 4 + server.calls
    assert done.faults["broken_json"] == 4 and done.usage.estimated > 0
