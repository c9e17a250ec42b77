"""The leaderboard of everything under docs/results and zoo, opened from a file in Chromium."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from baselines.leaderboard.site import Site, write_site

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("leaderboard")
    shutil.copytree(RESULTS, folder / "results")
    # A film beside results of several tasks is of the one that it is named after.
    (folder / "results" / "table1" / "mixing-steer.gif").write_bytes(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
    return write_site([folder / "results", ROOT / "zoo"], folder / "site")


@pytest.fixture(params=SIZES)
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = SIZES[request.param]
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        complaints: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(site.index.as_uri())
        yield page
        assert complaints == []
        assert all(url.startswith(("file:", "data:")) for url in requests)


def column(page: Page, table: str, index: int) -> list[str]:
    """The sort values of a column's visible rows, top to bottom."""
    rows = page.locator(f"{table} tbody tr:visible")
    values: list[str] = rows.evaluate_all(f"rows => rows.map(row => row.cells[{index}].dataset.value)")
    return values


def test_every_page_opens_and_fits(page: Page, site: Site) -> None:
    for path in (site.index, *site.pages):
        page.goto(path.as_uri())
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_sorting_by_pointer_and_by_keyboard(page: Page) -> None:
    table = "#matrix table.sortable"
    scores = [float(value) for value in column(page, table, 1)]
    assert len(scores) == 6 and scores == sorted(scores, reverse=True)
    heading = page.locator(f"{table} thead th").nth(1)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [float(value) for value in column(page, table, 1)] == sorted(scores)
    name = page.locator(f"{table} thead th").nth(0)
    name.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert name.get_attribute("aria-sort") == "ascending"
    assert heading.get_attribute("aria-sort") == "none"
    names = column(page, table, 0)
    assert names == sorted(names) and names[0] == "happo"


def test_unknown_values_stay_last(page: Page) -> None:
    table = "#results table"
    score = page.locator(f"{table} thead th").nth(3).get_by_role("button")
    for _ in range(2):
        score.click()
        values = column(page, table, 3)
        unknown = values.count("")
        assert unknown > 0 and values[-unknown:] == [""] * unknown


def test_filtering(page: Page) -> None:
    form = page.get_by_role("search")
    total = page.locator("#results table tbody tr").count()
    first = len(column(page, "#results table", 0))
    assert first < total
    form.get_by_role("searchbox", name="Algorithm").fill("STEER")
    shown = column(page, "#results table", 0)
    assert 0 < len(shown) < first and all("steer" in name for name in shown)
    expect(form.locator("output")).to_have_text(f"{len(shown)} of {total} results")
    assert set(column(page, "#matrix table.sortable", 0)) == {"steer"}
    form.get_by_label("Variants of algorithms").check()
    assert set(column(page, "#matrix table.sortable", 0)) == {"steer", "steer_itb", "steer_otb"}
    form.get_by_label("Variants of algorithms").uncheck()
    expect(page.locator("#dilemmas .empty")).to_be_visible()
    form.get_by_label("Runs, at least").fill("100")
    assert set(column(page, "#results table", 0)) == {"steer"}
    expect(page.locator("#matrix .empty")).to_be_visible()
    form.get_by_role("button", name="Reset").click()
    expect(form.locator("output")).to_have_text(f"{first} of {total} results")
    form.get_by_label("Family").select_option("particle")
    assert all(name.startswith("cooperative") for name in column(page, "#results table", 1))
    form.get_by_label("Family").select_option("")
    form.get_by_label("Task").select_option("penalty(k=-100)")
    assert set(column(page, "#results table", 1)) == {"penalty(k=-100)"}
    expect(page.locator("#matrix table.sortable")).to_be_visible()
    expect(page.locator("#dilemmas .empty")).to_be_visible()


def test_what_is_hidden_at_first(page: Page) -> None:
    form, rows = page.get_by_role("search"), page.locator("#results table tbody tr")
    total = rows.count()
    for name, kind in (("Variants of algorithms", "variant"), ("Policies of the zoo", "zoo")):
        expect(page.locator(f'#results tr[data-kind="{kind}"]:visible')).to_have_count(0)
        form.get_by_label(name).check()
        assert page.locator(f'#results tr[data-kind="{kind}"]:visible').count() > 0
    expect(form.locator("output")).to_have_text(f"{total} of {total} results")


def test_the_filter_acts_on_charts_and_stands_in_the_address(page: Page) -> None:
    form = page.get_by_role("search")
    form.get_by_role("searchbox", name="Algorithm").fill("steer table1")
    form.get_by_label("Variants of algorithms").check()
    assert page.url.endswith("#?algorithm=steer+table1&variant=on")
    for _ in range(2):
        figure = page.locator("#matrix figure.chart").first
        expect(figure.locator("button.key:visible")).to_have_count(1)
        expect(figure.locator("g.line:not([hidden])")).to_have_count(1)
        assert set(column(page, "#matrix table.sortable", 0)) == {"steer"}
        page.reload()
    expect(form.get_by_role("searchbox", name="Algorithm")).to_have_value("steer table1")
    form.get_by_role("button", name="Reset").click()
    expect(form.get_by_role("searchbox", name="Algorithm")).to_have_value("")
    expect(page).not_to_have_url(re.compile("#"))


def test_charts_are_read_at_the_pointer_and_by_keyboard(page: Page) -> None:
    figure = page.locator("#matrix figure.chart").nth(1)
    chart, tip = figure.locator("svg[data-chart]"), figure.locator(".tip")
    expect(tip).to_be_hidden()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2)
    expect(tip).to_be_visible()
    expect(tip.locator("b")).to_have_text("100\N{NO-BREAK SPACE}%")
    expect(tip.locator("div").filter(has_text="steer · table1").first).to_contain_text("1 (1 to 1)")
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    chart.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tip.locator("b")).to_have_text("5\N{NO-BREAK SPACE}%")


def test_lines_are_chosen(page: Page) -> None:
    page.get_by_label("Variants of algorithms").check()
    figure = page.locator("#matrix figure.chart").first
    key, line = figure.locator("button.key").last, figure.locator('g[data-line="9"]')
    assert key.get_attribute("aria-pressed") == "false" and line.get_attribute("hidden") is not None
    key.click()
    assert key.get_attribute("aria-pressed") == "true" and line.get_attribute("hidden") is None


def test_a_tasks_page(page: Page) -> None:
    page.locator("#matrix").get_by_role("link", name="mixing", exact=True).click()
    expect(page.locator("h1")).to_have_text("mixing")
    page.locator("#media img").wait_for(state="attached")
    page.get_by_role("searchbox", name="Algorithm").fill("happo · table1")
    expect(page.locator("#results .empty")).to_be_visible()
    page.get_by_role("searchbox", name="Algorithm").fill("happo table1")
    expect(page.locator("#runs .entry:visible")).to_have_count(1)
    entry = page.locator("#runs .entry:visible")
    entry.locator("summary").first.click()
    expect(entry.locator("dl").first).to_contain_text("stmg/Mixing-v0")
    returns = entry.locator("table")
    returns.get_by_role("button", name="return").click()
    values = returns.locator("tbody tr").evaluate_all("rows => rows.map(row => +row.cells[1].dataset.value)")
    assert len(values) == 100 and values == sorted(values, reverse=True)
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.locator("h1")).to_have_text("stmg leaderboard")


def test_policies_of_the_zoo_alone_are_shown_at_once(browser: Browser, tmp_path: Path) -> None:
    site = write_site([ROOT / "zoo"], tmp_path / "site")
    page = browser.new_page()
    page.goto(site.index.as_uri())
    assert page.get_by_label("Policies of the zoo").is_checked()
    expect(page.locator("output")).to_have_text(f"{site.entries} of {site.entries} results")
    assert f"from {site.entries} sources" in page.locator("header").inner_text()
    page.goto(site.pages[0].as_uri())
    assert page.locator("figure.chart g[data-line]:not([hidden])").count() > 0
