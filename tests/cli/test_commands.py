from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

import stmg_envs
from baselines.cli import COMMANDS, main

SMALL = ["--total-steps", "300", "--embedding-dim", "16", "--threads", "1"]


def stmg(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), terminal_width=200)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = stmg(name, "--help")
    assert result.exit_code == 0
    assert f"Example: stmg {name}" in " ".join(result.output.split())


def test_envs_lists_every_id() -> None:
    result = stmg("envs")
    assert result.exit_code == 0
    assert "stmg/Penalty-v0" in result.output
    assert "stmg/CollectionStage-v0" in result.output


def test_envs_fits_into_80_columns() -> None:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["envs"])
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in result.output
    # Every environment is whole on a line of its own.
    assert sum(line.startswith(" stmg/") for line in lines) == len(stmg_envs.list_envs())
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith(" stmg/")}
    assert rows["stmg/Coordination-v0"] == ["2", "3", "15", "-", "26.5", "-"]
    assert rows["stmg/CooperativeHunting-v0"] == ["3", "2", "reals", "20", "17", "-", "-"]


def test_solve_marks_the_equilibria_of_the_priority() -> None:
    result = stmg("solve", "stmg/Mixing-v0", "--priority", "agent_1,agent_0")
    assert result.exit_code == 0
    assert "Stackelberg equilibrium: (1, 3) = (-8, 4)" in result.output
    assert "pure Nash equilibria:    (2, 2) = (-5, 0)" in result.output


def test_solve_plays_a_game_in_stages_to_its_end() -> None:
    result = stmg("solve", "stmg/Coordination-v0")
    assert "returns: (29, 24), mean 26.5" in result.output


def test_train_evaluate_and_report(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    trained = stmg(
        "train", "steer", "stmg/Penalty-v0", "--env-arg", "k=-100", "--seeds", "3,5", "--out", out, *SMALL
    )
    assert trained.exit_code == 0, trained.output
    assert "exact Stackelberg equilibrium reached:" in trained.output
    assert f"run directory: {out}" in trained.output
    evaluated = stmg("evaluate", out, "--episodes", "4")
    assert "over 2 runs x 4 episodes" in evaluated.output
    reported = stmg("report", out)
    assert reported.exit_code == 0, reported.output
    assert Path(reported.output.removeprefix("report:").strip()).is_file()


MISTAKES = [
    (["trian"], "Did you mean 'train'"),
    (["train", "ster", "stmg/Penalty-v0"], "steer"),
    (["train", "steer", "stmg/Penalti-v0"], "stmg/Penalty-v0"),
    (["train", "steer", "stmg/Penalty-v0", "--lerning-rate", "1"], "--learning-rate"),
    (["train", "steer", "stmg/Penalty-v0", "--env-arg", "k"], "name=value"),
    (["train", "steer", "stmg/Penalty-v0", "--env-arg", "k=high"], "k='high'"),
    (["train", "steer", "stmg/Penalty-v0", "--seeds", "a"], "'a' names no seeds"),
    (["train", "steer", "stmg/Penalty-v0", "--clip", "-1"], "clip=-1.0"),
    (["solve", "stmg/Penalty-v0", "--priority", "agent_0"], "permutation"),
    (["solve", "stmg/Penalty-v0", "--stage", "4"], "stage=4"),
    (["evaluate", "no_such_run"], "no run directory"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: " ".join(value)[:50])
def test_a_mistake_is_one_clear_message(arguments: list[str], message: str) -> None:
    result = stmg(*arguments)
    assert result.exit_code == 2
    words = " ".join(result.output.replace("│", " ").split())
    assert message in words
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("said", "threads"), [(None, 1), ("2", 2), ("3,2", 3), ("", 1), ("0", 1), ("many", 1), ("-4", 1)]
)
def test_commands_use_one_thread_or_what_the_environment_says(
    said: str | None, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    run = tmp_path / "run"
    assert stmg("train", "mappo", "stmg/Penalty-v0", *SMALL[:2], "--out", str(run)).exit_code == 0
    assert json.loads((run / "run.json").read_text())["threads"] == threads
    torch.set_num_threads(1)
    stmg("evaluate", str(run), "--episodes", "1")
    assert torch.get_num_threads() == threads


SLOW = ("torch", "gymnasium", "numpy", "pydantic")


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--version"], {}),
        (["--help"], {}),
        ([], {"_STMG_COMPLETE": "bash_complete", "COMP_WORDS": "stmg tr", "COMP_CWORD": "1"}),
    ],
)
def test_help_version_and_completion_import_nothing_slow(
    arguments: list[str], variables: dict[str, str]
) -> None:
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print(sorted(set({SLOW!r}) & set(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['stmg', *{arguments!r}]\n"
        "from baselines.cli import main\n"
        "main(prog_name='stmg')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, check=True
    )
    assert done.stdout
    assert done.stderr.strip() == "[]"
