"""What environments of others may do: late agents, odd spaces, large seeds, lists that are never emptied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete, Sequence, Space
from pettingzoo import ParallelEnv

import stmg_envs
from stmg_envs.errors import InvalidActionError, InvalidArgumentError
from stmg_envs.protocol import (
    ParallelSpaces,
    ParallelVectorEnv,
    TurnBasedEnv,
    TurnStreamEnv,
    check_action,
    seed_tensor,
)
from wrappers import WithPriority


class Visitors(ParallelEnv[str, Any, Any]):
    """Agent a plays four steps; b arrives after one and leaves after three."""

    metadata: dict[str, Any] = {"name": "visitors"}  # noqa: RUF012 (as PettingZoo has it)

    def __init__(self, action: Space[Any] | None = None, seen: dict[str, Space[Any]] | None = None) -> None:
        self.possible_agents = ["a", "b"]
        self.agents: list[str] = []
        self.action = action or Discrete(2)
        self.seen = seen or dict.fromkeys(self.possible_agents, Box(0.0, 9.0, (1,), np.float32))
        self.emptied = True
        self.masked = True

    def observation_space(self, agent: str) -> Space[Any]:
        return self.seen[agent]

    def action_space(self, agent: str) -> Space[Any]:
        return self.action

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.clock, self.agents = 0, ["a"]
        return self._see(), self._infos()

    def step(self, actions: dict[str, Any]) -> Any:
        self.clock += 1
        acted = self.agents
        self.agents = [] if self.clock == 4 else ["a", "b"] if self.clock < 3 else ["a"]
        told = list(dict.fromkeys([*acted, *self.agents]))
        ended = {agent: agent not in self.agents for agent in told}
        observations, infos = self._see(told), self._infos(told)
        if not self.emptied and self.clock == 4:
            self.agents = acted
        return observations, dict.fromkeys(told, 1.0), ended, dict.fromkeys(told, False), infos

    def _see(self, agents: list[str] | None = None) -> dict[str, Any]:
        shown = self.agents if agents is None else agents
        return {agent: np.full(self.seen[agent].shape, self.clock, self.seen[agent].dtype) for agent in shown}

    def _infos(self, agents: list[str] | None = None) -> dict[str, dict[str, Any]]:
        # A mask in the first timestep only: what it says does not hold any longer in the next.
        told: dict[str, Any] = {"action_mask": np.array([0, 1], np.int8)} if not self.clock else {}
        return {agent: dict(told) for agent in (self.agents if agents is None else agents)}


def test_an_agent_that_arrives_gets_its_turns_and_an_end_of_its_own() -> None:
    env = TurnBasedEnv(WithPriority(Visitors()))
    env.reset(seed=0)
    turns = []
    for agent in env.agent_iter(30):
        _, reward, ended, cut, _ = env.last()
        turns.append((agent, reward, ended))
        env.step(None if ended or cut else 1)
    # Two steps of both; b is paid for those that it took, and then a for its last one.
    assert [agent for agent, _, _ in turns] == ["a", "a", "b", "a", "b", "b", "a", "a"]
    assert [agent for agent, _, ended in turns if ended] == ["b", "a"]
    assert sum(reward for agent, reward, _ in turns if agent == "b") == 2.0
    assert sum(reward for agent, reward, _ in turns if agent == "a") == 4.0


def test_streams_and_batches_take_those_who_arrive_as_well() -> None:
    stream = TurnStreamEnv(WithPriority(Visitors()))
    stream.reset(seed=0)
    paid, deciding = [], []
    over = False
    while not over:
        _, _, over, _, info = stream.step(1)
        deciding.append(info["agent"])
        if info["timestep_end"]:
            paid.append(info["rewards"].tolist())
    assert paid == [[1, 0], [1, 1], [1, 1], [1, 0]]
    batch = ParallelVectorEnv(Visitors, 1)
    batch.reset(seed=0)
    steps = [batch.step(torch.ones(1, 2, dtype=torch.int64)) for _ in range(4)]
    assert [rewards[0].tolist() for _, rewards, *_ in steps] == paid
    assert [bool(terminated) for _, _, terminated, _, _ in steps] == [False, False, False, True]


@pytest.mark.parametrize("view", [TurnStreamEnv, TurnBasedEnv])
def test_a_mask_holds_for_its_timestep_alone(view: Any) -> None:
    env = view(WithPriority(Visitors()))
    env.reset(seed=0)
    assert env.turns.observe("a")["action_mask"].tolist() == [0, 1]
    env.step(1)
    assert env.turns.observe("a")["action_mask"].tolist() == [1, 1]


@pytest.mark.parametrize("view", [TurnStreamEnv, TurnBasedEnv])
def test_nobody_has_seen_anything_of_an_episode_before_it_enters(view: Any) -> None:
    env = view(WithPriority(Visitors()))
    for _ in range(2):
        env.reset(seed=0)
        assert "b" not in env.turns._observations
        env.step(1)
        assert env.turns.observe("b")["observation"].tolist() == [1.0]


def test_an_end_that_all_have_said_is_one_even_if_the_list_is_not_emptied() -> None:
    def forgetful() -> Visitors:
        env = Visitors()
        env.emptied = False
        return env

    batch = ParallelVectorEnv(forgetful, 1)
    batch.reset(seed=0)
    ends = [bool(batch.step(torch.ones(1, 2, dtype=torch.int64))[2]) for _ in range(8)]
    assert ends == [False, False, False, True] * 2


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        (np.int8, -100, 100),
        (np.int16, -30_000, 30_000),
        (np.int32, -2_000_000_000, 2_000_000_000),
        (np.uint8, 0, 255),
        (np.float16, -6e4, 6e4),
        (np.float32, -3e38, 3e38),
    ],
)
def test_actions_are_scaled_without_overflow(dtype: Any, low: float, high: float) -> None:
    spaces = ParallelSpaces(Visitors(Box(low, high, (1,), dtype)))
    taken = [spaces.engine_action(0, np.array([x], np.float32)) for x in (-1.0, 0.0, 1.0)]
    assert all(action.dtype == dtype for action in taken)
    middle = (low + high) / 2 if np.issubdtype(dtype, np.floating) else np.rint((low + high) / 2)
    expected = np.array([low, middle, high], np.float64).astype(dtype)
    assert np.array_equal(np.concatenate(taken), expected)


def test_an_action_that_its_type_cannot_hold_is_an_error_and_no_other_action() -> None:
    space = Box(-100, 100, (1,), np.int8)
    assert check_action(space, "a", [-100]).tolist() == [-100]
    assert check_action(space, "a", np.array([7.0])).tolist() == [7]
    for action in ([300], [7.5], [float("nan")], ["7"]):
        with pytest.raises(InvalidActionError, match=r"of a is not legal; expected finite numbers .* int8"):
            check_action(space, "a", action)
    # Beyond the bounds is the game's business.
    assert check_action(space, "a", [120]).tolist() == [120]
    with pytest.raises(InvalidActionError):
        check_action(Box(-1, 1, (1,), np.float32), "a", [1e300])


def test_padding_keeps_type_and_value() -> None:
    spaces = {"a": Box(0, 2**30, (3,), np.int64), "b": Box(-5, 2**60, (2,), np.int64)}
    stream = TurnStreamEnv(WithPriority(Visitors(seen=spaces)))
    observation, _ = stream.reset(seed=0)
    space = stream.observation_space["observation"]
    assert isinstance(space, Box)
    assert space.dtype == np.int64
    assert (int(space.low[0]), int(space.high[0]), space.shape) == (-5, 2**60, (3,))
    assert stream.observation_space.contains(observation)
    stream.step(1)
    observation, *_ = stream.step(1)
    assert observation["observation"].tolist() == [1, 1, 0]
    assert stream.observation_space.contains(observation)


@pytest.mark.parametrize("make", [ParallelSpaces, lambda env: TurnBasedEnv(WithPriority(env))])
def test_observations_must_be_numbers(make: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"observation space Sequence.* is not supported"):
        make(Visitors(seen=dict.fromkeys(["a", "b"], Sequence(Discrete(3)))))


def test_somebody_must_see_something() -> None:
    with pytest.raises(InvalidArgumentError, match="hold no numbers; expected at least one"):
        ParallelSpaces(Visitors(seen=dict.fromkeys(["a", "b"], Box(0.0, 1.0, (0,)))))


@pytest.mark.parametrize("seed", [0, 2**31, 2**63 - 1, 2**63, 2**64 + 5, 10**40, np.uint64(2**64 - 1)])
def test_every_seed_that_gymnasium_takes_begins_the_same_episodes(seed: Any) -> None:
    env = stmg_envs.parallel_env("stmg/CooperativeHunting-v0")
    first, second = (env.reset(seed=seed)[0][env.possible_agents[0]] for _ in range(2))
    assert np.array_equal(first, second)
    batch = stmg_envs.vector_env("stmg/CooperativeHunting-v0", 3)
    observations, _ = batch.reset(seed=seed)
    assert np.array_equal(observations["observation"][0, 0].numpy(), first)
    assert len({tuple(row.flatten().tolist()) for row in observations["observation"]}) == 3


def test_seeds_of_some_environments_alone() -> None:
    seeds = seed_tensor([3, None, 2**64 + 1], 3)
    assert seeds[0] == 3
    assert seeds[2] == 1
    assert 0 <= int(seeds[1]) < 2**31
    with pytest.raises(InvalidArgumentError, match=r"seed=\[1.5, 2\] seeds no batch"):
        seed_tensor([1.5, 2], 2)  # type: ignore[list-item]
