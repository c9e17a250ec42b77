"""A package with a game, an algorithm and a suite: installed, used, broken and uninstalled."""

from __future__ import annotations

from pathlib import Path

import pytest
from fences import ROOT
from from_nothing import commands, run_from_nothing

PACKAGE = ROOT / "examples" / "my_package"
ENTER = ". venv/bin/activate"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installed")


def test_everything_is_where_our_own_is(folder: Path) -> None:
    done = run_from_nothing(commands(PACKAGE / "README.md", 0), folder)
    assert "my/Game-v0" in done.stdout and "person_2" in done.stdout
    assert "my-algorithm on my/game(n=3), 2 runs of 20000 steps" in done.stdout
    assert "Warning" not in done.stderr
    site = (folder / "site" / "index.html").read_text(encoding="utf-8")
    assert "my-algorithm" in site and "my/game(n=3)" in site and "My games" in site


def test_its_own_tests_pass(folder: Path) -> None:
    install = 'pip install --quiet --constraint "$SOURCE/constraints.txt" pytest'
    run = 'cp -r "$SOURCE/examples/my_package/tests" own && python -m pytest -q -p no:cacheprovider own'
    assert "5 passed" in run_from_nothing([ENTER, install, run], folder).stdout


def test_help_and_errors_name_it_too(folder: Path) -> None:
    done = run_from_nothing(
        [
            ENTER,
            "stmg train --help",
            "stmg train my-algorithm --help",
            "stmg train my-algoritm x 2>&1 || true",
        ],
        folder,
    )
    assert "VDPPO: PPO with one value" in " ".join(done.stdout.split())
    assert "--hidden-size" in done.stdout
    assert "algorithm='my-algoritm' is not registered; did you mean 'my-algorithm'?" in done.stdout


def test_a_broken_entry_point_costs_one_warning_and_nothing_else(folder: Path) -> None:
    points = next((folder / "venv").glob("lib/python*/site-packages/my_package-*.dist-info/entry_points.txt"))
    whole = points.read_text(encoding="utf-8")
    points.write_text(whole.replace("my_package.rows", "my_package.gone"), encoding="utf-8")
    try:
        done = run_from_nothing(
            [ENTER, "stmg envs", "stmg train my-algorithm my/Game-v0 2>&1 || true"], folder
        )
    finally:
        points.write_text(whole, encoding="utf-8")
    assert "stmg/Penalty-v0" in done.stdout
    warnings = [line for line in done.stderr.splitlines() if line.startswith("Warning:")]
    assert len(warnings) == 1 and "'my/Game-v0' of my-package 1.0" in warnings[0]
    assert "repair or uninstall" in done.stdout.splitlines()[-1]


def test_nothing_is_left_of_it(folder: Path) -> None:
    done = run_from_nothing(
        [
            ENTER,
            "pip uninstall --quiet --yes my-package",
            "stmg envs",
            "stmg train --help",
            "stmg train my-algorithm my/Game-v0 2>&1 || true",
            "stmg train steer my/Game-v0 2>&1 || true",
        ],
        folder,
    )
    said = done.stdout.splitlines()
    assert "id='my/Game-v0' is no registered environment" in said[-1]
    assert "algorithm='my-algorithm' is not registered" in said[-2]
    assert not any("my-algorithm" in line or "my/Game" in line for line in said[:-2])
    assert done.stderr == ""
