"""What runs come to: summaries, results files, and rows of the leaderboard that stand apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playing import Scripted, oracle, run

from baselines.errors import ResultsError
from baselines.evaluation.spread import Spread
from baselines.leaderboard.site import write_site
from baselines.llm.method import Method
from baselines.llm.page import write_pages
from baselines.llm.requests import Request
from baselines.llm.results import write_results
from baselines.llm.run import TRANSCRIPT
from baselines.llm.summary import summarize
from baselines.llm.transcript import read_records

TASK = "gridtransport(variant=easy,rows=2,columns=2)"


def gives_up(request: Request) -> str | None:
    """The third episode is lost in its first step."""
    return None if request.episode == 2 and request.role == "assessor" else oracle(request)


def test_a_summary_counts_steps_over_successes_only(tmp_path: Path) -> None:
    stories, records = run(tmp_path, Scripted(gives_up), Method(ask="none"), seeds=3)
    summary = summarize(records)
    assert summary.success == 2 / 3
    first, second = stories[0].steps, stories[1].steps
    assert summary.steps == Spread((first + second) / 2, abs(first - second) / 2)
    # Nine tokens for each of three calls a step.
    assert summary.tokens == Spread(27 * (first + second) / 2, 27 * abs(first - second) / 2)
    assert summary.calls == {role: first + second + 1 for role in ("assessor", "exploiter", "explorer")}
    assert summary.metrics["success"] == 1.0 and summary.missing == 0
    assert str(Spread(2, 0.5)) == "2.00 (0.50)"


def test_a_failed_episode_counts_the_lower_bound(tmp_path: Path) -> None:
    stories, records = run(tmp_path, Scripted(gives_up), Method(ask="none"), seeds=3)
    write_results(tmp_path, tmp_path / TRANSCRIPT, summarize(records))
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    final = results["stmg"][TASK]["llamac (scripted)"]["seed_0"]["absolute_metrics"]
    means = [sum(story.returns) / 4 for story in stories]
    assert final["return"][:2] == pytest.approx(means[:2])
    assert final["return"][2] < min(means[:2]) and final["success"] == [1.0, 1.0, 0.0]
    assert final["failed_episodes"] == [1.0]


def site_of(folder: Path) -> str:
    return write_site([folder / "run"], folder / "site").index.read_text(encoding="utf-8")


def test_rows_stand_apart_with_their_transcripts(tmp_path: Path) -> None:
    _, records = run(tmp_path / "run", Scripted(), Method(ask="none"), seeds=2)
    path = tmp_path / "run" / TRANSCRIPT
    write_results(tmp_path / "run", path, summarize(records))
    page = site_of(tmp_path)
    assert "<h2>Language models</h2>" in page and "<h2>All results</h2>" not in page
    assert TASK.split("(")[0] in page and "scripted" in page and records[0]["date"] in page
    (copied,) = (tmp_path / "site" / "transcripts").iterdir()
    assert copied.read_bytes() == path.read_bytes() and f"transcripts/{copied.name}" in page
    (row,) = json.loads((tmp_path / "site/data/language-models.json").read_text(encoding="utf-8"))
    assert (row["model"], row["episodes"], row["success"]) == ("scripted", 2, 1.0)
    assert row["tokens"] == summarize(records).usage.tokens


def test_a_transcript_must_be_the_one_that_made_the_results(tmp_path: Path) -> None:
    _, records = run(tmp_path / "run", Scripted(), Method(ask="none"))
    path = tmp_path / "run" / TRANSCRIPT
    write_results(tmp_path / "run", path, summarize(records))
    path.write_text(path.read_text(encoding="utf-8").replace("scripted", "gpt-9"), encoding="utf-8")
    with pytest.raises(ResultsError, match="expected the transcript that the results were made from"):
        site_of(tmp_path)
    path.unlink()
    with pytest.raises(ResultsError, match="is missing"):
        site_of(tmp_path)


def test_a_run_that_is_not_complete_has_no_results(tmp_path: Path) -> None:
    _, records = run(tmp_path, Scripted(), Method(ask="none"), seeds=2)
    partly = [record for record in records if record.get("episode") != 1]
    summary = summarize(partly)
    assert summary.missing == 1
    write_results(tmp_path, tmp_path / TRANSCRIPT, summary)
    assert not (tmp_path / "results.json").exists()
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest[f"{TASK} / llamac (scripted)"]["language_model"]["missing"] == 1
    assert len(read_records(tmp_path / TRANSCRIPT)) == len(records)


def test_games_that_cannot_be_drawn_have_pages_too(tmp_path: Path) -> None:
    _, records = run(tmp_path, Scripted(), Method(ask="none"), env_id="pettingzoo/mpe2.simple_spread_v3")
    page = write_pages(records, tmp_path / "pages").with_name("episode-0.html").read_text(encoding="utf-8")
    assert "<img" not in page and "agent_0" in page
