"""What the README promises to a new user, done as it says, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from fences import ROOT, blocks
from playwright.sync_api import Browser, expect

MOST_COMMANDS = (10, 6)
OPEN = "xdg-open "


def commands(number: int) -> list[str]:
    """The commands of one of the README's blocks, one per entry; the last opens a page."""
    shown = [block for block in blocks(ROOT / "README.md") if block.language == "bash"]
    return shown[number].text.replace("\\\n", "").splitlines()


def run_from_nothing(commands: list[str], folder: Path) -> None:
    """Run commands in an empty folder, with nothing but the source; what they leave running ends."""
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


def test_from_install_to_ones_own_agent_on_the_leaderboard(tmp_path: Path, browser: Browser) -> None:
    *before, last = commands(0)
    assert len(before) + 1 <= MOST_COMMANDS[0]
    run_from_nothing(before, tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / last.removeprefix(OPEN)).as_uri())
    expect(page.get_by_role("row").filter(has_text="my-ppo").filter(visible=True).first).to_be_visible()


def test_from_install_to_the_pages_of_a_transcript(tmp_path: Path, browser: Browser) -> None:
    *before, last = commands(1)
    assert len(before) + 1 <= MOST_COMMANDS[1]
    run_from_nothing(before, tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / last.removeprefix(OPEN).partition(" ")[0]).as_uri())
    expect(page.get_by_text("Success in 100")).to_be_visible()
    page.get_by_role("link", name="3", exact=True).click()
    expect(page.get_by_role("img").first).to_be_visible()
    expect(page.get_by_text("Critic who looks ahead").first).to_be_visible()
