"""A fresh clone with the core dependencies only, in which all that shows something works; and the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stmg_envs

ROOT = Path(__file__).parents[2]
ENGINES = ("highway_env", "mujoco", "gfootball", "stable_baselines3", "torchrl")


class Fresh:
    """A copy of the sources with an environment of its own, and an empty folder elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.empty = folder / "clone", folder / "empty"
        self.clone.mkdir()
        self.empty.mkdir()
        tracked = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, tracked.stdout.split("\0")):
            target = self.clone / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)

    def run(self, *words: str, here: Path | None = None) -> str:
        """Run a command, by default in the clone, as it would be typed there."""
        path = f"{self.clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        # Nothing of the environment of the tests, and one thread.
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
        }
        done = subprocess.run(
            words,
            cwd=here or self.clone,
            env=clean | {"PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    made = Fresh(tmp_path_factory.mktemp("fresh"))
    made.run("make", f"PYTHON={sys.executable}", "demo")
    return made


def test_the_demo_needs_no_more_than_the_core(fresh: Fresh) -> None:
    report = fresh.clone / "runs" / "demo" / "report.html"
    assert "Penalty" in report.read_text(encoding="utf-8")
    found = fresh.run("python", "-c", f"import importlib.util as u; print([*map(u.find_spec, {ENGINES})])")
    assert found.split() == str([None] * len(ENGINES)).split()


def test_environments_and_policies_are_listed(fresh: Fresh) -> None:
    listed = fresh.run("stmg", "envs")
    assert all(id in listed for id in stmg_envs.list_envs())
    assert "football*" in listed and "* not installed here" in listed
    zoo = fresh.run("stmg", "zoo", "list")
    assert all(folder.name in zoo for folder in (ROOT / "zoo").iterdir() if folder.is_dir())


def test_the_leaderboard_shows_all_that_is_published(fresh: Fresh) -> None:
    said = fresh.run("stmg", "leaderboard", "docs/results", "zoo")
    assert int(said.split()[0]) > 100
    assert "football" in (fresh.clone / "site" / "index.html").read_text(encoding="utf-8").lower()


def test_the_documentation_is_built(fresh: Fresh) -> None:
    fresh.run("make", "docs")
    pages = fresh.clone / "build" / "docs"
    assert (pages / "index.html").is_file()
    built = (page.read_text(encoding="utf-8") for page in pages.rglob("*.html"))
    assert sum("This site was built without the engine" in text for text in built) >= 2


def test_a_wheel_is_whole_in_an_empty_folder(fresh: Fresh) -> None:
    """The last test here: it takes the place of the clone."""
    fresh.run("python", "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(fresh.clone))
    where = fresh.run("python", "-c", "import baselines; print(baselines.__file__)", here=fresh.empty)
    assert "site-packages" in where
    assert "steer-penalty" in fresh.run("stmg", "zoo", "list", here=fresh.empty)
    played = fresh.run("python", "-m", "baselines", "evaluate", "zoo/steer-penalty", here=fresh.empty)
    assert "320 episodes: 10" in played
    assert fresh.run("stmg", "leaderboard", "zoo", here=fresh.empty).split()[0] == str(
        len(list((ROOT / "zoo").glob("*/results.json")))
    )
    # What an error says is to be installed, can be: pip knows the extras of what is there already.
    assert "mujoco" in fresh.run(
        "python", "-m", "pip", "install", "--dry-run", "stmg[mujoco]", here=fresh.empty
    )
