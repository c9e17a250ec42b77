"""Wrappers around wrappers: graph, state and priority of what is inside come through, infos stay its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from pettingzoo.utils.wrappers import BaseParallelWrapper

import stmg_envs
from stmg_envs.protocol import ParallelVectorEnv, PriorityParallelEnv
from wrappers import DifferentialReward, WithPriority, by_score, spatio_temporal

Wrap = Callable[[Any], Any]
WRAPPERS: dict[str, Wrap] = {
    "differential rewards": DifferentialReward,
    "PettingZoo's own": BaseParallelWrapper,
    "both": lambda env: DifferentialReward(BaseParallelWrapper(env)),
    "priority": WithPriority,
    "twice": lambda env: WithPriority(DifferentialReward(WithPriority(env))),
}


@pytest.fixture(params=WRAPPERS)
def wrap(request: pytest.FixtureRequest) -> Wrap:
    """Every way to wrap an environment."""
    return WRAPPERS[request.param]


def test_the_graph_comes_through(wrap: Wrap) -> None:
    env = stmg_envs.parallel_env("stmg/OnRampMerge-v0")
    turns = spatio_temporal(wrap(env))
    turns.reset(seed=0)
    assert np.array_equal(turns.neighbors(), env.neighbors())
    assert not env.neighbors().all(axis=None, where=~np.eye(len(env.possible_agents), dtype=bool))
    batch = ParallelVectorEnv(lambda: wrap(stmg_envs.parallel_env("stmg/OnRampMerge-v0")), 1)
    batch.reset(seed=3)
    inner = batch.envs[0].unwrapped
    assert np.array_equal(batch.neighbors()[0].numpy(), batch.envs[0].neighbors())
    assert inner is not None


def test_the_global_state_comes_through(wrap: Wrap) -> None:
    env = stmg_envs.parallel_env("stmg/CooperativeHunting-v0")
    turns = spatio_temporal(wrap(env))
    turns.reset(seed=0)
    assert np.array_equal(turns.observe(turns.agent_selection)["state"], env.state())


def test_the_priority_comes_through(wrap: Wrap) -> None:
    env = stmg_envs.parallel_env("stmg/Mixing-v0", priority=["agent_1", "agent_0"])
    turns = spatio_temporal(wrap(env))
    turns.reset(seed=0)
    assert turns.agent_selection == "agent_1"
    turns.reset(options={"priority": ["agent_0", "agent_1"]})
    assert turns.agent_selection == "agent_0"


class Shared(ParallelEnv[str, Any, Any]):
    """Two agents with one dict of information between them; b arrives later, sees more, and is paid less."""

    metadata: dict[str, Any] = {"name": "shared"}  # noqa: RUF012 (as PettingZoo has it)

    def __init__(self) -> None:
        self.possible_agents = ["a", "b"]
        self.agents: list[str] = []
        self.info: dict[str, Any] = {}

    def observation_space(self, agent: str) -> Box:
        return Box(0.0, 1.0, (1,), np.float32)

    def action_space(self, agent: str) -> Discrete:
        return Discrete(2)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.clock, self.agents = 0, ["a"]
        return self._see(), dict.fromkeys(self.agents, self.info)

    def step(self, actions: dict[str, Any]) -> Any:
        self.clock += 1
        self.agents = ["a", "b"] if self.clock < 3 else []
        told = ["a", "b"]
        ended = dict.fromkeys(told, not self.agents)
        return (
            self._see(told),
            {"a": 1.0, "b": -5.0},
            ended,
            dict.fromkeys(told, False),
            dict.fromkeys(told, self.info),
        )

    def _see(self, agents: list[str] | None = None) -> dict[str, Any]:
        shown = self.agents if agents is None else agents
        return {agent: np.array([0.9 if agent == "b" else 0.1], np.float32) for agent in shown}


def test_nothing_is_written_into_somebody_else_s_information() -> None:
    inner = Shared()
    env = DifferentialReward(inner)
    env.reset()
    env.step({"a": 0})
    infos = env.step({"a": 0, "b": 0})[4]
    assert {agent: info["reward"] for agent, info in infos.items()} == {"a": 1.0, "b": -5.0}
    assert inner.info == {}


def test_an_order_does_not_hang_on_the_episode_before() -> None:
    env: PriorityParallelEnv = WithPriority(Shared(), by_score(lambda observations: observations[..., 0]))
    orders = []
    for _ in range(2):
        env.reset(seed=0)
        orders.append(env.priority)
        while env.agents:
            env.step(dict.fromkeys(env.agents, 0))
        # Who has arrived scores highest.
        assert env.priority == ("b", "a")
    assert orders == [("a", "b")] * 2
