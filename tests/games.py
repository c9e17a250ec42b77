"""What every test needs: games that are no matrix games, all games, their views, and random play."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial, singledispatch
from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from gymnasium.vector import VectorEnv
from pettingzoo import AECEnv, ParallelEnv
from torch import Tensor

import stmg_envs
from stmg_envs.combat import Skirmish
from stmg_envs.matrix import MatrixGame
from stmg_envs.merge import OnRampMerge
from stmg_envs.protocol import (
    Game,
    GameParallelEnv,
    GameVectorEnv,
    Outcome,
    State,
    Streams,
    TurnBasedEnv,
    TurnStreamEnv,
    TurnStreamVectorEnv,
)


class Walk(Game):
    """Three agents walk on a noisy plane; who leaves the disc is out; over when all are, or after 9 steps.

    Continuous actions, random starts, a global state, a changing neighbour graph, a metric.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": [], "render_fps": 4}
    max_steps = 9

    def __init__(self) -> None:
        self.agents = ("agent_0", "agent_1", "agent_2")
        self.action_spaces = tuple(Box(-1, 1, (2,), np.float32) for _ in self.agents)
        self.observation_space = Box(-4, 4, (3,), np.float32)
        self.state_space = Box(-4, 4, (9,), np.float32)

    @property
    def default_priority(self) -> tuple[str, ...]:
        return ("agent_2", "agent_0", "agent_1")

    def reset(self, streams: Streams) -> State:
        position = streams.uniform(self.n, 2) * 1.4 - 0.7
        return {"position": position, "alive": torch.ones_like(position[..., 0], dtype=torch.bool)}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        alive = state["alive"]
        move = 0.5 * actions.clamp(-1, 1) + 0.1 * streams.normal(self.n, 2)
        position = state["position"] + move * alive[..., None]
        x, y = position.unbind(-1)
        away = x * x + y * y
        inside = alive & (away < 1)
        # Who is out neither counts nor is paid; the others share how far they go to the right.
        shared = (actions[..., 0] * alive).sum(dim=1, keepdim=True)
        rewards = (shared - away) * alive
        metrics = {"inside": inside.sum(dim=1).float()}
        return Outcome({"position": position, "alive": inside}, rewards, ~inside.any(dim=1), metrics)

    def observe(self, state: State) -> Tensor:
        return torch.cat([state["position"], state["alive"][..., None].float()], dim=-1)

    def global_state(self, state: State) -> Tensor:
        return self.observe(state).flatten(1)

    def alive(self, state: State) -> Tensor:
        return state["alive"]

    def neighbors(self, state: State) -> Tensor:
        near = torch.cdist(state["position"], state["position"]) < 0.8
        return near & ~torch.eye(self.n, dtype=torch.bool, device=near.device)


class Tokens(Game):
    """Three agents spend random amounts of tokens; over when all are spent, or after 6 steps.

    Unequal action counts, and masks that depend on the state: action a spends a tokens.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": [], "render_fps": 4}
    max_steps = 6

    def __init__(self) -> None:
        self.agents = ("giver_0", "taker_0", "taker_1")
        self.action_spaces = (Discrete(3), Discrete(2), Discrete(4))
        self.observation_space = Box(0, 1, (2,), np.float32)

    def reset(self, streams: Streams) -> State:
        return {"tokens": 1 + (streams.uniform(self.n) * 3).long()}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        spent = torch.minimum(actions, state["tokens"])
        left = state["tokens"] - spent
        rewards = 1.5 * spent - 0.5 * spent.sum(dim=1, keepdim=True)
        return Outcome({"tokens": left}, rewards, left.sum(dim=1) == 0)

    def observe(self, state: State) -> Tensor:
        tokens = state["tokens"]
        total = tokens.sum(dim=1, keepdim=True).expand_as(tokens)
        return torch.stack([tokens / 3, total / 9], dim=-1)

    def action_mask(self, state: State) -> Tensor:
        tokens = state["tokens"][..., None]
        spendable = torch.arange(self.action_width, device=tokens.device) <= tokens
        mask = super().action_mask(state)
        assert mask is not None
        return mask & spendable


GAMES: Mapping[str, Callable[[], Game]] = {
    **{
        id: partial(stmg_envs.make_game, id)
        for id in stmg_envs.list_envs()
        if next(iter(stmg_envs.game_spec(id).backends)) == "native"
    },
    "repeated": partial(MatrixGame, "battle_of_the_sexes", repeats=5, memory=True),
    "alone": partial(MatrixGame, [[3, 1, 2]], repeats=2),
    "five": partial(MatrixGame, np.random.default_rng(0).integers(-5, 5, (5, 2, 3, 2, 4, 2)), repeats=3),
    "arm": partial(
        stmg_envs.make_game, "stmg/MultiAgentMujoco-v0", scenario="Pusher", agent_conf="3p", max_steps=8
    ),
    "teams": partial(Skirmish, "5m_vs_6m", opponent="agents"),
    "fallen": partial(Skirmish, "3m", dead="stay"),
    "some": partial(OnRampMerge, 2, num_agents="random", action_masking=True),
    "walk": Walk,
    "tokens": Tokens,
}
"""Every native game of the registry with default arguments, and some more."""

VIEWS: Mapping[str, Callable[[Game], Any]] = {
    "parallel": GameParallelEnv,
    "aec": lambda game: TurnBasedEnv(GameParallelEnv(game)),
    "stream": lambda game: TurnStreamEnv(GameParallelEnv(game)),
    "vector": lambda game: GameVectorEnv(game, 3),
    "vector_stream": lambda game: TurnStreamVectorEnv(game, 3),
}
"""Every view of a native game."""


def sample(space: gymnasium.Space[Any], rng: np.random.Generator) -> Any:
    """A random action, from our generator so that no hidden state of the space matters."""
    if isinstance(space, Box):
        return rng.uniform(space.low, space.high).astype(space.dtype)
    if isinstance(space, MultiDiscrete):
        return rng.integers(space.nvec)
    assert isinstance(space, Discrete)
    return int(space.start + rng.integers(space.n))


def sample_joint(env: ParallelEnv[str, Any, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A random action for every agent that will decide."""
    return {agent: sample(env.action_space(agent), rng) for agent in env.agents}


def sample_batch(env: GameVectorEnv, rng: np.random.Generator) -> Tensor:
    """Random actions for every environment of a batch; shorter ones are filled up with zeros."""
    game = env.game
    rows = [[sample(space, rng) for space in game.action_spaces] for _ in range(env.num_envs)]
    if game.discrete:
        return torch.as_tensor(np.array(rows))
    padded = [[np.pad(action, (0, game.action_width - len(action))) for action in row] for row in rows]
    return torch.as_tensor(np.array(padded))


@singledispatch
def advance(env: Any, rng: np.random.Generator) -> Any:
    """One random step of any view, or a reset where the episode is over; everything the view says of it."""
    raise TypeError(type(env))


@advance.register
def _(env: ParallelEnv, rng: np.random.Generator) -> Any:
    return (env.step(sample_joint(env, rng)) if env.agents else env.reset()), env.priority


@advance.register
def _(env: AECEnv, rng: np.random.Generator) -> Any:
    if not env.agents:
        env.reset()
        return env.agent_selection, env.last()
    agent = env.agent_selection
    env.step(None if is_out(env, agent) else sample(env.action_space(agent), rng))
    return list(env.agents), env.agents and (env.agent_selection, env.last(), dict(env.rewards))


@advance.register
def _(env: gymnasium.Env, rng: np.random.Generator) -> Any:
    return env.step(sample(env.action_space, rng)) if env.unwrapped.turns.order else env.reset()


@advance.register
def _(env: GameVectorEnv, rng: np.random.Generator) -> Any:
    return env.step(sample_batch(env, rng)), env.priority, env.neighbors()


@advance.register
def _(env: VectorEnv, rng: np.random.Generator) -> Any:
    return env.step(sample(env.action_space, rng))


def trace(env: Any, steps: int, actions_seed: int = 0) -> list[Any]:
    """Random play from where a view stands, over as many episodes as it takes."""
    rng = np.random.default_rng(actions_seed)
    return [advance(env, rng) for _ in range(steps)]


def is_out(env: AECEnv[str, Any, Any], agent: str) -> bool:
    """Whether an agent of a turn-based environment has ended and waits for None."""
    return env.terminations[agent] or env.truncations[agent]


def random_order(agents: tuple[str, ...] | list[str], rng: np.random.Generator) -> list[str]:
    return [agents[index] for index in rng.permutation(len(agents))]


def assert_same(left: Any, right: Any, path: str = "") -> None:
    """Bitwise equality of nested dicts, sequences, arrays and tensors: values, types, shapes and dtypes."""
    assert type(left) is type(right), f"{path}: {type(left)} {type(right)}"
    if isinstance(left, Mapping):
        assert left.keys() == right.keys(), f"{path}: {set(left) ^ set(right)}"
        for key in left:
            assert_same(left[key], right[key], f"{path}/{key}")
    elif isinstance(left, list | tuple):
        assert len(left) == len(right), path
        for index, pair in enumerate(zip(left, right, strict=True)):
            assert_same(*pair, f"{path}/{index}")
    elif isinstance(left, Tensor):
        assert left.dtype == right.dtype and torch.equal(left, right), f"{path}: {left} {right}"
    elif isinstance(left, np.ndarray) and left.dtype == object:
        assert right.dtype == object
        assert_same(left.tolist(), right.tolist(), path)
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype, f"{path}: {left.dtype} {right.dtype}"
        np.testing.assert_array_equal(left, right, err_msg=path, strict=True)
    else:
        assert left == right, f"{path}: {left} {right}"


def assert_joint_game_in_turns(
    joint: ParallelEnv[str, Any, Any], turns: AECEnv[str, Any, Any], seed: int, episodes: int = 3
) -> None:
    """Play the same actions jointly and in turns of random orders: what everyone gets must be equal."""
    rng = np.random.default_rng(seed)
    for episode in range(episodes):
        episode_seed = seed if episode == 0 else None
        order = random_order(joint.possible_agents, rng)
        observations, infos = joint.reset(seed=episode_seed)
        turns.reset(seed=episode_seed, options={"priority": order})
        while joint.agents:
            actions = sample_joint(joint, rng)
            for agent in [agent for agent in order if agent in actions]:
                assert turns.agent_selection == agent
                assert_same_own_view(turns, agent, observations, infos)
                turns.step(actions[agent])
            observations, rewards, terminations, truncations, infos = joint.step(actions)
            assert turns.rewards == rewards
            assert (turns.terminations, turns.truncations) == (terminations, truncations)
            while turns.agents and is_out(turns, turns.agent_selection):
                agent = turns.agent_selection
                assert_same_own_view(turns, agent, observations, infos)
                assert turns.last()[1] == rewards[agent]
                turns.step(None)
            assert sorted(turns.agents) == sorted(joint.agents)


def assert_same_own_view(
    turns: AECEnv[str, Any, Any], agent: str, observations: dict[str, Any], infos: dict[str, Any]
) -> None:
    """An agent sees on its turn what it sees in the joint game."""
    own, mask = observations[agent], infos[agent].get("action_mask")
    if isinstance(own, dict):
        own, mask = own["observation"], own["action_mask"]
    view = turns.observe(agent)
    assert turns.observation_space(agent).contains(view)
    if np.shape(own) == view["observation"].shape:
        assert_same(view["observation"], np.asarray(own))
    else:
        assert view["observation"].argmax() == own, "a discrete observation is shown one-hot"
    if mask is not None:
        assert_same(view["action_mask"], mask)
    assert turns.infos[agent] == {
        name: value for name, value in infos[agent].items() if name != "action_mask"
    }


def assert_leaders_blind(make: Callable[[], Any], seed: int) -> None:
    """In one timestep change what the agents from some rank on do: only those after it may see that."""
    rng = np.random.default_rng(seed)
    env = make()
    order = random_order(env.parallel.possible_agents, rng)
    timesteps = 1 + 2 * seed

    def choose(timestep: int, agent: str) -> Any:
        key = [seed, timestep, env.parallel.possible_agents.index(agent)]
        return sample(env.parallel.action_space(agent), np.random.default_rng(key))

    before = last_timestep(make(), seed, order, timesteps, choose)
    living = [agent for agent, _ in before]
    for rank in range(len(living)):

        def choose_otherwise(
            timestep: int, agent: str, changed: tuple[str, ...] = tuple(living[rank:])
        ) -> Any:
            action = choose(timestep, agent)
            if timestep < timesteps - 1 or agent not in changed:
                return action
            space = env.parallel.action_space(agent)
            if not isinstance(space, Discrete):
                return action / 2
            return int(space.start + (action - space.start + 1) % space.n)

        after = last_timestep(make(), seed, order, timesteps, choose_otherwise)
        assert_same(before[: rank + 1], after[: rank + 1])
        for (_, view), (_, view_too) in zip(before[rank + 1 :], after[rank + 1 :], strict=True):
            assert (view[0]["leader_actions"] != view_too[0]["leader_actions"]).any()


def last_timestep(
    env: Any, seed: int, order: list[str], timesteps: int, choose: Callable[[int, str], Any]
) -> list[tuple[str, Any]]:
    """Play some timesteps in turns; what each agent was told on its turn of the last one."""
    told = env.reset(seed=seed, options={"priority": order})
    for timestep in range(timesteps):
        if isinstance(env, AECEnv):
            while env.agents and is_out(env, env.agent_selection):
                env.step(None)
        if not env.turns.order:
            told = env.reset()
        turns: list[tuple[str, Any]] = []
        kept: list[tuple[str, Any]] = []
        for agent in env.turns.order:
            turns.append((agent, env.last() if isinstance(env, AECEnv) else told))
            kept.append(copy.deepcopy(turns[-1]))
            told = env.step(choose(timestep, agent))
            if isinstance(env, AECEnv) and env.turns.actions:
                # Asked again in the middle of the timestep, superiors still see what they saw.
                assert_same([env.observe(superior) for superior, _ in turns], [view[0] for _, view in turns])
        assert_same(turns, kept)
    return turns
