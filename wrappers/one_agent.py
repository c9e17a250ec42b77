"""Any Gymnasium environment as a game of one agent."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium import Space
from pettingzoo import ParallelEnv

AGENT = "agent_0"


class OneAgent(ParallelEnv[str, Any, Any]):
    """A PettingZoo parallel environment with one agent, `agent_0`, that plays a Gymnasium environment.

    Args:
        env: the environment.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        self.env = env
        self.metadata = {**env.metadata, "name": "one_agent"}
        self.possible_agents = [AGENT]
        self.agents: list[str] = []
        self.observation_spaces = {AGENT: env.observation_space}
        self.action_spaces = {AGENT: env.action_space}
        self.render_mode = env.render_mode

    def observation_space(self, agent: str) -> Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        self.agents = [AGENT]
        observation, info = self.env.reset(seed=seed, options=options)
        return {AGENT: observation}, {AGENT: info}

    def step(self, actions: dict[str, Any]) -> Any:
        observation, reward, terminated, truncated, info = self.env.step(actions[AGENT])
        if terminated or truncated:
            self.agents = []
        return (
            {AGENT: observation},
            {AGENT: reward},
            {AGENT: terminated},
            {AGENT: truncated},
            {AGENT: info},
        )

    def render(self) -> Any:
        return self.env.render()

    def close(self) -> None:
        self.env.close()
