from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from baselines.cli import main


def dry_run(*arguments: str) -> list[str]:
    result = CliRunner().invoke(main, ["train", *arguments, "--dry-run"], terminal_width=200)
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_every_field_is_shown_with_who_sets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = dry_run("a2c-dri", "stmg/PrisonersDilemma-v0", "--gamma", "0.5", "--seeds", "3,5")
    assert "gamma 0.5 given" in lines
    assert "reward_interaction dri algorithm" in lines
    assert "total_steps 20000 preset matrix-one-shot" in lines
    assert "huber_delta 10.0 default" in lines
    assert "seeds: 3, 5" in lines
    assert "training: 500 updates of 40 steps, 20,000 per run" in lines
    assert not list(tmp_path.iterdir())


def test_the_present_plan_of_a_run_is_shown_before_it_goes_on(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    arguments = ["mappo", "stmg/Penalty-v0", "--out", out, "--total-steps", "200"]
    assert CliRunner().invoke(main, ["train", *arguments]).exit_code == 0
    taken = CliRunner().invoke(main, ["train", *arguments, "--dry-run"])
    assert taken.exit_code == 2 and "exists already" in taken.output
    assert f"out: {out}" in dry_run(*arguments, "--resume")
