"""The adapter of SMAC, with a scripted game in the place of StarCraft II."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from games import trace
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test

import stmg_envs
from baselines.runs.api import train
from stmg_envs.errors import EngineError, InvalidArgumentError, MissingEngineError
from stmg_envs.starcraft.installation import GAME

ID = "stmg/SMAC-v0"


def refused(**arguments: Any) -> str:
    with pytest.raises(MissingEngineError) as caught:
        stmg_envs.parallel_env(ID, **arguments)
    return str(caught.value)


def test_without_the_package_the_error_says_how_to_get_it() -> None:
    for backend in ("smac", "smacv2"):
        said = refused(backend=backend)
        assert f"pip install 'git+https://github.com/oxwhirl/{backend}.git'" in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "the package of that name in the package index is another one"),
        ("class StarCraft3Env: ...", "the package of that name in the package index is another one"),
        ("import pysc3", "smac needs pysc3, which is not installed"),
        ("raise TypeError('Descriptors cannot be created directly.')", "pip install 'protobuf<3.21'"),
    ],
)
def test_a_package_that_is_another_one_or_does_not_import(
    source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "smac"
    folder.mkdir()
    (folder / "__init__.py").touch()
    if source:
        (folder / "env.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert said in refused()
    finally:
        for name in ("smac", "smac.env"):
            sys.modules.pop(name, None)


def test_without_the_game_or_a_map_the_error_says_what_is_missing(
    package: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SC2PATH", str(tmp_path / "nothing"))
    said = refused()
    assert str(tmp_path / "nothing") in said and GAME in said and "SC2PATH" in said
    (tmp_path / "nothing" / "Versions").mkdir(parents=True)
    said = refused(map="8m")
    assert "8m.SC2Map is missing" in said and "#smac-maps" in said


def test_an_unknown_map_is_refused(installed: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="map='9m' is unknown; expected one of"):
        stmg_envs.parallel_env(ID, map="9m")


def test_settings_that_are_not_theirs_are_refused(installed: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="settings have seed=3, which is not theirs"):
        stmg_envs.parallel_env(ID, settings={"seed": 3})


# A recommendation about spaces that are dictionaries, as in all our games.
@pytest.mark.filterwarnings("ignore:Observation")
def test_every_view_conforms(installed: Path) -> None:
    parallel_api_test(pettingzoo.make("parallel", ID), num_cycles=200)
    api_test(pettingzoo.make("aec", ID), num_cycles=200)
    check_env(gymnasium.make(ID).unwrapped, skip_render_check=True)


def test_battles_are_those_of_the_game_behind(installed: Path) -> None:
    """Actions, observations, masks, states, graphs, rewards and ends pass through unchanged."""
    ours = stmg_envs.parallel_env(ID, map="MMM2")
    theirs = stmg_envs.parallel_env("stmg/Skirmish-v0", map="MMM2")
    names = dict(zip(ours.possible_agents, theirs.possible_agents, strict=True))
    seen, infos = ours.reset(seed=5)
    expected, told = theirs.reset(seed=5)
    rng = np.random.default_rng(0)
    died = 0
    while theirs.agents:
        assert [names[agent] for agent in ours.agents] == theirs.agents
        np.testing.assert_array_equal(ours.state(), theirs.state())
        np.testing.assert_array_equal(ours.neighbors(), theirs.neighbors())
        actions = {}
        for agent in ours.agents:
            np.testing.assert_array_equal(seen[agent], expected[names[agent]])
            mask = infos[agent]["action_mask"]
            np.testing.assert_array_equal(mask, told[names[agent]]["action_mask"])
            # Attack where that is possible; to the east, where the enemies come from, else.
            targets = np.flatnonzero(mask[6:]) + 6
            actions[agent] = int(rng.choice(targets)) if len(targets) else 4 if mask[4] else 1
        acted = ours.agents
        seen, rewards, terminated, truncated, infos = ours.step(actions)
        expected, paid, ended, cut, told = theirs.step({names[a]: action for a, action in actions.items()})
        for agent in acted:
            assert rewards[agent] == pytest.approx(paid[names[agent]], abs=1e-6)
            assert terminated[agent] == ended[names[agent]] and truncated[agent] == cut[names[agent]]
            assert infos[agent]["dead_enemies"] == told[names[agent]]["dead_enemies"]
        died += sum(terminated.values())
    assert not ours.agents and died == len(names)


def test_the_time_limit_truncates_the_living(installed: Path) -> None:
    env = stmg_envs.parallel_env(ID, settings={"max_steps": 5})
    env.reset(seed=0)
    for step in range(5):
        _, _, terminated, truncated, infos = env.step(dict.fromkeys(env.agents, 1))
        assert not any(terminated.values()) and all(truncated.values()) == (step == 4)
    assert not env.agents
    assert infos["agent_0"]["battle_won"] == 0.0


def test_what_is_not_allowed_is_a_stop(installed: Path) -> None:
    left, right = (stmg_envs.parallel_env(ID) for _ in range(2))
    for env in (left, right):
        env.reset(seed=0)
    # Nobody is in reach at the start.
    seen, *_ = left.step(dict.fromkeys(left.agents, 6))
    expected, *_ = right.step(dict.fromkeys(right.agents, 1))
    for agent in left.agents:
        np.testing.assert_array_equal(seen[agent], expected[agent])


def test_the_game_is_started_once_with_the_first_seed(installed: Path) -> None:
    from smac import env as standin

    standin.LAUNCHED.clear()
    env = stmg_envs.parallel_env(ID)
    for seed in (7, 8, None):
        env.reset(seed=seed)
    assert standin.LAUNCHED == [7]


def test_a_battle_in_which_the_game_breaks_down_is_lost(installed: Path) -> None:
    batch = stmg_envs.vector_env(ID, 2, settings={"breaks_down_at": 3})
    before, _ = batch.reset(seed=0)
    stop = batch.priority.new_ones(2, 3)
    for _ in range(2):
        before, *_, info = batch.step(stop)
        assert not info["lost"].any()
    _, rewards, terminated, truncated, info = batch.step(stop)
    assert info["lost"].all() and truncated.all() and not terminated.any() and not rewards.any()
    assert (info["final"]["observation"] == before["observation"]).all()


def test_a_game_that_always_breaks_down_is_given_up(installed: Path) -> None:
    batch = stmg_envs.vector_env(ID, 2, settings={"breaks_down_at": 1})
    batch.reset(seed=0)
    stop = batch.priority.new_ones(2, 3)
    for _ in range(19):
        assert batch.step(stop)[-1]["lost"].all()
    with pytest.raises(EngineError, match="environment 0 has lost 20 episodes one after another"):
        batch.step(stop)


def test_learners_play_it(installed: Path, tmp_path: Path) -> None:
    run = train(
        "mappo", ID, out=tmp_path / "run", total_steps=64, num_envs=2, rollout_steps=32, eval_episodes=2
    )
    assert run.path.exists()


def test_smacv2_is_asked_for_what_its_authors_ask(installed: Path) -> None:
    from smacv2 import env as standin

    env = stmg_envs.parallel_env(ID, backend="smacv2", map="10gen_zerg", units=5, enemies=6)
    env.reset(seed=3)
    asked = standin.ASKED[-1]
    assert asked["seed"] == 3 and asked["map_name"] == "10gen_zerg" and asked["continuing_episode"]
    config = asked["capability_config"]
    assert (config["n_units"], config["n_enemies"]) == (5, 6)
    assert config["team_gen"]["exception_unit_types"] == ["baneling"]
    assert sum(config["team_gen"]["weights"]) == pytest.approx(1)
    assert (asked["obs_own_pos"], asked["use_unit_ranges"], asked["min_attack_range"]) == (True, True, 2)
    assert len(trace(env, 20)) == 20
    with pytest.raises(InvalidArgumentError, match="map='3m' is unknown"):
        stmg_envs.parallel_env(ID, backend="smacv2", map="3m")
