"""What the README promises to a new user, done as it says, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from fences import ROOT, blocks
from playwright.sync_api import Browser, expect

MOST_COMMANDS = 10
OPEN = "xdg-open "


def commands() -> list[str]:
    """The commands of the README, one per entry; the last opens the page. They clone what is committed."""
    (block,) = (block for block in blocks(ROOT / "README.md") if block.language == "bash")
    return block.text.replace("\\\n", "").splitlines()


def test_from_install_to_ones_own_agent_on_the_leaderboard(tmp_path: Path, browser: Browser) -> None:
    *before, last = commands()
    assert len(before) + 1 <= MOST_COMMANDS
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
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(before)],
        cwd=tmp_path,
        env=inherited | settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = browser.new_page()
    page.goto((tmp_path / last.removeprefix(OPEN)).as_uri())
    expect(page.get_by_role("row").filter(has_text="my-ppo").filter(visible=True).first).to_be_visible()
