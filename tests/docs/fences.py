"""Code blocks of a Markdown page, run from top to bottom as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        language: the word after the fence.
        text: what it holds.
        line: where it begins, from 1.
    """

    language: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page in order."""
    source = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(source):
        yield Block(match[1], match[2], source.count("\n", 0, match.start()) + 2)


def run_python(block: Block, names: dict[str, Any]) -> str:
    """Run a block where its file or, if it names one at its top, write that file."""
    if named := FILE.match(block.text):
        Path(named[1]).write_text(block.text, encoding="utf-8")
        return ""
    printed = StringIO()
    with redirect_stdout(printed):
        exec(compile("\n" * (block.line - 1) + block.text, "page", "exec"), names)
    return printed.getvalue()


def run_commands(block: Block, names: dict[str, Any]) -> str:
    """Run each line: assignments of variables, then `stmg` and its arguments."""
    printed = ""
    for line in block.text.replace("\\\n", "").splitlines():
        words = shlex.split(line)
        environment = dict(os.environ)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = os.pathsep.join((value, str(ROOT))) if name == "PYTHONPATH" else value
        assert words.pop(0) == "stmg"
        command = [sys.executable, "-c", "from baselines.cli import main; main(prog_name='stmg')", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        printed += done.stdout
    return printed


RUN: dict[str, Callable[[Block, dict[str, Any]], str]] = {"python": run_python, "bash": run_commands}


def run_page(page: Path) -> int:
    """Run a page in the present directory; a `text` block after code must be among what the code prints.

    Returns:
        How many blocks ran.
    """
    names: dict[str, Any] = {"__name__": "page"}
    ran, printed = 0, None
    for block in blocks(page):
        if block.language in RUN:
            printed = RUN[block.language](block, names)
            ran += 1
        elif block.language == "text" and printed is not None:
            assert block.text in printed, f"{page.name}:{block.line}: printed was\n{printed}"
            printed = None
    return ran
