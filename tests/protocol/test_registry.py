"""One table of games: ids, the libraries that know them, and the scores that go with them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pettingzoo
import pytest
from engines import ENGINE_IDS, with_engines
from games import assert_same, trace

import stmg_envs
from stmg_envs.errors import InvalidArgumentError, MissingEngineError
from stmg_envs.matrix import StageGame
from stmg_envs.protocol import (
    GameParallelEnv,
    GameVectorEnv,
    JointVectorEnv,
    PriorityParallelEnv,
    TurnBasedEnv,
    TurnStreamEnv,
    TurnStreamVectorEnv,
)
from stmg_envs.registry import REGISTRY
from stmg_envs.spec import Backend

IDS = stmg_envs.list_envs()


def run_python(code: str) -> str:
    """What a fresh interpreter prints that treats warnings as errors."""
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return result.stdout + result.stderr


def test_ids() -> None:
    names = (
        "Penalty Mixing Coordination Cooperation PrisonersDilemma Maintain Escape Meeting HuntingStage "
        "CollectionStage MatrixGame CooperativeHunting CooperativeCollection OnRampMerge MultiAgentMujoco "
        "Football"
    )
    assert {f"stmg/{name}-v0" for name in names.split()} <= set(IDS)


def test_import_prints_nothing() -> None:
    assert run_python("import stmg_envs, wrappers") == ""


def test_gymnasium_imports_us_by_itself() -> None:
    code = (
        "import gymnasium; env = gymnasium.make('stmg_envs:stmg/Penalty-v0', k=-100); env.reset(seed=0); "
        "env.step(0); print(env.step(0)[1])"
    )
    assert run_python(code) == "-100.0\n"


def test_registering_again_changes_nothing() -> None:
    registries = gymnasium.registry, pettingzoo.parallel_registry, pettingzoo.aec_registry
    before = [dict(registry) for registry in registries]
    stmg_envs.register_all()
    assert [dict(registry) for registry in registries] == before
    assert all(set(IDS) <= set(registry) for registry in registries)


@pytest.mark.parametrize("view", ["parallel", "aec"])
def test_pettingzoos_name_of_a_time_limit_is_understood(view: str) -> None:
    env = pettingzoo.make(view, "stmg/CooperativeHunting-v0", max_cycles=5).unwrapped
    assert (env if view == "parallel" else env.parallel).game.max_steps == 5
    with pytest.raises(InvalidArgumentError, match="max_steps=5 is no argument of stmg/Penalty-v0"):
        pettingzoo.make(view, "stmg/Penalty-v0", max_cycles=5)


def test_batches_of_engines_are_gymnasiums() -> None:
    pytest.importorskip("highway_env")
    arguments = {"num_envs": 2, "backend": "highway-env"}
    with pytest.raises(InvalidArgumentError, match="vectorization_mode='sync' or 'async'"):
        gymnasium.make_vec("stmg/OnRampMerge-v0", **arguments)
    env = gymnasium.make_vec("stmg/OnRampMerge-v0", vectorization_mode="sync", **arguments)
    assert env.reset(seed=0)[0]["observation"].shape == (2, 27)
    env.close()


@pytest.mark.parametrize("id", with_engines(ENGINE_IDS))
def test_libraries_make_our_views_of_engines(id: str) -> None:
    assert isinstance(pettingzoo.make("parallel", id), PriorityParallelEnv)
    assert isinstance(pettingzoo.make("aec", id), TurnBasedEnv)
    assert isinstance(gymnasium.make(id).unwrapped, TurnStreamEnv)
    assert isinstance(stmg_envs.vector_env(id, 2), JointVectorEnv)


@pytest.mark.parametrize("id", sorted(set(IDS) - set(ENGINE_IDS)))
def test_libraries_make_our_views(id: str) -> None:
    assert isinstance(pettingzoo.make("parallel", id), GameParallelEnv)
    assert isinstance(pettingzoo.make("aec", id), TurnBasedEnv)
    assert isinstance(gymnasium.make(id).unwrapped, TurnStreamEnv)
    assert isinstance(gymnasium.make_vec(id, num_envs=2), TurnStreamVectorEnv)
    assert isinstance(stmg_envs.vector_env(id, 2), GameVectorEnv)


def test_every_way_to_make_a_view_takes_the_arguments_of_the_game() -> None:
    id, order = "stmg/Penalty-v0", ("agent_1", "agent_0")
    for ours, theirs in (
        (stmg_envs.parallel_env, lambda *args, **kwargs: pettingzoo.make("parallel", *args, **kwargs)),
        (stmg_envs.aec_env, lambda *args, **kwargs: pettingzoo.make("aec", *args, **kwargs)),
        (stmg_envs.turn_stream, lambda *args, **kwargs: gymnasium.make(*args, **kwargs).unwrapped),
        (stmg_envs.vector_turn_stream, gymnasium.make_vec),
    ):
        envs = ours(id, k=-75, priority=order), theirs(id, k=-75, priority=order), ours(id, priority=order)
        for env in envs:
            env.reset(seed=0)
        played, played_too, by_default = (trace(env, 40) for env in envs)
        assert_same(played, played_too)
        with pytest.raises(AssertionError):
            assert_same(played, by_default)


@pytest.mark.parametrize(("reward", "expected"), [("mean", 9.0), ("sum", 18.0)])
def test_reward_modes(reward: str, expected: float) -> None:
    env = gymnasium.make("stmg/PrisonersDilemma-v0", reward=reward)
    env.reset(seed=0)
    assert env.step(1)[1] == 0
    _, total, _, _, info = env.step(0)
    assert total == expected
    assert info["rewards"].tolist() == [18, 0]


def test_missing_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Backend("stmg_envs.matrix:Penalty", extra="football", engine="no_such_engine")
    row = replace(REGISTRY["stmg/Penalty-v0"], id="stmg/Fake-v0", backends={"engine": engine})
    monkeypatch.setitem(REGISTRY.own, row.id, row)
    assert stmg_envs.list_envs()[-1] == row.id
    for make in (stmg_envs.parallel_env, stmg_envs.aec_env, stmg_envs.turn_stream, stmg_envs.make_game):
        with pytest.raises(MissingEngineError, match=r"'no_such_engine'.*pip install 'stmg\[football\]'"):
            make(row.id)
    with pytest.raises(ImportError):
        stmg_envs.vector_env(row.id, 2)


@pytest.mark.parametrize("id", [id for id in IDS if stmg_envs.game_spec(id).family.startswith("matrix")])
def test_bounds_are_exact(id: str) -> None:
    game = stmg_envs.make_game(id)
    assert isinstance(game, StageGame)
    table = game.table
    # worth[-1], the end, stays 0; worth[s] is the random policy's mean return from stage s on.
    worth = np.zeros(table.stages + 1)
    for stage in reversed(range(table.stages)):
        worth[stage] = (table.payoffs[stage].mean(axis=0) + worth[table.successors[stage]]).mean()
    order = tuple(game.agents.index(agent) for agent in game.default_priority)
    optimum = game.optimal_returns(order)
    assert optimum is not None
    row = stmg_envs.game_spec(id)
    assert row.bounds == pytest.approx((worth[0], optimum.mean(axis=1).max()), abs=1e-9)
    assert row.optimum == row.bounds[1]


def test_spec_names_its_game() -> None:
    row = stmg_envs.game_spec("stmg/PrisonersDilemma-v0")
    assert (row.name, row.spaces) == ("PrisonersDilemma", "discrete")


def test_a_folder_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    spec = REGISTRY["stmg/Penalty-v0"]
    backends = {"engine": Backend("stmg_envs.matrix:Penalty", engine="engine")}
    monkeypatch.setitem(REGISTRY.own, spec.id, replace(spec, backends=backends))
    assert "engine" not in stmg_envs.registry.installed_engines()
    with pytest.raises(MissingEngineError, match="needs the engine 'engine'"):
        stmg_envs.make_game(spec.id)
