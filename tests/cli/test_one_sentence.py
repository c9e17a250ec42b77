"""Commands with impossible arguments end in one sentence, in any locale, and leave nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from baselines.cli import main

CALLS = [
    ("stmg/MultiAgentMujoco-v0 --env-arg scenario=[]", "scenario=[] is no text"),
    ("stmg/CooperativeHunting-v0 --env-arg variant=[]", "variant=[] is unknown; expected one of"),
    ("stmg/OnRampMerge-v0 --env-arg backend=[]", "backend=[] is none of stmg/OnRampMerge-v0"),
    ("gymnasium/no.such:X-v0", "id='gymnasium/no.such:X-v0' cannot be imported"),
    ("pettingzoo/", "id='pettingzoo/' names no module"),
    ("pettingzoo/mpe2.simple_spread_v3 --env-arg N=0", "cannot be made with the arguments {'N': 0}"),
    ("stmg/Penalty-v0 --seeds 3,18446744073709551616 --out big", "seeds=(3, 18446744073709551616) is not"),
    ("stmg/Penalty-v0 --num-envs 1000000000000 --out huge", "num_envs=1000000000000 in"),
    ("stmg/Penalty-v0 --out /etc/hostname/x", "out='/etc/hostname/x' cannot be made"),
    ("stmg/Penalty-v0 --device meta --out m", "device='meta' cannot be used (it holds no numbers)"),
]


@pytest.mark.parametrize(("call", "said"), CALLS, ids=[call for call, _ in CALLS])
def test_one_sentence_and_nothing_left(
    call: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["train", "mappo", *call.split()], terminal_width=300)
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit)
    last = result.output.splitlines()[-1]
    assert last.startswith("Error: ") and said in last
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments", [["solve", "stmg/Mixing-v0"], ["train", "mappo", "no/\u2603"], ["runs", "list", "\u00e9"]]
)
def test_a_locale_of_ascii_alone(arguments: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment["PYTHONPATH"] = os.pathsep.join([os.getcwd(), environment.get("PYTHONPATH", "")])
    program = "from baselines.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, cwd=tmp_path, capture_output=True
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == (0 if arguments[0] == "solve" else 2)
    assert arguments[0] == "solve" or (done.stdout + done.stderr).isascii()
