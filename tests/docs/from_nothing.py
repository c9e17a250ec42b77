"""Commands of a page, run as a new user would: in an empty folder, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from fences import ROOT, blocks


def commands(page: Path, number: int) -> list[str]:
    """The commands of one of a page's blocks, one per entry."""
    shown = [block for block in blocks(page) if block.language == "bash"]
    return shown[number].text.replace("\\\n", "").splitlines()


def run_from_nothing(commands: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands in a folder, with nothing but the source; what they leave running ends."""
    settings = {
        "SOURCE": str(ROOT),
        "OMP_NUM_THREADS": "1",
        # Whoever owns the source.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    # What runs in the background must not keep the pipe of what is printed.
    script = ["trap 'kill $(jobs -p) 2> /dev/null || true' EXIT", *commands]
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(script)],
        cwd=folder,
        env=inherited | settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
