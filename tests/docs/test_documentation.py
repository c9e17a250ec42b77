"""The site builds without a warning, and has every public name, game, algorithm and command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fences import ROOT
from sphinx.util.inventory import InventoryFile

import baselines
import stmg_envs
import wrappers
from baselines.cli import COMMANDS
from stmg_envs import equilibria, protocol


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in a directory of its own."""
    built = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "docs", str(built)]
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return built


def test_every_public_name_is_documented(site: Path) -> None:
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    known = {name for kind, entries in inventory.data.items() if kind.startswith("py:") for name in entries}
    packages = (stmg_envs, equilibria, protocol, wrappers, baselines)
    public = {f"{package.__name__}.{name}" for package in packages for name in package.__all__}
    assert public <= known


def test_every_game_has_a_page_with_a_picture(site: Path) -> None:
    for id in stmg_envs.list_envs():
        name = stmg_envs.game_spec(id).name
        page = (site / "generated" / "environments" / f"{name}.html").read_text(encoding="utf-8")
        assert f"{name}.png" in page or "built without the engine" in page


def test_every_algorithm_and_command_is_there(site: Path) -> None:
    algorithms = (site / "generated" / "algorithms.html").read_text(encoding="utf-8")
    commands = (site / "generated" / "commands.html").read_text(encoding="utf-8")
    assert [name for name in baselines.list_algorithms() if f">{name}<" not in algorithms] == []
    assert [name for name in COMMANDS if f"stmg {name}" not in commands] == []


def test_pages_ask_nothing_of_the_network(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert 'src="http' not in text
        assert 'rel="stylesheet" href="http' not in text


def test_equations_are_mathml(site: Path) -> None:
    page = (site / "generated" / "algorithms" / "steer.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "$$" not in page
