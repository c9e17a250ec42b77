"""What is seen of a training while it goes on, when it is interrupted, and how it is taken up again."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baselines.cli import main, watch
from baselines.runs.trainer import Progress

TRAIN = ["train", "ippo", "stmg/Mixing-v0", "--hidden-size", "16", "--num-envs", "2", "--rollout-steps", "10"]


def stmg(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, list(arguments))


def test_progress_fits_into_80_columns_of_a_terminal(tmp_path: Path) -> None:
    result = stmg(
        *TRAIN,
        "--total-steps",
        "123456",
        "--eval-interval",
        "10000",
        "--goal",
        "return=-100",
        "--out",
        str(tmp_path / "run"),
        TTY_COMPATIBLE="1",
        COLUMNS="80",
        TERM="xterm-256color",
    )
    assert result.exit_code == 0, result.output
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.stderr)
    drawn = [line for line in re.split(r"[\r\n]+", plain) if "steps" in line and "return" in line]
    assert drawn and all(len(line.rstrip()) <= 80 for line in drawn)
    assert re.search(r"20k/123k steps, [\d.]+k?/s, 0:\d\d:\d\d left return -?[\d.]+, optimal 0/1", drawn[-1])


def test_elsewhere_a_line_tells_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with watch.watching("title") as tell:
        for step in range(100, 2_100, 100):
            tell(Progress(step, 2_000, 1.5, None, 4, 0))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("title: step 200/2000, ")
    assert re.fullmatch(r"title: step 1800/2000, [\d.]+[kMG]?/s, 0:00:00 left, return 1\.5", lines[-2])
    assert re.fullmatch(r"title: step 2000/2000, [\d.]+[kMG]?/s, return 1\.5", lines[-1])


def test_steps_that_are_rounded_are_said(tmp_path: Path) -> None:
    result = stmg(*TRAIN, "--total-steps", "50", "--out", str(tmp_path / "run"))
    assert "50 steps are rounded to 40: an update takes 20, 10 in each of 2 environments" in result.stderr
    assert "runs of 40 steps" in result.output
    exact = stmg(*TRAIN, "--total-steps", "40", "--out", str(tmp_path / "exact"))
    assert "rounded" not in exact.stderr


def test_ctrl_c_says_where_it_stopped_and_the_command_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = watch._state

    def interrupting(progress: Any) -> str:
        if progress.step == 60:
            signal.raise_signal(signal.SIGINT)
        return state(progress)

    monkeypatch.setattr(watch, "_state", interrupting)
    out = tmp_path / "my run"
    stopped = stmg(*TRAIN, "--total-steps", "200", "--out", str(out))
    assert stopped.exit_code == 1
    assert f"{out} stopped at step 60 of 200 and can be resumed; nothing is lost." in stopped.stderr
    assert f"stmg train --resume '{out}'" in stopped.stderr
    monkeypatch.undo()
    resumed = stmg("train", "--resume", str(out))
    assert resumed.exit_code == 0, resumed.output
    assert "1 runs of 200 steps" in resumed.output
    longer = stmg("train", "--resume", str(out), "--total-steps", "240", "--processes", "2")
    assert "1 runs of 240 steps" in longer.output


def test_options_of_resuming_stand_alone(tmp_path: Path) -> None:
    mixed = stmg("train", "--total-steps", "10", "ippo", "stmg/Mixing-v0")
    assert mixed.exit_code == 2
    assert "--total-steps stands before 'ippo'" in " ".join(mixed.output.replace("│", " ").split())
    nothing = stmg("train")
    assert nothing.exit_code == 2
    assert "Example: stmg train --resume runs/penalty" in nothing.output


def test_help_shows_the_defaults_of_the_environment_in_groups() -> None:
    def default(words: list[str], flag: str) -> str:
        text = " ".join(stmg("train", *words, "--help", COLUMNS="200").output.split())
        found = re.search(rf"│ {flag} .*?\[default: ([^\]]*)\]", text)
        assert found is not None
        return found.group(1)

    assert default(["mappo", "stmg/Coordination-v0"], "--reward-interaction") == "sum"
    assert default(["mappo", "stmg/Coordination-v0"], "--entropy-start") == "1.0"
    assert default(["mappo", "stmg/OnRampMerge-v0", "--seeds", "3"], "--entropy-start") != "1.0"
    assert default(["mappo"], "--total-steps") == "1000000"
    assert default(["steer", "stmg/Penalty-v0", "--preset", "football"], "--total-steps") == (
        default(["steer", "stmg/Football-v0"], "--total-steps")
    )
    text = stmg("train", "mappo", "--help").output
    for group in ("What", "Machine", "Every learner that learns from rewards", "MAPPO and IPPO"):
        assert f"─ {group} ─" in text
