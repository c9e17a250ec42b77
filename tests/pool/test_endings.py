"""However the program ends that has workers, nothing of them stays."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from processes import PATIENCE, eventually, running, shared_memory, start
from small import SIZES

import baselines

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

TRAINING = """
import sys
import baselines

if __name__ == "__main__":
    baselines.train("steer", "gymnasium/CartPole-v1", workers=2, out={out!r}, **{config!r})
"""
PLAYING = """
import stmg_envs, torch
from wrappers import external_vector_env

if __name__ == "__main__":
    env = external_vector_env("gymnasium/CartPole-v1", 4, workers=2)
    env.reset(seed=0)
    print("started", flush=True)
    {then}
"""
CONFIG = SIZES["steer"] | {
    "num_envs": 4,
    "rollout_steps": 10,
    "total_steps": 400_000,
    "eval_interval": 400_000,
    "eval_episodes": 2,
}


def test_ctrl_c_ends_all_processes_and_the_run_can_be_resumed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    program = start(TRAINING.format(out=str(out), config=CONFIG))
    assert eventually(lambda: (out / "metrics.csv").is_file())
    workers = running(program.pid)
    assert len(workers) >= 5, "the program, two pools of two workers"
    # As a terminal does it: to all processes of the group.
    os.killpg(program.pid, signal.SIGINT)
    _, errors = program.communicate(timeout=PATIENCE)
    assert program.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors and "lost" not in errors
    assert eventually(lambda: not running(program.pid))
    steps = baselines.training.checkpoint.load_checkpoint(out / "checkpoint.safetensors")[1]["updates"] * 40
    assert steps > 0

    def stop(progress: object) -> None:
        raise EOFError(progress)

    with pytest.raises(EOFError, match=f"step={steps + 40}"):
        baselines.train(
            "steer", "gymnasium/CartPole-v1", workers=1, out=out, resume=True, watch=stop, **CONFIG
        )


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("pass", 0),
        ("env.send(torch.zeros(4, 1, dtype=torch.int64)); raise ValueError('of the learner')", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    ],
)
def test_no_process_and_no_memory_outlives_the_program(then: str, code: int) -> None:
    before = shared_memory()
    program = start(PLAYING.format(then=then))
    told, errors = program.communicate(timeout=PATIENCE)
    assert told == "started\n"
    assert program.returncode == code, errors
    assert ("of the learner" in errors) == (code == 1)
    assert "leaked" not in errors
    assert eventually(lambda: not running(program.pid))
    assert shared_memory() == before


HANGING = """
import sys
sys.path[:0] = {path!r}
import torch
from hazards import HANG, Hazards
from stmg_envs.pool import PoolVectorEnv

if __name__ == "__main__":
    env = PoolVectorEnv(Hazards, 2, workers=1)
    env.reset(seed=0)
    env.send(torch.full((2, 2), HANG))
    print("started", flush=True)
    env.receive()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_not_even_a_worker_that_hangs_outlives_the_program(number: signal.Signals) -> None:
    program = start(HANGING.format(path=[str(Path(__file__).parent)]))
    assert program.stdout is not None and program.stdout.readline() == "started\n"
    os.kill(program.pid, number)
    program.communicate(timeout=PATIENCE)
    assert program.returncode == -number
    assert eventually(lambda: not running(program.pid))
