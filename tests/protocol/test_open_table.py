"""Games of others: what a program registers, and what installed packages offer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from games import Tokens

import stmg_envs
from stmg_envs import Backend, GameSpec, open_table
from stmg_envs.errors import InvalidArgumentError, PluginError, PluginWarning, UnknownNameError
from stmg_envs.open_table import OpenTable
from stmg_envs.registry import REGISTRY

SPEC = GameSpec("my/Tokens-v0", {"native": Backend("games:Tokens")}, "my-games", "discrete")


@pytest.fixture
def registered() -> Iterator[GameSpec]:
    stmg_envs.register(SPEC)
    yield SPEC
    REGISTRY.added.pop(SPEC.id)
    gymnasium.registry.pop(SPEC.id)
    for known in (pettingzoo.parallel_registry, pettingzoo.aec_registry):
        known.pop(SPEC.id)


def test_a_registered_game_has_all_views(registered: GameSpec) -> None:
    assert registered.id in stmg_envs.list_envs() and registered.name == "my/Tokens"
    assert isinstance(stmg_envs.make_game(registered.id), Tokens)
    assert gymnasium.make(registered.id).reset(seed=0)[0]["observation"].shape == (2,)
    assert gymnasium.make_vec(registered.id, num_envs=3).reset(seed=0)[0]["observation"].shape == (3, 2)
    for view in ("parallel", "aec"):
        assert pettingzoo.make(view, registered.id).possible_agents == ["giver_0", "taker_0", "taker_1"]
    assert stmg_envs.vector_env(registered.id, 5).reset(seed=0)[0]["observation"].shape == (5, 3, 2)


def test_registering_the_same_again_changes_nothing(registered: GameSpec) -> None:
    stmg_envs.register(GameSpec(**vars(registered)))
    with pytest.raises(InvalidArgumentError, match="'my/Tokens-v0' is taken by 'my/Tokens-v0'"):
        stmg_envs.register(GameSpec(registered.id, registered.backends, "others", "discrete"))
    with pytest.raises(InvalidArgumentError, match="'MY/tokens-v0' is taken by 'my/Tokens-v0'"):
        stmg_envs.register(GameSpec("MY/tokens-v0", registered.backends, "my-games", "discrete"))


@pytest.mark.parametrize("id", ["stmg/Mine-v0", "STMG/Mine-v0", "gymnasium/Mine-v0", "pettingzoo/Mine-v0"])
def test_namespaces_of_ours_are_not_for_others(id: str) -> None:
    with pytest.raises(InvalidArgumentError, match="namespace of its own"):
        stmg_envs.register(GameSpec(id, SPEC.backends, "my-games", "discrete"))


@pytest.mark.parametrize("row", [None, "my/Game-v0", Tokens, {"id": "my/Game-v0"}])
def test_what_is_no_row(row: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="is no GameSpec; expected one"):
        stmg_envs.register(row)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"id": 3}, "id=3 is no text"),
        ({"id": "my-game"}, "'my-game' is no id; expected for instance 'my/Game-v0'"),
        ({"id": "my/game"}, "is no id"),
        ({"backends": {}}, "compute nothing"),
        ({"backends": {"native": "games:Tokens"}}, "compute nothing"),
        ({"family": None}, "family=None is no text"),
        ({"spaces": "both"}, "spaces='both' is unknown"),
        ({"bounds": (1.0, 1.0)}, "are no scale"),
        ({"bounds": (0.0, float("nan"))}, "are no scale"),
        ({"other_bounds": (({}, (3.0, 2.0)),)}, "are no scale"),
    ],
)
def test_rows_are_checked(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        GameSpec(**{**vars(SPEC), **changed})


@pytest.mark.parametrize("factory", [None, "games", ":Tokens", "games:"])
def test_a_backend_names_a_class(factory: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"expected for instance 'my_package\.game:MyGame'"):
        Backend(factory)


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        ("no_such_module:Game", "cannot be imported (No module named 'no_such_module')"),
        ("games:Nothing", "cannot be imported (module 'games' has no attribute 'Nothing')"),
        ("games:GAMES", "expected a class that comes from Game"),
        ("builtins:dict", "which is <class 'dict'>; expected a class that comes from Game"),
    ],
)
def test_a_backend_that_is_none_is_one_error(factory: str, reason: str) -> None:
    spec = GameSpec("my/Game-v0", {"native": Backend(factory)}, "my-games", "discrete")
    with pytest.raises(PluginError) as caught:
        spec.load()
    assert str(caught.value).startswith(f"my/Game-v0 is computed by {factory!r}, which ")
    assert reason in str(caught.value)


def table(monkeypatch: pytest.MonkeyPatch, **offered: str) -> OpenTable[GameSpec]:
    """A table of games with entry points of a package that is not installed."""
    points = [EntryPoint(name, value, "some.games") for name, value in offered.items()]
    monkeypatch.setattr(open_table, "entry_points", lambda group: points)
    own = [stmg_envs.game_spec("stmg/Penalty-v0")]
    return OpenTable("some.games", own, lambda row: row.id, GameSpec, REGISTRY._require_foreign)


def test_names_are_known_before_anything_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    games = table(monkeypatch, **{"my/Tokens-v0": f"{__name__}:SPEC", "my/Other-v0": "no_such_module:SPEC"})
    assert games.names() == ["stmg/Penalty-v0", "my/Tokens-v0", "my/Other-v0"]
    assert "my/Other-v0" in games and "no_such_module" not in sys.modules
    assert games["my/Tokens-v0"] is SPEC


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:SPEC", "cannot be loaded (ModuleNotFoundError: No module named 'no_such_module')"),
        (f"{__name__}:NOTHING", "cannot be loaded (AttributeError"),
        (f"{__name__}:SPEC", "gives my/Tokens-v0; expected a GameSpec of the name 'my/Other-v0'"),
        (f"{__name__}:table", "gives <function table"),
    ],
)
def test_a_broken_entry_point_costs_one_warning(
    monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    games = table(monkeypatch, **{"my/Other-v0": value})
    with pytest.warns(PluginWarning) as warned:
        assert list(games) == list(games) == ["stmg/Penalty-v0"]
    assert [str(one.message) for one in warned] == [str(warned[0].message)]
    assert f"the entry point 'my/Other-v0' of an installed package (some.games: {value})" in str(
        warned[0].message
    )
    assert reason in str(warned[0].message)
    with pytest.raises(PluginError, match="my/Other-v0"):
        games["my/Other-v0"]


@pytest.mark.parametrize("name", ["stmg/Penalty-v0", "stmg/Mine-v0", "my_game", "gymnasium/Mine-v0"])
def test_a_package_cannot_take_our_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    games = table(monkeypatch, **{name: f"{__name__}:SPEC"})
    with pytest.warns(PluginWarning, match=rf"{name}.*is left out"):
        assert list(games) == ["stmg/Penalty-v0"]


def test_two_packages_with_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name, f"{__name__}:SPEC", "some.games") for name in ("my/Tokens-v0", "my/tokens-v0")]
    games = table(monkeypatch)
    monkeypatch.setattr(open_table, "entry_points", lambda group: points)
    with pytest.warns(PluginWarning, match="'my/tokens-v0' is taken; uninstall one of the two"):
        assert list(games) == ["stmg/Penalty-v0", "my/Tokens-v0"]


def test_unknown_ids_are_told_the_nearest_one(registered: GameSpec) -> None:
    with pytest.raises(UnknownNameError, match="did you mean my/Tokens-v0"):
        stmg_envs.game_spec("my/Token-v0")


def test_an_installed_game_is_made_without_an_import_of_its_package(tmp_path: Path) -> None:
    """As Gymnasium's ids name a module: it imports ours, and ours finds the package."""
    package = tmp_path / "my_games-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: my-games\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[stmg.games]\nmy/Tokens-v0 = my_games:SPEC\n")
    (tmp_path / "my_games.py").write_text(
        "from stmg_envs import Backend, GameSpec\n"
        "SPEC = GameSpec('my/Tokens-v0', {'native': Backend('stmg_envs.matrix:Penalty')}, 'm', 'discrete')\n"
    )
    code = (
        "import gymnasium, sys; import stmg_envs; assert 'my_games' not in sys.modules; "
        "print(gymnasium.make('stmg_envs:my/Tokens-v0', k=-7).reset(seed=0)[0]['rank'], "
        "'my_games' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{Path(stmg_envs.__file__).parents[1]}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.stdout, said.stderr) == (f"{np.int64(0)} True\n", "")
