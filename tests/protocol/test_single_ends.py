"""Agents come to their ends one by one, by the rules or cut off, and every view says so of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from games import Walk
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from torch import Tensor

from stmg_envs.errors import NoLegalActionError, NotFiniteError
from stmg_envs.pool import PoolVectorEnv
from stmg_envs.protocol import (
    GameVectorEnv,
    InterleavedVectorEnv,
    JointVectorEnv,
    ParallelVectorEnv,
    TurnBasedEnv,
    TurnStreamEnv,
)
from wrappers import WithPriority

Ends = dict[str, tuple[int, str]]
"""When an agent ends, in steps from 1 on, and how: "terminated", "truncated", or "gone" without a word."""


class Fates(ParallelEnv[str, Any, Any]):
    """Agents a, b and c, each with an end of its own; they see the number of steps so far."""

    metadata: dict[str, Any] = {"name": "fates"}  # noqa: RUF012 (as PettingZoo has it)

    def __init__(self, ends: Ends, said: dict[str, Any] | None = None) -> None:
        self.ends = ends
        self.said = said or {}
        self.possible_agents = list(ends)
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Box:
        return Box(-10.0, 10.0, (1,), np.float32)

    def action_space(self, agent: str) -> Discrete:
        return Discrete(2)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.clock, self.agents = 0, list(self.possible_agents)
        return self._see(self.agents), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        acted, self.clock = self.agents, self.clock + 1
        ending = {agent: self.ends[agent][1] for agent in acted if self.ends[agent][0] == self.clock}
        self.agents = [agent for agent in acted if agent not in ending]
        ends = ({agent: ending.get(agent) == how for agent in acted} for how in ("terminated", "truncated"))
        rewards = {agent: self.said.get("reward", 1.0) for agent in acted}
        mask = np.array(self.said.get("mask", [1, 1]), np.int8)
        infos = {agent: {"action_mask": mask} for agent in acted}
        return self._see(acted), rewards, *ends, infos

    def _see(self, agents: list[str]) -> dict[str, Any]:
        final = self.said.get("final", self.clock)
        return {
            agent: np.array([final if self.ends[agent][0] == self.clock else self.clock], np.float32)
            for agent in agents
        }


ENDS: Ends = {"a": (1, "terminated"), "b": (2, "truncated"), "c": (2, "terminated")}
ZEROS = torch.zeros(2, 3, dtype=torch.int64)


def here(ends: Ends) -> JointVectorEnv:
    return ParallelVectorEnv(lambda: Fates(ends), 2)


def in_a_worker(ends: Ends) -> JointVectorEnv:
    return PoolVectorEnv(lambda: Fates(ends), 2, workers=1)


def in_lanes(ends: Ends) -> JointVectorEnv:
    return InterleavedVectorEnv([ParallelVectorEnv(lambda: Fates(ends), 1) for _ in range(2)])


@pytest.fixture(params=[here, in_a_worker, in_lanes])
def batch(request: pytest.FixtureRequest) -> Iterator[Callable[[Ends], JointVectorEnv]]:
    """Every batch of engines' environments, two of them."""
    made: list[JointVectorEnv] = []

    def make(ends: Ends) -> JointVectorEnv:
        made.append(request.param(ends))
        made[-1].reset(seed=0)
        return made[-1]

    yield make
    for env in made:
        env.close()


def both(x: Tensor) -> list[Any]:
    """What is the same in both environments."""
    assert torch.equal(x[0], x[1])
    listed: list[Any] = x[0].tolist()
    return listed


def test_a_batch_says_of_each_agent_how_it_ended(batch: Callable[[Ends], JointVectorEnv]) -> None:
    env = batch(ENDS)
    seen, rewards, terminated, truncated, info = env.step(ZEROS)
    assert both(info["terminations"]) == [True, False, False]
    assert not info["truncations"].any() and not terminated.any() and not truncated.any()
    assert both(rewards) == [1.0, 1.0, 1.0]
    assert both(seen["alive"]) == [False, True, True]
    seen, rewards, terminated, truncated, info = env.step(ZEROS)
    # One of the last agents was cut off, so the episode was.
    assert both(terminated) is False
    assert both(truncated) is True
    assert both(info["terminations"]) == [False, False, True]
    assert both(info["truncations"]) == [False, True, False]
    assert both(rewards) == [0.0, 1.0, 1.0]
    assert both(info["final"]["observation"]) == [[0.0], [2.0], [2.0]]
    assert both(seen["alive"]) == [True, True, True]


def test_who_is_cut_off_alone_is_shown_what_it_saw_last(batch: Callable[[Ends], JointVectorEnv]) -> None:
    env = batch({"a": (1, "truncated"), "b": (3, "terminated"), "c": (1, "terminated")})
    seen, _, terminated, truncated, info = env.step(ZEROS)
    assert not terminated.any() and not truncated.any()
    assert both(info["truncations"]) == [True, False, False]
    assert both(info["final"]["observation"]) == [[1.0], [1.0], [0.0]]
    assert both(seen["observation"]) == [[0.0], [1.0], [0.0]]
    assert both(info["final"]["alive"]) == [True, True, False]


def test_who_leaves_without_a_word_has_come_to_its_end(batch: Callable[[Ends], JointVectorEnv]) -> None:
    *_, info = batch({"a": (1, "gone"), "b": (2, "gone"), "c": (2, "gone")}).step(ZEROS)
    assert both(info["terminations"]) == [True, False, False]
    assert not info["truncations"].any()


def test_an_episode_is_terminated_only_if_nobody_was_cut_off() -> None:
    for how, flags in (("terminated", (True, False)), ("truncated", (False, True))):
        ends: Ends = {"a": (1, "terminated"), "b": (1, how), "c": (1, "terminated")}
        *_, terminated, truncated, info = here_after_reset(ends).step(ZEROS)
        stream = TurnStreamEnv(WithPriority(Fates(ends)))
        stream.reset(seed=0)
        for _ in range(2):
            *_, told = stream.step(0)
            assert not told["terminations"].any() and not told["truncations"].any()
        *_, over, cut, told = stream.step(0)
        assert (bool(terminated[0]), bool(truncated[0])) == (over, cut) == flags
        assert (
            both(info["terminations"]) == told["terminations"].tolist() == [True, how == "terminated", True]
        )
        assert both(info["truncations"]) == told["truncations"].tolist() == [False, how == "truncated", False]
        turns = TurnBasedEnv(WithPriority(Fates(ends)))
        turns.reset(seed=0)
        for _ in range(3):
            turns.step(0)
        assert list(turns.terminations.values()) == told["terminations"].tolist()
        assert list(turns.truncations.values()) == told["truncations"].tolist()


def here_after_reset(ends: Ends, said: dict[str, Any] | None = None) -> ParallelVectorEnv:
    env = ParallelVectorEnv(lambda: Fates(ends, said), 2)
    env.reset(seed=0)
    return env


def test_agents_of_a_native_game_end_when_they_leave_it() -> None:
    env = GameVectorEnv(Walk(), 16)
    seen, _ = env.reset(seed=1)
    ended_singly = 0
    for step in range(40):
        before = seen["alive"]
        actions = torch.full((16, env.game.n, 2), 1.0 if step % 2 else -0.8)
        seen, _, terminated, truncated, info = env.step(actions)
        left = before & (terminated[:, None] | ~info["final"]["alive"])
        assert torch.equal(info["terminations"], left)
        assert torch.equal(info["truncations"], before & truncated[:, None] & ~left)
        ended_singly += int((info["terminations"].any(dim=1) & ~terminated & ~truncated).sum())
    assert ended_singly > 0


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_errors_unless_nobody_needs_them(number: float) -> None:
    ends: Ends = {"a": (1, "terminated"), "b": (2, "terminated"), "c": (2, "truncated")}
    env = here_after_reset(
        {name: (when, "terminated") for name, (when, _) in ends.items()}, {"final": number}
    )
    env.step(ZEROS)
    env.step(ZEROS)
    with pytest.raises(NotFiniteError, match=r"environment 0: reward of a is (nan|inf); expected finite"):
        here_after_reset(ends, {"reward": number}).step(ZEROS)
    # What c sees last is what it bootstraps from.
    env = here_after_reset(ends, {"final": number})
    env.step(ZEROS)
    with pytest.raises(NotFiniteError, match="environment 0: observation of c is"):
        env.step(ZEROS)


def test_who_is_to_decide_has_a_legal_action() -> None:
    ends: Ends = {"a": (1, "truncated"), "b": (1, "truncated"), "c": (1, "truncated")}
    # Nobody decides after the end: masks may be empty there.
    *_, info = here_after_reset(ends, {"mask": [0, 0]}).step(ZEROS)
    assert not info["final"]["action_mask"].any()
    ends = {"a": (1, "truncated"), "b": (2, "truncated"), "c": (2, "truncated")}
    with pytest.raises(
        NoLegalActionError, match=r"environment 0: b has no legal action: .*\[0, 0\] is empty"
    ):
        here_after_reset(ends, {"mask": [0, 0]}).step(ZEROS)
    for view in (TurnStreamEnv, TurnBasedEnv):
        env: Any = view(WithPriority(Fates(ends, {"mask": [0, 0]})))
        env.reset(seed=0)
        env.step(0)
        env.step(0)
        with pytest.raises(NoLegalActionError, match="b has no legal action"):
            env.step(0)
