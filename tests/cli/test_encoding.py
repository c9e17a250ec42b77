"""Commands print in any encoding, and columns stay where they are."""

from __future__ import annotations

import io
import sys

import pytest

from baselines.cli import main
from baselines.cli.encoding import print_anywhere


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: str) -> str:
    """What a command prints where output has an encoding."""
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding=encoding))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(output, encoding=encoding))
    with pytest.raises(SystemExit):
        main(list(arguments))
    sys.stdout.flush()
    sys.stderr.flush()
    return output.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp437"])
@pytest.mark.parametrize(
    "command", [["solve", "stmg/Mixing-v0"], ["envs"], ["--help"], ["solve", "no/\u2603"]]
)
def test_commands_print(monkeypatch: pytest.MonkeyPatch, encoding: str, command: list[str]) -> None:
    text = printed(monkeypatch, encoding, *command)
    assert any(word in text for word in ("Stackelberg", "stmg/Penalty-v0", "Usage", "no/\\u2603"))


def test_a_payoff_table_keeps_its_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, "latin-1", "solve", "stmg/Mixing-v0").splitlines()
    assert lines[3:6] == [
        "+-------------------------------------------------+",
        "| agent_0 \\ agent_1 |    1    |    2    |    3    |",
        "|-------------------+---------+---------+---------|",
    ]


def test_similar_characters_stand_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding="ascii"))
    print_anywhere()
    print("80\u00a0% \u2026 \u00e9\u2603\u2550\u2502\ud800", end="", flush=True)
    assert output.getvalue() == b"80 % ... e\\u2603-|\\ud800"
