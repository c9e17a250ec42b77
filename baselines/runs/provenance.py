"""How something was made: versions, commit, command, and the machine that rounds its numbers."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from stmg_envs.registry import installed_engines

PACKAGES = ("stmg", "torch", "numpy", "gymnasium", "pettingzoo")

DIRTY = "-dirty"
"""Ends a commit whose tree was changed."""
SOURCES = (":(top)", ":(top,exclude)docs/results")
"""What of the tree decides what is trained; committed results are written while others are still trained."""


def provenance(call: str) -> dict[str, Any]:
    """Versions, commit and command of this process; `call` stands for the command where it has none."""
    return {
        "command": shlex.join(["stmg", *sys.argv[1:]]) if _is_command_line() else call,
        "commit": commit_of(Path(__file__).parent),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "preloaded": _preloaded(),
        "threads": torch.get_num_threads(),
        "versions": {package: version(package) for package in (*PACKAGES, *installed_engines())},
    }


def _is_command_line() -> bool:
    """Whether this process is the script `stmg`, or `python -m baselines`."""
    program = Path(sys.argv[0])
    return program.name == "stmg" or program.parts[-2:] == ("baselines", "__main__.py")


def commit_of(folder: Path) -> str | None:
    """The commit of the tree around a folder, marked if sources changed; None outside a repository."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", *SOURCES)
        return git("rev-parse", "HEAD") + (DIRTY if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str | None:
    """The processor's model, None where the system does not say; libraries choose their kernels by it."""
    try:
        first, _, _ = Path("/proc/cpuinfo").read_text("utf-8").partition("\n\n")
    except OSError:
        return platform.processor() or None
    facts = dict(re.findall(r"^(.*?)\s*: (.*)$", first, re.MULTILINE))
    # Virtual machines hide the model in the name only.
    numbers = [f"{name.split()[-1]} {facts[name]}" for name in ("cpu family", "model") if name in facts]
    return ", ".join([facts["model name"], *numbers]) if "model name" in facts else None


def _preloaded() -> list[str]:
    """Names of the libraries put before all others, which can change how numbers are rounded."""
    return [Path(library).name for library in re.split("[ :]+", os.environ.get("LD_PRELOAD", "")) if library]
