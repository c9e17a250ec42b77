"""A hundred thousand random timesteps on every map: nothing but finite numbers and legal masks."""

from __future__ import annotations

import pytest
import torch

from benchmarks.combat_players import play_random
from stmg_envs.combat import SCENARIOS, Skirmish
from stmg_envs.protocol import GameVectorEnv

pytestmark = pytest.mark.slow

BATCH, STEPS = 200, 500


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_breaks(name: str) -> None:
    game = Skirmish(name)
    env = GameVectorEnv(game, BATCH)
    env.reset(seed=0)
    generator = torch.Generator().manual_seed(0)
    low, high = torch.tensor(game.observation_space.low[0]), torch.tensor(game.observation_space.high[0])
    for _ in range(STEPS):
        shown, rewards, *_ = env.step(play_random(env.episodes.state, game, generator))
        assert torch.isfinite(rewards).all()
        assert (rewards >= 0).all()
        assert ((shown["observation"] >= low) & (shown["observation"] <= high)).all()
        assert torch.isfinite(shown["state"]).all()
        # The dead can do nothing, the living cannot do that, and can always stop.
        assert torch.equal(shown["action_mask"][..., 0], ~shown["alive"])
        assert torch.equal(shown["action_mask"][..., 1], shown["alive"])
        state = env.episodes.state
        assert not env.neighbors().diagonal(dim1=1, dim2=2).any()
        assert ((state["x"] > 0) & (state["x"] < 32) & (state["y"] > 0) & (state["y"] < 32)).all()
