"""`stmg llm` as a user calls it, beside a scripted endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from baselines.cli import main
from baselines.llm.scripted.oracle import answer
from baselines.llm.scripted.server import ScriptedServer

pytest.importorskip("openai", reason="the package openai is not installed; try: pip install 'stmg[llm]'")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(answer) as server:
        yield server


def stmg(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["llm", *map(str, arguments)], terminal_width=200)


def run(server: ScriptedServer, out: Path, *more: str, env_id: str = "stmg/GridTransport-v0") -> Result:
    asked = ["--model", "scripted", "--base-url", server.base_url, "--out", str(out), "--seeds", "2"]
    return stmg("run", env_id, *asked, *more)


@pytest.mark.parametrize("name", ["run", "replay", "report", "serve"])
def test_every_subcommand_has_help_with_an_example(name: str) -> None:
    result = stmg(name, "--help")
    assert result.exit_code == 0
    assert f"Example: stmg llm {name}" in " ".join(result.output.split())


def test_run_replay_and_report(server: ScriptedServer, tmp_path: Path) -> None:
    out = tmp_path / "boxes"
    result = run(server, out)
    assert result.exit_code == 0, result.output
    assert "2/2" in result.output and "100" in result.output
    written = {file.name for file in out.iterdir() if not file.name.startswith(".")}
    assert written == {"transcript.jsonl", "results.json", "manifest.json"}
    result = stmg("replay", out)
    assert result.exit_code == 0 and "2 episodes came out again, with the same bytes" in result.output
    result = stmg("report", out)
    assert result.exit_code == 0 and "steps" in result.output
    # What the papers reached on the same task stands below it.
    rows = [line.split() for line in result.output.splitlines() if "GPT-4" in line]
    assert [row[1] for row in rows] == ["hmas-2", "llamac"]
    assert " ".join(rows[1]).endswith("100 % 7.00 (1.79) 2.00 (1.26) 23900.00 (8380.00)")
    page = (out / "pages" / "index.html").read_text(encoding="utf-8")
    assert page.count("episode-") == 2
    episode = (out / "pages" / "episode-1.html").read_text(encoding="utf-8")
    assert episode.count("data:image/png") == 1 + episode.count("<h2>Step ")
    assert "<script" not in episode


def test_a_ceiling_ends_with_status_1_and_resume_goes_on(server: ScriptedServer, tmp_path: Path) -> None:
    result = run(server, tmp_path / "boxes", "--max-calls", "10")
    assert result.exit_code == 1 and server.calls == 10
    assert "a ceiling was reached" in result.output and "--resume" in result.output
    assert not (tmp_path / "boxes" / "results.json").exists()
    result = run(server, tmp_path / "boxes", "--resume")
    assert result.exit_code == 0, result.output
    calls = json.loads((tmp_path / "boxes/manifest.json").read_text(encoding="utf-8"))
    (entry,) = calls.values()
    assert entry["language_model"]["calls"] == server.calls
    # Nothing is left to ask.
    assert run(server, tmp_path / "boxes", "--resume").exit_code == 0
    assert entry["language_model"]["calls"] == server.calls


def test_a_transcript_that_was_changed_differs(server: ScriptedServer, tmp_path: Path) -> None:
    run(server, tmp_path / "boxes")
    path = tmp_path / "boxes" / "transcript.jsonl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"done": false', '"done": true', 1), encoding="utf-8")
    result = stmg("replay", tmp_path / "boxes")
    assert result.exit_code == 1 and result.output.startswith("differs: line ")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--max-usd", "1"], "without prices"),
        (["--usd-prompt", "1"], "prices are not complete"),
        (["--usd-prompt", "-1", "--usd-completion", "1"], "is negative"),
        (["--base-url", "localhost:8000"], "no address of an endpoint"),
        (["--max-concurrency", "0"], "max_concurrency=0"),
        (["--key-env", "sk-123"], "no name of an environment variable"),
        (["--seeds", "1,1"], "expected distinct integers"),
        (["--env-arg", "variant=medium"], "variant='medium'"),
        (["--resume"], "there is nothing to go on with"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(
    server: ScriptedServer, tmp_path: Path, more: list[str], said: str
) -> None:
    result = run(server, tmp_path / "boxes", *more)
    assert result.exit_code == 2 and said in " ".join(result.output.split()), result.output
    assert server.calls == 0 and not (tmp_path / "boxes").exists()


def test_games_with_continuous_actions_are_refused(server: ScriptedServer, tmp_path: Path) -> None:
    result = run(server, tmp_path / "x", env_id="stmg/CooperativeHunting-v0")
    assert (
        result.exit_code == 2 and "has continuous actions" in result.output and not (tmp_path / "x").exists()
    )


def test_no_key_no_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = stmg("run", "stmg/Penalty-v0", "--model", "gpt-4o-mini", "--out", tmp_path / "x")
    assert result.exit_code == 2 and "OPENAI_API_KEY" in result.output and not (tmp_path / "x").exists()


def test_a_key_that_is_refused_ends_the_run_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baselines.llm.scripted.faults import FaultPlan

    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrongwrongwrong")
    with ScriptedServer(answer, FaultPlan(always=("wrong_key",))) as server:
        result = run(server, tmp_path / "boxes")
    assert result.exit_code == 2 and "401" in result.output and "sk-wrong" not in result.output
    assert "--resume" in result.output


def test_an_endpoint_that_cannot_be_reached_ends_the_run_and_leaves_no_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baselines.llm.retry.Retry.wait", lambda *_: 0.0)
    with ScriptedServer(answer) as server:
        pass
    result = run(server, tmp_path / "boxes")
    said = " ".join(result.output.split())
    assert result.exit_code == 2 and "cannot be reached" in said and "--resume" in said, said
    assert not (tmp_path / "boxes" / "results.json").exists()


def test_what_the_endpoint_complains_of_is_said(tmp_path: Path) -> None:
    from baselines.llm.scripted.faults import FaultPlan

    with ScriptedServer(answer, FaultPlan(always=("context_overflow",))) as server:
        result = run(server, tmp_path / "boxes")
    said = " ".join(result.output.split())
    assert "the endpoint said of refused: \"This model's maximum context length" in said


def test_a_port_that_is_taken_is_said(server: ScriptedServer) -> None:
    port = server.base_url.split(":")[2].split("/")[0]
    result = stmg("serve", "--port", port)
    assert result.exit_code == 2 and f"port={port} of 127.0.0.1 cannot be listened on" in result.output


def test_what_others_say_is_no_markup_and_nothing_that_a_terminal_obeys(
    server: ScriptedServer, tmp_path: Path
) -> None:
    result = run(server, tmp_path / "[/boxes]", "--model", "[/red]")
    assert result.exit_code == 0 and "[/red]" in result.output and "[/boxes]" in result.output, result.output
    path = tmp_path / "[/boxes]" / "transcript.jsonl"
    text = path.read_text(encoding="utf-8").replace("[/red]", "\\u001b[2J")
    path.write_text(text.replace('"failure": null, "steps"', '"failure": "\\u001b[2J", "steps"'), "utf-8")
    result = stmg("report", path)
    assert result.exit_code == 0 and r"episodes, \x1b[2J" in result.output and "\x1b" not in result.output
    path.write_text(text.replace('"metrics": {', '"metrics": {"\\u001b[2J": null, '), "utf-8")
    result = stmg("report", path)
    assert result.exit_code == 2 and r"\x1b[2J" in result.output and "\x1b" not in result.output


def test_where_there_is_no_run_it_is_said(tmp_path: Path) -> None:
    for name in ("replay", "report"):
        result = stmg(name, tmp_path)
        assert result.exit_code == 2 and "does not exist; expected what stmg llm run wrote" in " ".join(
            result.output.split()
        )
