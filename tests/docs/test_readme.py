"""What the README promises to a new user, done as it says, in an environment of its own."""

from __future__ import annotations

from pathlib import Path

from fences import ROOT
from from_nothing import commands, run_from_nothing
from playwright.sync_api import Browser, expect

MOST_COMMANDS = (10, 6)
OPEN = "xdg-open "
README = ROOT / "README.md"


def test_from_install_to_ones_own_agent_on_the_leaderboard(tmp_path: Path, browser: Browser) -> None:
    *before, last = commands(README, 0)
    assert len(before) + 1 <= MOST_COMMANDS[0]
    run_from_nothing(before, tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / last.removeprefix(OPEN)).as_uri())
    expect(page.get_by_role("row").filter(has_text="my-ppo").filter(visible=True).first).to_be_visible()


def test_from_install_to_the_pages_of_a_transcript(tmp_path: Path, browser: Browser) -> None:
    *before, last = commands(README, 1)
    assert len(before) + 1 <= MOST_COMMANDS[1]
    run_from_nothing(before, tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / last.removeprefix(OPEN).partition(" ")[0]).as_uri())
    expect(page.get_by_text("Success in 100")).to_be_visible()
    page.get_by_role("link", name="3", exact=True).click()
    expect(page.get_by_role("img").first).to_be_visible()
    expect(page.get_by_text("Critic who looks ahead").first).to_be_visible()
