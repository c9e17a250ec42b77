from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from baselines.algorithms.registry import ALGORITHMS
from baselines.cli import main
from stmg_envs.registry import REGISTRY

STMG = Path(sys.executable).parent / "stmg"

CASES = [
    ([], "tr", {"train"}),
    (["train"], "ste", {"steer", "step"}),
    (["train", "steer"], "stmg/Pen", {"stmg/Penalty-v0"}),
    (["train", "steer"], "--entropy-s", {"--entropy-start"}),
    (["solve"], "stmg/Mix", {"stmg/Mixing-v0"}),
    (["evaluate", "--env"], "stmg/OnR", {"stmg/OnRampMerge-v0"}),
    (["reproduce"], "tab", {"table1"}),
]


@pytest.mark.parametrize(("words", "begun", "expected"), CASES)
def test_commands_options_and_ids_are_completed(words: list[str], begun: str, expected: set[str]) -> None:
    found = ShellComplete(main, {}, "stmg", "_STMG_COMPLETE").get_completions(words, begun)
    assert {item.value for item in found} == expected


def test_bash_completes_with_the_script() -> None:
    script = f"""
        export PATH={STMG.parent}:$PATH
        eval "$(stmg completion bash)"
        COMP_WORDS=(stmg train steer stmg/Penalty) COMP_CWORD=3
        _stmg_completion stmg
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["stmg/Penalty-v0"]


def test_names_of_packages_are_completed_whole_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"my-algorithm": EntryPoint("my-algorithm", "no_such_module:ROW", "stmg.algorithms")}
    games = {"my/Game-v0": EntryPoint("my/Game-v0", "no_such_module:ROW", "stmg.games")}
    monkeypatch.setattr(ALGORITHMS, "_offered", broken)
    monkeypatch.setattr(REGISTRY, "_offered", games)
    complete = ShellComplete(main, {}, "stmg", "_STMG_COMPLETE").get_completions
    assert {item.value for item in complete(["train", "steer"], "my/")} == {"my/Game-v0"}
    assert complete(["train"], "my-") == []
    assert "mappo" in {item.value for item in complete(["train"], "ma")}
