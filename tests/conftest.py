"""Fixtures of all tests."""

from __future__ import annotations

import os
import shutil
import signal
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import torch
from games import GAMES, VIEWS
from hypothesis import settings

from stmg_envs.errors import MissingEngineError
from stmg_envs.protocol import Game

if TYPE_CHECKING:
    from playwright.sync_api import Browser

with warnings.catch_warnings():
    # PettingZoo's checks import modules that PettingZoo itself deprecates; here once, and quietly.
    warnings.simplefilter("ignore", DeprecationWarning)
    import pettingzoo.test  # noqa: F401

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# The same examples on every machine, however slow.
settings.register_profile("reproducible", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("reproducible")

# A shell's background jobs ignore SIGINT, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device", default="cpu", help="where tests marked `device` compute: cpu, cuda, ... [default: cpu]"
    )


def pytest_configure(config: pytest.Config) -> None:
    name = config.getoption("--device")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise pytest.UsageError(f"--device {name}: this machine has no such device ({reason})") from None


# Before pytest selects by markers.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and "device" in item.fixturenames:
            item.add_marker("device")


@pytest.fixture(scope="session")
def device(pytestconfig: pytest.Config) -> str:
    """Where the test is to compute; who takes it is marked `device`."""
    return str(pytestconfig.getoption("--device"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    # Commands set the number for the whole process; where cores are busy, small networks wait for a second
    # thread longer than they compute.
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The real one, without a screen."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        message = f"none of {', '.join(BROWSERS)} is installed; try: make chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=["--disable-gpu"])


@pytest.fixture(params=GAMES)
def game(request: pytest.FixtureRequest) -> Game:
    """Every native game."""
    try:
        return GAMES[request.param]()
    except MissingEngineError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> str:
    """The name of every view."""
    return request.param
