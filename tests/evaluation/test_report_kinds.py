"""Every kind of run: unfinished, single, many, of other games, with missing numbers, broken."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hand_made import evaluate, final, make_run, plays
from pages import Page, report

from baselines.evaluation.report import read_run, render_report, write_report
from baselines.evaluation.report_inputs import ReportInputs
from stmg_envs.errors import InvalidArgumentError


def test_run_in_progress(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", steps=(0, 100), seeds=range(16), evaluate=evaluate))
    text = page.text("header")
    assert "not finished" in text and "evaluation at step 100" in text
    assert "12 of 16 runs are at the optimum" in text and "mean return so far is 8.0" in text
    assert "100 of 200 environment steps" in text
    assert "Last evaluation so far" in page.text("final")
    assert page.each("final-runs")[:3] == ["seed", "mean return", "optimal"]
    assert page.text("plays") == ""


def test_run_before_its_first_update(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", steps=(0,), evaluate=evaluate))
    assert "No update has finished yet." in page.text("training")
    assert "-100 in every run" in page.text("header")


def test_interrupted_run_that_was_evaluated(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", steps=(0, 100), evaluate=evaluate, final=final, plays=plays))
    assert "Training is not complete: it stands at 100 of 200" in page.text("header")
    assert "Final evaluation" in page.text("final")


def test_planned_steps_are_those_of_full_updates(tmp_path: Path) -> None:
    config = {"total_steps": 299, "num_envs": 4, "rollout_steps": 50}
    page = report(make_run(tmp_path / "run", evaluate=evaluate, final=final, config=config))
    assert "not complete" not in page.text() and "200 environment steps" in page.text("header")


def test_single_run(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", seeds=[5], evaluate=evaluate, final=final, plays=plays))
    text = page.text("header")
    assert "1 of 1 run reached the optimum. The final mean return" in text
    assert "final mean return is 10; a single run has no interval" in text
    assert "a single run has no confidence band" in page.text("evaluation")
    assert "nan" not in page.text().lower()


def test_equal_runs(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", seeds=range(3), evaluate=evaluate, final=final))
    assert "final mean return is 10 in every run (95 % interval 10 to 10)" in page.text("header")
    assert "The episodes themselves were not recorded." in page.text("final")


def test_hundred_runs_are_folded(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", seeds=range(100), evaluate=evaluate, final=final, plays=plays))
    assert page.count("details") == 1
    assert "Show all 100 runs" in page.text("details")
    assert len(page.each("final-runs")) == 5 * 101
    assert page.each("final-summary")[4:9] == ["mean", "2.96", "2.96", "2.96", "12 %"]
    assert "12 % (12 of 100)" in page.text("plays")


def test_no_known_optimum(tmp_path: Path) -> None:
    directory = make_run(
        tmp_path / "run",
        env_id="stmg/MatrixGame-v0",
        env_args={"payoffs": "climbing", "repeats": 2},
        evaluate=lambda seed, step: {"return": [seed + 0.5] * 2, "win_rate": [0.5, 0.25]},
        final=lambda seed: {"return": [seed + 0.5] * 2, "win_rate": [0.5, 0.25]},
        plays=lambda seed: ([[0.0, 0.0], [1.0, seed]], [1.0, 2.0]),
    )
    page = report(directory)
    assert "optimum" not in page.text("header") and "Dashed" not in page.text()
    assert page.each("final-runs")[3:5] == ["mean return", "win_rate"]
    assert "Learning curve: win_rate" in page.attributes("aria-label")
    assert "Last joint action at stage 0 (timestep 2), where 2 of 2 runs end" in page.text("plays")


def test_three_agents_in_another_order(tmp_path: Path) -> None:
    directory = make_run(
        tmp_path / "run",
        env_id="stmg/Meeting-v0",
        env_args={},
        evaluate=lambda *_: {"return": [20 / 3]},
        final=lambda _: {"return": [20 / 3]},
        plays=lambda seed: ([[2.0, 2.0, 1.0]], [7.0, 7.0, 6.0]),
        priority=["scooter_0", "gus_0", "henry_0"],
    )
    page = report(directory)
    assert "Leader first: scooter_0, gus_0, henry_0" in page.text("plays")
    assert page.each("caption") == ["scooter_0: room", "scooter_0: cornfield"]
    assert "7, 7, 6 NE SE OPT 100 % (2 of 2)" in page.text("plays")
    assert page.each("final-runs")[:4] == ["seed", "gus_0", "henry_0", "scooter_0"]
    assert "scooter_0, gus_0, henry_0" in page.each("reproduction")


def test_random_priority(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", evaluate=evaluate, final=final, plays=plays, priority="random"))
    assert "the runs draw a new one every episode" in page.text("plays")
    assert "random (a new order every episode)" in page.text("reproduction")
    assert "Dashed" not in page.text("evaluation")


def test_large_games_list_their_plays_only(tmp_path: Path) -> None:
    payoffs = [[[float(row == column) for row in range(30)] for column in range(30)]] * 2
    page = report(
        make_run(
            tmp_path / "run",
            env_id="stmg/MatrixGame-v0",
            env_args={"payoffs": payoffs},
            evaluate=evaluate,
            final=final,
            plays=lambda seed: ([[29.0, float(seed)]], [0.0, 0.0]),
        )
    )
    assert len(page.text("h1")) < 120
    assert page.text("plays").startswith("What the policies play 2 distinct greedy plays")
    assert "(30, 1)" in page.each("distinct-plays")


def test_games_that_are_no_matrix_games(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = make_run(
        tmp_path / "run",
        evaluate=evaluate,
        final=final,
        plays=lambda _: ([[[0.25, -1.0], [0.5, 1.0]]], [1.0, 2.0]),
    )

    class Continuous:
        """All that a report asks of a game."""

        agents = default_priority = ("left_0", "right_0")

        def optimal_returns(self, priority: tuple[int, ...]) -> None:
            return None

    monkeypatch.setattr(ReportInputs, "game", Continuous())
    page = Page(render_report(read_run(directory)))
    assert page.text("plays") == ""
    assert page.each("final-runs")[:3] == ["seed", "left_0", "right_0"]


def test_missing_numbers_are_named(tmp_path: Path) -> None:
    def train(seed: int, step: int) -> dict[str, float]:
        return {"episode_return": math.nan, "grad_norm": math.inf if seed else 1.0}

    text = report(make_run(tmp_path / "run", evaluate=evaluate, train=train)).text("training")
    assert "4 of 4 values are not finite: no episode ended; they are left out." in text
    assert "2 of 4 values are not finite; they are left out." in text


def test_wrong_plays_and_orders(tmp_path: Path) -> None:
    wrong = make_run(tmp_path / "a", evaluate=evaluate, plays=lambda _: ([[0.0, 9.0]], [1.0, 1.0]))
    with pytest.raises(InvalidArgumentError, match=r"plays\.json"):
        render_report(read_run(wrong))
    wrong = make_run(tmp_path / "b", evaluate=evaluate, priority=["agent_0", "agent_7"])
    with pytest.raises(InvalidArgumentError, match="agent_7"):
        render_report(read_run(wrong))


def test_unwritable_path(tmp_path: Path) -> None:
    run = read_run(make_run(tmp_path / "run", evaluate=evaluate))
    with pytest.raises(InvalidArgumentError, match="cannot be written"):
        write_report(run, tmp_path / "missing" / "report.html")
