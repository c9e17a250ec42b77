"""A scripted game in the place of StarCraft II, which runs on no machine of ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

STANDIN = Path(__file__).with_name("standin")


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SMAC and SMACv2 can be imported."""
    monkeypatch.syspath_prepend(STANDIN)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in ("smac", "smacv2")]:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What looks like the folder of the game, with maps."""
    home = tmp_path / "StarCraftII"
    (home / "Versions").mkdir(parents=True)
    maps = home / "Maps" / "SMAC_Maps"
    maps.mkdir(parents=True)
    for name in ("3m", "MMM2", "32x32_flat"):
        (maps / f"{name}.SC2Map").touch()
    monkeypatch.setenv("SC2PATH", str(home))
    return home


@pytest.fixture
def installed(package: None, folder: Path) -> Path:
    """Both; the folder."""
    return folder
