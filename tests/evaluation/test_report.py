"""The page: its facts, that it stands alone, and that it is the same for the same run."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hand_made import evaluate, final, make_run, plays
from pages import Page, report

from baselines.evaluation.report import read_run, write_report

ATTACK = "\"><script>alert('1')</script>&amp;"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    directory = tmp_path_factory.mktemp("runs") / "run"
    return report(make_run(directory, seeds=range(16), evaluate=evaluate, final=final, plays=plays))


def test_summary(page: Page) -> None:
    z = 1.959963984540054
    middle, half = 0.75 + z**2 / 32, z * math.sqrt(0.75 * 0.25 / 16 + z**2 / 1024)
    low, high = (100 * (middle + sign * half) / (1 + z**2 / 16) for sign in (-1, 1))
    text = page.text("header")
    assert (
        f"12 of 16 runs reached the optimum: 75 % (95 % Wilson interval {low:.1f} % to {high:.1f} %)" in text
    )
    # Twelve tens and four twos: the squares of deviations sum to 192; 2.131 is the quantile of t(15).
    margin = 2.131449545559323 * math.sqrt(192 / 15 / 16)
    ends = f"{8 - margin:.1f} to {8 + margin:.1f}"
    assert f"final mean return is 8.0 ± {margin:.1f} (95 % t-interval over 16 runs: {ends})" in text
    assert "16 independent runs, 200 environment steps each, 1 min 40 s of training for all runs" in text
    assert page.text("h1") == page.text("title") == "steer on penalty(k=-100)"
    assert "not finished" not in page.text()


def test_payoff_table(page: Page) -> None:
    text = page.text("plays")
    assert "10 NE SE OPT 75 % (12 of 16)" in text
    assert "2 NE 25 % (4 of 16)" in text
    assert "Leader first: agent_0, agent_1." in text
    shaded = [style for style in page.attributes("style") if "--shade" in style]
    assert [re.findall(r"0\.\d+", style) for style in shaded] == [["0.41"], ["0.23"]]


def test_distinct_plays(page: Page) -> None:
    cells = page.each("distinct-plays")
    head, body = cells[:5], cells[5:]
    assert head[1:] == ["runs", "share", "return of agent_0", "return of agent_1"]
    assert body == ["(1, 3)", "12", "75 %", "10", "10", "(2, 2)", "4", "25 %", "2", "2"]


def test_final_table(page: Page) -> None:
    cells = page.each("final-runs")
    assert cells[:5] == ["seed", "agent_0", "agent_1", "mean return", "optimal"]
    assert cells[5:10] == ["0", "10", "10", "10", "yes"]
    assert cells[5 + 5 * 15 : 5 + 5 * 16] == ["15", "2", "2", "2", "no"]
    # The interquartile mean leaves out the four twos and four of the tens.
    assert cells[5 + 5 * 16 :] == [
        *("mean", "8", "8", "8", "75 %"),
        *("IQM", "10", "10", "10"),
        *("min", "2", "2", "2"),
        *("max", "10", "10", "10"),
    ]
    assert "2 greedy episodes per run" in page.text("final")
    assert page.count("details") == 0


def test_curves(page: Page) -> None:
    labels = [label for label in page.attributes("aria-label") if label.startswith("Learning curve")]
    names = ["return", "optimal", "episode_return", "policy_loss", "entropy"]
    assert labels == [f"Learning curve: {name}" for name in names]
    assert "Dashed: best known return, 10." in page.text("evaluation")
    assert "episode return" in page.each("training")
    identifiers = list(page.attributes("id"))
    assert len(set(identifiers)) == len(identifiers)


def test_reproduction(page: Page) -> None:
    text = page.text("reproduction")
    for fact in (
        "stmg train steer",
        "stmg/Penalty-v0 k=-100",
        "0-15",
        "agent_0, agent_1 (the game's default)",
        "0123456789abcdef",
        "Python 3.11.7, stmg 0.1.0, torch 2.13.0",
        "Linux x86_64, cpu, threads: 1",
        "1 min 40 s",
    ):
        assert fact in text
    settings = ["total_steps", "200", "learning_rate", "0.0005", "use_state", "true"]
    assert page.each("configuration") == settings


def test_page_stands_alone(page: Page) -> None:
    for name in ("src", "href", "srcset", "data", "action"):
        assert all(value.startswith("#") for value in page.attributes(name))
    assert page.count("script") == page.count("link") == page.count("iframe") == 0
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    style = page.text("style")
    assert "http" not in style and "url(" not in style and "@import" not in style
    assert "prefers-color-scheme: dark" in style
    views = [values.get("content") for tag, values in page.tags if tag == "meta" and "content" in values]
    assert views == ["width=device-width, initial-scale=1"]


def test_same_bytes_for_the_same_run(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "run", evaluate=evaluate, final=final, plays=plays)
    first = write_report(read_run(directory), tmp_path / "first.html").read_bytes()
    assert write_report(read_run(directory), tmp_path / "first.html").read_bytes() == first
    assert str(tmp_path).encode() not in first
    assert not list(tmp_path.glob("*.partial"))


def test_everything_is_escaped(tmp_path: Path) -> None:
    directory = make_run(
        tmp_path / "run",
        algorithm=ATTACK,
        evaluate=lambda *_: {"return": [1.0], ATTACK: [2.0]},
        final=lambda _: {"return": [1.0], ATTACK: [2.0]},
        command=ATTACK,
        commit=ATTACK,
        versions={ATTACK: ATTACK},
        config={ATTACK: ATTACK},
    )
    page = report(directory)
    assert page.count("script") == 0
    assert ATTACK in page.text("title") and ATTACK in page.each("reproduction")
    assert f"Learning curve: {ATTACK}" in page.attributes("aria-label")
