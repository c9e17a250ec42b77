"""Transcripts as pages: everything that was said, escaped, with pictures where there are any."""

from __future__ import annotations

from pathlib import Path

import pytest
from playing import Scripted, oracle, run
from playwright.sync_api import Browser, expect

from baselines.llm.method import Method
from baselines.llm.page import write_pages
from baselines.llm.requests import Request

HOSTILE = "<script>document.title = 'taken'</script> I would rather not."


def hostile(request: Request) -> str | None:
    """The assessor of episode 0 begins with a script, that of episode 1 is lost in its second step."""
    if request.role == "assessor" and request.episode == 0 and len(request.messages) == 2:
        return HOSTILE
    return (
        None if request.role == "assessor" and request.episode == 1 and request.timestep else oracle(request)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    _, records = run(folder, Scripted(hostile), Method(ask="all"), seeds=2)
    return write_pages(records, folder / "pages").parent


def test_what_was_said_is_shown_and_not_obeyed(folder: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((folder / "episode-0.html").as_uri())
    expect(page).to_have_title("Episode 0: scripted on gridtransport(variant=easy,rows=2,columns=2)")
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    # What was asked is there, folded.
    asked = page.get_by_text("You are the assessor.").first
    expect(asked).not_to_be_visible()
    page.get_by_text("What it was asked").nth(2).click()
    expect(asked).to_be_visible()


def test_a_failure_says_where_and_why(folder: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    expect(page.get_by_role("row").filter(has_text="timeout (assessor)")).to_be_visible()
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_text("Nothing was played: timeout (assessor).")).to_be_visible()
    expect(page.get_by_text("No answer: timeout")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_clipped(folder: Path, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    for name in ("index.html", "episode-0.html", "episode-1.html"):
        page.goto((folder / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        pictures = page.evaluate("[...document.images].map(image => image.naturalWidth)")
        assert all(pictures) and (name == "index.html") == (not pictures)
