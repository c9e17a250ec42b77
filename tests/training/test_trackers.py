from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import baselines
from baselines.errors import ConfigError

STMG = Path(sys.executable).parent / "stmg"
TRAIN = ["train", "mappo", "stmg/Penalty-v0", "--wandb", "penalties", "--out", "run", "--threads", "1"]
SHORT = ["--total-steps", "400", "--eval-interval", "100"]


def test_weights_and_biases_keep_a_record(tmp_path: Path) -> None:
    offline = os.environ | {"WANDB_MODE": "offline"}
    done = subprocess.run(
        [STMG, *TRAIN, *SHORT], cwd=tmp_path, env=offline, capture_output=True, text=True, check=True
    )
    summary = [line.removeprefix("wandb:").split() for line in done.stderr.splitlines()]
    assert ["environment_steps", "400"] in summary
    assert {"evaluation/return", "entropy/mean"} <= {words[0] for words in summary if words}
    name = (tmp_path / "run" / "wandb_id").read_text().strip()
    (record,) = (tmp_path / "run" / "wandb").glob(f"offline-run-*-{name}/run-{name}.wandb")
    assert record.stat().st_size > 0


def test_without_an_account_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(ConfigError, match=r"wandb='mine' finds no account; run `wandb login`"):
        baselines.train("mappo", "stmg/Penalty-v0", out=tmp_path / "run", wandb="mine")
    assert not (tmp_path / "run").exists()
