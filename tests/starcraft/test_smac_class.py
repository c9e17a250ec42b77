"""The adapter around SMAC's own class, where that is installed, with a scripted game behind it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from controller import Controller
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test

import stmg_envs

smac = pytest.importorskip("smac.env.starcraft2.starcraft2", reason="SMAC is in no package index")
ID = "stmg/SMAC-v0"


@pytest.fixture(autouse=True)
def _scripted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def launch(self: Any) -> None:
        failure = smac.protocol.ProtocolError("gone")
        self._controller = Controller(self._seed, failure, getattr(self, "fails_at", None))
        self._sc2_proc = SimpleNamespace(close=lambda: None)
        self.map_x = self.map_y = self.max_distance_x = self.max_distance_y = 32
        self.pathing_grid = self._controller.game.teams[0].layout.cells.numpy()
        self.terrain_height = np.zeros((32, 32))

    monkeypatch.setattr(smac.StarCraft2Env, "_launch", launch)


@pytest.mark.filterwarnings("ignore:Observation")
def test_every_view_conforms() -> None:
    parallel_api_test(pettingzoo.make("parallel", ID), num_cycles=200)
    api_test(pettingzoo.make("aec", ID), num_cycles=200)
    check_env(gymnasium.make(ID).unwrapped, skip_render_check=True)


def test_battles_are_the_controllers() -> None:
    """SMAC's class says of a battle what Skirmish does: ends, rewards, masks, what is seen of enemies."""
    ours = stmg_envs.parallel_env(ID)
    theirs = stmg_envs.parallel_env("stmg/Skirmish-v0")
    rng = np.random.default_rng(0)
    deaths = 0
    for episode in range(3):
        seen, infos = ours.reset(seed=3 if episode == 0 else None)
        expected, told = theirs.reset(seed=3 if episode == 0 else None)
        # SMAC sorts the agents by where they begin.
        places = [unit.tag - 1 for unit in ours._engine.agents.values()]  # type: ignore[attr-defined]
        names = {f"agent_{i}": theirs.possible_agents[place] for i, place in enumerate(places)}
        while theirs.agents:
            graph = theirs.neighbors()[np.ix_(places, places)]
            np.testing.assert_array_equal(ours.neighbors(), graph)
            actions = {}
            for agent in ours.agents:
                other = expected[names[agent]]
                np.testing.assert_allclose(seen[agent][:19], other[:19], atol=1e-5)
                np.testing.assert_allclose(seen[agent][-1], other[-1], atol=1e-5)
                mask = infos[agent]["action_mask"]
                np.testing.assert_array_equal(mask, told[names[agent]]["action_mask"])
                targets = np.flatnonzero(mask[6:]) + 6
                actions[agent] = int(rng.choice(targets)) if len(targets) else int(rng.choice([1, 4]))
            seen, rewards, terminated, truncated, infos = ours.step(actions)
            expected, paid, ended, cut, told = theirs.step({names[a]: x for a, x in actions.items()})
            for agent, reward in rewards.items():
                assert reward == pytest.approx(paid[names[agent]], abs=1e-5)
                assert terminated[agent] == ended[names[agent]] and truncated[agent] == cut[names[agent]]
                assert infos[agent]["battle_won"] == told[names[agent]]["battle_won"]
            deaths += sum(terminated.values())
        assert not ours.agents
    assert deaths >= 6


def test_a_battle_in_which_the_game_breaks_down_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smac.StarCraft2Env, "fails_at", 3, raising=False)
    batch = stmg_envs.vector_env(ID, 2)
    batch.reset(seed=0)
    lost = [batch.step(batch.priority.new_ones(2, 3))[-1]["lost"].tolist() for _ in range(6)]
    assert lost == [[False] * 2, [False] * 2, [True] * 2] * 2
