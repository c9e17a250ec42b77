"""Every example runs as a reader would run it, and learns its small task."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

NEEDED_RETURN = {
    ("plain_ppo", "torch"): 10.0,
    ("stable_baselines3_maskable_ppo", "sb3_contrib"): 9.0,
    ("stable_baselines3_ppo", "stable_baselines3"): 10.0,
    ("torchrl_parallel", "torchrl"): 10.0,
    ("torchrl_turns", "torchrl"): 10.0,
}
"""By script and the library that it needs."""


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {name for name, _ in NEEDED_RETURN}


@pytest.mark.parametrize(("name", "library"), NEEDED_RETURN)
def test_example_learns(name: str, library: str) -> None:
    if importlib.util.find_spec(library) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{library} is not installed")
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr
    score = float(result.stdout.splitlines()[-1].removeprefix("return: "))
    assert score >= NEEDED_RETURN[name, library]
