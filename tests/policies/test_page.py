"""The page about one's own policy does what it says."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from baselines.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "your-own-policy.md"


@pytest.mark.skipif(sys.platform != "linux", reason="policies are confined on Linux only")
def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text()
    (program,) = re.findall(r"```python\n# mine.py\n(.*?)```", text, re.DOTALL)
    commands = re.findall(r"^    stmg (.*)$", text, re.MULTILINE)
    (tmp_path / "mine.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        arguments = shlex.split(command)
        few = ["--episodes", "4"] if arguments[0] == "evaluate" else []
        result = CliRunner().invoke(main, [*arguments, *few], terminal_width=200)
        assert result.exit_code == 0, result.output
    results = json.loads(Path("mine/results.json").read_text())["stmg"]["penalty(k=-100)"]
    assert list(results) == ["Careful", "Lucky"]
    assert results["Careful"]["seed_9"]["absolute_metrics"]["return"] == [2.0] * 4
    assert Path("site/index.html").is_file()
