"""What SMAC and SMACv2 need before a battle can begin, looked for before anything is started."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path
from types import ModuleType

from stmg_envs.errors import MissingEngineError

HOME = "~/StarCraftII"
"""Where StarCraft II is if SC2PATH does not say."""
SOURCES = {
    "smac": "https://github.com/oxwhirl/smac",
    "smacv2": "https://github.com/oxwhirl/smacv2",
}
"""Repositories of the packages, none of which is in the package index."""
GAME = "https://github.com/Blizzard/s2client-proto#downloads"
"""Where StarCraft II for Linux is."""


def install_command(package: str) -> str:
    """How to install a package."""
    return f"pip install 'git+{SOURCES[package]}.git' 'protobuf<3.21'"


def require_package(package: str) -> ModuleType:
    """The module `<package>.env`, imported.

    Raises:
        MissingEngineError: if it is missing, is another package of that name, or does not import.
    """
    install = install_command(package)
    if importlib.util.find_spec(package) is None:
        raise MissingEngineError(f"{package} is not installed; install it with: {install}")
    try:
        module = importlib.import_module(f"{package}.env")
        module.StarCraft2Env  # noqa: B018
    except (ModuleNotFoundError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name not in (package, f"{package}.env"):
            raise MissingEngineError(
                f"{package} needs {error.name}, which is not installed; install it with: {install}"
            ) from None
        raise MissingEngineError(
            f"the installed {package} has no StarCraft2Env: the package of that name in the package index is "
            f"another one, an optimiser; replace it with: pip uninstall {package}; {install}"
        ) from None
    except TypeError as error:
        # What protobuf raises on code that an older one has generated.
        raise MissingEngineError(
            f"{package} does not import ({str(error).splitlines()[0]}); install an older protobuf, "
            "pip install 'protobuf<3.21', or set PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python"
        ) from None
    return module


def require_game(maps: list[str]) -> None:
    """Look for StarCraft II and for map files in its folder Maps/SMAC_Maps.

    Args:
        maps: names of map files.

    Raises:
        MissingEngineError: if one of them is missing.
    """
    home = Path(os.environ.get("SC2PATH", HOME)).expanduser()
    if not (home / "Versions").is_dir():
        raise MissingEngineError(
            f"StarCraft II is not in {home}: it has no folder Versions; get the game from {GAME} and "
            "set SC2PATH to its folder"
        )
    for name in maps:
        file = home / "Maps" / "SMAC_Maps" / f"{name}.SC2Map"
        if not file.is_file():
            raise MissingEngineError(
                f"the map {name} is not installed: {file} is missing; get SMAC's maps from "
                f"{SOURCES['smac']}#smac-maps and put the folder SMAC_Maps into {home / 'Maps'}"
            )
