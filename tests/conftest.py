"""Fixtures of all tests."""

from __future__ import annotations

import os
import shutil
import signal
import warnings
from collections.abc import Iterator

import pytest
import torch
from games import GAMES, VIEWS
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from stmg_envs.protocol import Game

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


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    # Commands set the number for the whole process; where cores are busy, small networks wait for a second
    # thread longer than they compute.
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The real one, without a screen."""
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
    return GAMES[request.param]()


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> str:
    """The name of every view."""
    return request.param
