"""Disks that are full or cannot be written: one sentence, nothing lost, and it goes on when there is room."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_files import without_times

import baselines
from baselines.training.checkpoint import load_checkpoint

SETTINGS = {"num_envs": 4, "rollout_steps": 5, "eval_interval": 4000, "eval_episodes": 2, "hidden_size": 4}
TRAIN = "train a2c-ind stmg/Penalty-v0 --seeds 2 --total-steps 8000 --threads 1 --out run " + " ".join(
    f"--{name.replace('_', '-')} {value}" for name, value in SETTINGS.items()
)
NAMESPACE = ["unshare", "--map-root-user", "--mount"]
"""In which anybody may mount what nobody else sees, where the system allows that."""
SCRIPT = """
set -e
mount -t tmpfs -o size=3m tmpfs "$1"
cd "$1"
head -c $(( $(df --output=avail -B1 . | tail -1) - $2 * 1024 )) /dev/zero > fill
"$3" -m baselines $4 2>&1 || echo "status $?"
rm fill
"$3" -m baselines $5 > again.txt 2>&1
cp -r run "$6"
"""


def has_namespaces() -> bool:
    """Whether a disk of one's own can be had."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_namespaces(), reason="this system lets nobody mount a file system of their own")
@pytest.mark.parametrize(
    ("kilobytes", "again", "said"),
    [
        (0, TRAIN, "out='run' cannot be made ([Errno 28] No space left on device"),
        (12, TRAIN, "No space left on device: run/"),
        (48, "train --resume run", "No space left on device: run/"),
    ],
    ids=["at once", "before the first checkpoint", "later"],
)
def test_a_full_disk_loses_nothing(tmp_path: Path, kilobytes: int, again: str, said: str) -> None:
    (tmp_path / "disk").mkdir()
    words = [str(tmp_path / "disk"), str(kilobytes), sys.executable, TRAIN, again, str(tmp_path / "run")]
    command = [*NAMESPACE, "sh", "-c", SCRIPT, "sh", *words]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    sentence = " ".join(told.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split())
    assert said in sentence and "Traceback" not in told and told.endswith("status 2\n")
    whole = tmp_path / "whole"
    baselines.train("a2c-ind", "stmg/Penalty-v0", seeds=2, out=whole, total_steps=8000, **SETTINGS)
    for file in ("results.json", "metrics.csv"):
        assert without_times(tmp_path / "run" / file) == without_times(whole / file)
    one, two = (load_checkpoint(tmp_path / run / "checkpoint.safetensors")[0] for run in ("run", "whole"))
    assert all((one[name] == two[name]).all() for name in two)


READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
cd "$1"
shift
python=$1
shift
for command; do "$python" -m baselines $command 2>&1 > /dev/null || echo "status $?"; done
"""
COMMANDS = [
    TRAIN.replace("--out run", "--out other"),
    "train --resume run --total-steps 16000",
    "evaluate run --episodes 2 --write",
    "report run",
    "leaderboard run --out site",
]


@pytest.mark.skipif(not has_namespaces(), reason="this system lets nobody mount a file system of their own")
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    baselines.train("a2c-ind", "stmg/Penalty-v0", seeds=2, out=tmp_path / "run", total_steps=4000, **SETTINGS)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    command = [*NAMESPACE, "sh", "-c", READ_ONLY, "sh", str(tmp_path), sys.executable, *COMMANDS]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    # What went wrong and the exit status, of one command after the other.
    sentences, statuses = told.splitlines()[::2], told.splitlines()[1::2]
    assert statuses == ["status 2"] * len(COMMANDS), told
    assert all(line.startswith("Error: ") and "Read-only file system" in line for line in sentences), told
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
