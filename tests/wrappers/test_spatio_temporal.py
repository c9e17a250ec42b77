"""Other people's PettingZoo environments, played in turns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pettingzoo
import pytest
from games import (
    GAMES,
    assert_joint_game_in_turns,
    assert_leaders_blind,
    assert_same,
    random_order,
    sample,
    sample_joint,
)
from gymnasium import Space
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete
from gymnasium.utils.env_checker import check_env
from mpe2 import simple_spread_v3, simple_tag_v3
from pettingzoo import ParallelEnv
from pettingzoo.test import api_test

from stmg_envs.errors import InvalidArgumentError, InvalidPriorityError
from stmg_envs.protocol import GameParallelEnv, TurnBasedEnv, TurnStreamEnv
from wrappers import WithPriority, spatio_temporal


class Counter(ParallelEnv[str, Any, Any]):
    """Two customers take 1, 2 or 3 things of what is left; masks in observations, actions from 1."""

    metadata: ClassVar[dict[str, Any]] = {"name": "counter", "render_modes": []}

    def __init__(self) -> None:
        self.possible_agents = ["customer_0", "customer_1"]
        self.agents: list[str] = []
        own = Dict({"observation": Box(0, 9, (2,), np.float32), "action_mask": Box(0, 1, (3,), np.int8)})
        self.observation_spaces = dict.fromkeys(self.possible_agents, own)
        self.action_spaces: dict[str, Space[Any]] = {
            agent: Discrete(3, start=1) for agent in self.possible_agents
        }

    def observation_space(self, agent: str) -> Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        assert "priority" not in (options or {}), "that is no business of the environment inside"
        self.left = 9
        self.agents = list(self.possible_agents)
        return self._see(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        acted = self.agents
        assert all(self.action_spaces[agent].contains(action) for agent, action in actions.items())
        self.left = max(0, self.left - sum(actions.values()))
        over = self.left == 0
        self.agents = [] if over else acted
        rewards = {agent: float(actions[agent]) for agent in acted}
        flags = dict.fromkeys(acted, over), dict.fromkeys(acted, False)
        return self._see(), rewards, *flags, {agent: {} for agent in acted}

    def _see(self) -> dict[str, Any]:
        mask = np.array([1, self.left > 3, self.left > 5], np.int8)
        return {
            agent: {"observation": np.array([self.left, 9 - self.left], np.float32), "action_mask": mask}
            for agent in self.possible_agents
        }


OTHERS: Mapping[str, Callable[[], ParallelEnv[str, Any, Any]]] = {
    "spread": partial(simple_spread_v3.parallel_env, max_cycles=5),
    "spread continuous": partial(simple_spread_v3.parallel_env, max_cycles=5, continuous_actions=True),
    "tag": partial(simple_tag_v3.parallel_env, max_cycles=5),
    "tag continuous": partial(simple_tag_v3.parallel_env, max_cycles=5, continuous_actions=True),
    "rock paper scissors": partial(pettingzoo.make, "parallel", "classic/rps_v2", max_cycles=4),
    "pong": partial(
        pettingzoo.make, "parallel", "butterfly/cooperative_pong_v6", max_cycles=4, render_mode="rgb_array"
    ),
    "counter": Counter,
}


@pytest.fixture(params=OTHERS)
def make(request: pytest.FixtureRequest) -> Callable[[], ParallelEnv[str, Any, Any]]:
    """Makes an environment that knows nothing of priorities."""
    return OTHERS[request.param]


@pytest.mark.filterwarnings(
    "ignore:Observation is not a NumPy array",  # turn observations are flat Dicts
    "ignore:Observation space for each agent probably should be",  # the same
)
def test_pettingzoo_accepts_it(make: Callable[[], ParallelEnv[str, Any, Any]]) -> None:
    env = spatio_temporal(make())
    api_test(env, num_cycles=12)
    env.close()


@pytest.mark.parametrize("seed", [0, 1])
def test_leader_never_sees_follower(make: Callable[[], ParallelEnv[str, Any, Any]], seed: int) -> None:
    assert_leaders_blind(lambda: spatio_temporal(make()), seed)


@pytest.mark.parametrize("seed", [0, 1])
def test_turns_equal_joint_steps(make: Callable[[], ParallelEnv[str, Any, Any]], seed: int) -> None:
    assert_joint_game_in_turns(make(), spatio_temporal(make()), seed)


def test_superiors_are_seen(make: Callable[[], ParallelEnv[str, Any, Any]]) -> None:
    inside = make()
    order = random_order(inside.possible_agents, np.random.default_rng(3))
    env = spatio_temporal(inside, order)
    env.reset(seed=0)
    assert env.agents == order and env.priority == tuple(order)
    actions = sample_joint(inside, np.random.default_rng(0))
    for rank, agent in enumerate(order):
        view = env.last()[0]
        assert (view["rank"], view["agent"]) == (rank, inside.possible_agents.index(agent))
        for superior, row in zip(order[:rank], view["leader_actions"], strict=False):
            space, action = inside.action_space(superior), actions[superior]
            if isinstance(space, Discrete):
                assert row.sum() == 1 and row[action - space.start] == 1
            else:
                assert_same(row, action)
        assert not view["leader_actions"][rank:].any()
        env.step(actions[agent])


def test_masks_in_observations() -> None:
    env = spatio_temporal(Counter())
    env.reset()
    assert env.last()[0]["observation"].tolist() == [9, 0]
    for action in (3, 3, 1):
        assert action == 1 or env.last()[0]["action_mask"].tolist() == [1, 1, 1]
        env.step(action)
    view = env.last()[0]
    assert view["action_mask"].tolist() == [1, 0, 0]
    assert view["leader_actions"].tolist() == [[1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "name", ["spread", "spread continuous", "tag", "tag continuous", "rock paper scissors"]
)
@pytest.mark.filterwarnings("ignore:.*A Box observation space m:UserWarning")  # mpe2 sets no bounds
def test_as_one_stream_of_turns(name: str) -> None:
    inside = OTHERS[name]()
    env = TurnStreamEnv(WithPriority(inside))
    check_env(env, skip_render_check=True)
    view, info = env.reset(seed=5)
    observations, _ = OTHERS[name]().reset(seed=5)
    if name.startswith("tag"):
        # The prey sees less than its hunters: zeros follow.
        own = observations[info["agent"]]
        assert_same(view["observation"][: len(own)], own)
        assert not view["observation"][len(own) :].any()
    rewards = 0.0
    for _ in inside.possible_agents:
        view, reward, _, _, info = env.step(sample(env.action_space, np.random.default_rng(0)))
        rewards += reward
    assert info["timestep_end"]
    assert rewards == pytest.approx(info["rewards"].mean())


def test_counted_from_zero_in_the_stream() -> None:
    env = TurnStreamEnv(WithPriority(Counter()))
    env.reset(seed=0)
    env.step(0)
    assert env.step(2)[4]["rewards"].tolist() == [1, 3]


def test_our_own_environments_keep_their_priority() -> None:
    inside = GameParallelEnv(GAMES["walk"]())
    env = spatio_temporal(inside)
    assert isinstance(env, TurnBasedEnv) and env.parallel is inside
    assert spatio_temporal(inside, ["agent_0", "agent_1", "agent_2"]).priority == (
        "agent_0",
        "agent_1",
        "agent_2",
    )


def test_neighbours_and_state() -> None:
    walk = GameParallelEnv(GAMES["walk"]())
    ours, theirs = WithPriority(walk), WithPriority(OTHERS["spread"]())
    for env in (ours, theirs):
        env.reset(seed=4)
    assert np.array_equal(ours.neighbors(), walk.neighbors())
    assert np.array_equal(theirs.neighbors(), ~np.eye(3, dtype=bool))
    assert list(theirs.neighbor_graph()) == ["agent_0", "agent_1", "agent_2"]
    assert theirs.state_space is not None and theirs.state_space.contains(theirs.state())
    assert_same(ours.state(), walk.state())


@pytest.mark.parametrize(
    "priority",
    [["agent_0"], ["agent_0"] * 3, ["agent_0", "agent_1", "agent_7"], "agent_0", 3, [0, 1, 2]],
    ids=repr,
)
def test_bad_priority(priority: Any) -> None:
    with pytest.raises(InvalidPriorityError, match=re.escape(repr(priority))):
        spatio_temporal(OTHERS["spread"](), priority)
    env = spatio_temporal(OTHERS["spread"]())
    with pytest.raises(InvalidPriorityError, match=re.escape(repr(priority))):
        env.reset(options={"priority": priority})


@pytest.mark.parametrize(
    "space", [MultiDiscrete([2, 2]), Box(-1, 1, (2, 2)), Dict({"a": Discrete(2)})], ids=repr
)
def test_action_spaces_without_turns(space: Space[Any]) -> None:
    env = Counter()
    env.action_spaces["customer_1"] = space
    with pytest.raises(InvalidArgumentError, match="no turn-based form"):
        spatio_temporal(env)
