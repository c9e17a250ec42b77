"""SMAC's class with a scripted game in the place of StarCraft II, that of `stmg/Skirmish-v0`.

What SMAC's class (oxwhirl/smac, d6aab33) asks of its caller and gives to it is kept: joint actions as a list
in which the dead do nothing, an AssertionError for one that is not allowed, `step` as (reward, terminated,
info), the time limit as an end, and (0, True, {}) when the game has broken down.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stmg_envs.combat import Skirmish
from stmg_envs.protocol import Episodes

LAUNCHED: list[int | None] = []
"""Seeds with which games were started."""


class StarCraft2Env:
    """One battle at a time.

    Args:
        map_name: the map.
        seed: of all battles.
        continuing_episode: whether the time limit is told.
        breaks_down_at: step of every episode at which the game breaks down; SMAC has no such argument.
        **flags: of observations, states and rewards.
    """

    def __init__(
        self,
        map_name: str = "8m",
        seed: int | None = None,
        continuing_episode: bool = False,
        breaks_down_at: int | None = None,
        **flags: Any,
    ) -> None:
        self.game = Skirmish(map_name, **flags)
        self.episodes = Episodes(self.game, 1)
        self.n_agents, self.episode_limit = self.game.n, self.game.max_steps
        self.continuing_episode, self.breaks_down_at = continuing_episode, breaks_down_at
        self._seed, self._launched, self._steps = seed, False, 0

    def get_env_info(self) -> dict[str, Any]:
        assert self.game.state_space is not None
        return {
            "state_shape": self.game.state_space.shape[0],
            "obs_shape": self.game.observation_space.shape[0],
            "n_actions": self.game.action_width,
            "n_agents": self.n_agents,
            "episode_limit": self.episode_limit,
        }

    def reset(self) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        if not self._launched:
            LAUNCHED.append(self._seed)
        # As in StarCraft II the seed is taken at the start alone.
        self.episodes.reset(None if self._launched else self._seed)
        self._launched, self._steps = True, 0
        return self.get_obs(), self.get_state()

    def step(self, actions: Sequence[int]) -> tuple[float, bool, dict[str, Any]]:
        for agent, (action, legal) in enumerate(zip(actions, self.get_avail_actions(), strict=True)):
            assert legal[action] == 1, f"Agent {agent} cannot perform action {action}"
        self._steps += 1
        if self._steps == self.breaks_down_at:
            return 0, True, {}
        result = self.episodes.step(torch.tensor([list(actions)]))
        over, limit = bool(result.terminated | result.truncated), bool(result.truncated)
        told: dict[str, Any] = {name: int(result.metrics[name]) for name in ("dead_allies", "dead_enemies")}
        told["battle_won"] = bool(result.metrics["battle_won"])
        if limit and self.continuing_episode:
            told["episode_limit"] = True
        return float(result.rewards.max()), over, told

    def get_obs(self) -> list[NDArray[np.float32]]:
        return list(self.game.observe(self.episodes.state)[0].numpy())

    def get_state(self) -> NDArray[np.float32]:
        state: NDArray[np.float32] = self.game.global_state(self.episodes.state)[0].numpy()
        return state

    def get_avail_actions(self) -> list[list[int]]:
        masks: list[list[int]] = self.game.action_mask(self.episodes.state)[0].int().tolist()
        return masks

    def get_unit_by_id(self, agent: int) -> SimpleNamespace:
        x, y, health = (float(self.episodes.state[name][0, agent]) for name in ("x", "y", "health"))
        return SimpleNamespace(pos=SimpleNamespace(x=x, y=y), health=health)

    def unit_sight_range(self, agent: int) -> float:
        return 9

    def render(self, mode: str = "human") -> NDArray[np.uint8]:
        return np.asarray(self.game.render(self.episodes.state, "rgb_array"))

    def close(self) -> None:
        self._launched = False
