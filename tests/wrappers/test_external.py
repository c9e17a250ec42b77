"""Environments of Gymnasium and PettingZoo as batches: every step equals the environment's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import Space
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Sequence
from mpe2 import simple_spread_v3, simple_tag_v3
from pettingzoo import ParallelEnv

import baselines
from stmg_envs.errors import InvalidArgumentError, MissingEngineError, UnknownNameError
from stmg_envs.protocol import ParallelSpaces, ParallelVectorEnv
from wrappers import OneAgent, external_env, external_vector_env, game_of

BATCH = 3


def engine_seeds(env: ParallelVectorEnv) -> list[int]:
    """What the environments of a batch were seeded with for their present episodes."""
    assert env._streams is not None
    return [int(key) % 2**31 for key in env._streams.fold(env._episode).keys]


def test_cartpole_in_a_batch_is_cartpole() -> None:
    env = external_vector_env("gymnasium/CartPole-v1", BATCH)
    observations, _ = env.reset(seed=5)
    alone = [gymnasium.make("CartPole-v1") for _ in range(BATCH)]
    rows = [one.reset(seed=seed)[0] for one, seed in zip(alone, engine_seeds(env), strict=True)]
    assert np.array_equal(observations["observation"][:, 0].numpy(), np.stack(rows))
    generator = torch.Generator().manual_seed(1)
    endings = 0
    for _ in range(60):
        actions = torch.randint(2, (BATCH, 1), generator=generator)
        observations, rewards, terminated, truncated, info = env.step(actions)
        for index, one in enumerate(alone):
            row, reward, over, cut, _ = one.step(int(actions[index, 0]))
            assert np.array_equal(info["final"]["observation"][index, 0].numpy(), row)
            assert (float(rewards[index, 0]), bool(terminated[index]), bool(truncated[index])) == (
                reward,
                over,
                cut,
            )
            if over or cut:
                endings += 1
                row, _ = one.reset(seed=engine_seeds(env)[index])
            assert np.array_equal(observations["observation"][index, 0].numpy(), row)
    assert endings > 0


def test_an_environment_does_not_depend_on_the_batch_around_it() -> None:
    large, small = (external_vector_env("gymnasium/Pendulum-v1", size) for size in (BATCH, 1))
    seen, _ = large.reset(seed=[4, 9, 2])
    alone, _ = small.reset(seed=[9])
    assert torch.equal(seen["observation"][1:2], alone["observation"])
    again, _ = small.reset()
    assert not torch.equal(again["observation"], alone["observation"])


def test_continuous_actions_are_scaled_to_the_bounds_and_clipped() -> None:
    game = game_of("gymnasium/Pendulum-v1")
    assert isinstance(game, ParallelSpaces)
    for action, torque in ((-1, -2), (0, 0), (0.5, 1), (3, 2)):
        assert game.engine_action(0, np.array([action], np.float32)).tolist() == [torque]


def test_time_limits_truncate() -> None:
    env = external_vector_env("gymnasium/Pendulum-v1", 2)
    env.reset(seed=0)
    for step in range(1, 201):
        _, _, terminated, truncated, _ = env.step(torch.zeros(2, 1, 1))
        assert not terminated.any()
        assert bool(truncated.all()) == (step == 200)


def test_particles_in_a_batch_are_particles() -> None:
    env = external_vector_env("pettingzoo/mpe2.simple_tag_v3", 2, max_cycles=6)
    observations, _ = env.reset(seed=3)
    one = simple_tag_v3.parallel_env(max_cycles=6)
    seen, _ = one.reset(seed=engine_seeds(env)[1])
    assert env.agents == tuple(one.possible_agents)
    for _ in range(6):
        for index, agent in enumerate(env.agents):
            own = observations["observation"][1, index].numpy()
            assert np.array_equal(own[: len(seen[agent])], seen[agent].astype(np.float32))
            # The runaway sees less than its pursuers.
            assert not own[len(seen[agent]) :].any()
        assert np.array_equal(observations["state"][1].numpy(), one.state().astype(np.float32))
        actions = torch.randint(5, (2, env.game.n))
        observations, rewards, _, truncated, info = env.step(actions)
        seen, paid, _, cut, _ = one.step(dict(zip(env.agents, actions[1].tolist(), strict=True)))
        assert rewards[1].tolist() == pytest.approx([paid[agent] for agent in env.agents], rel=1e-6)
        assert bool(truncated[1]) == all(cut.values())
        observations = info["final"]
    assert bool(truncated.all())


class Leaving(ParallelEnv[str, Any, Any]):
    """Agent b leaves after one step, agent a after two; masks forbid action 0."""

    metadata: dict[str, Any] = {}  # noqa: RUF012 (as PettingZoo has it)

    def __init__(self) -> None:
        self.possible_agents = ["a", "b"]
        space = Dict({"observation": Box(0, 9, (1,)), "action_mask": Box(0, 1, (3,), np.int8)})
        self.observation_spaces = dict.fromkeys(self.possible_agents, space)
        self.action_spaces = {"a": Discrete(3), "b": Discrete(3)}

    def observation_space(self, agent: str) -> Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        return self.action_spaces[agent]

    def _see(self) -> dict[str, Any]:
        mask = np.array([0, 1, 1], np.int8)
        return {a: {"observation": np.array([self.t], float), "action_mask": mask} for a in self.agents}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents, self.t = ["a", "b"], 1
        return self._see(), {a: {} for a in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        assert set(actions) == set(self.agents)
        self.t += 1
        seen, acting = self._see(), list(self.agents)
        left = {"b"} if self.t == 2 else {"a"}
        self.agents = [a for a in acting if a not in left]
        table = {a: a in left for a in acting}
        return seen, dict.fromkeys(acting, 1.0), table, dict.fromkeys(acting, False), {a: {} for a in acting}


def test_agents_may_leave_one_after_another() -> None:
    env = ParallelVectorEnv(Leaving, 1)
    observations, _ = env.reset(seed=0)
    assert observations["alive"].tolist() == [[True, True]]
    assert observations["action_mask"].tolist() == [[[False, True, True]] * 2]
    observations, rewards, terminated, _, _ = env.step(torch.ones(1, 2, dtype=torch.int64))
    assert observations["alive"].tolist() == [[True, False]]
    assert observations["observation"].tolist() == [[[2.0], [0.0]]]
    assert rewards.tolist() == [[1, 1]]
    assert not terminated.any()
    observations, rewards, terminated, _, info = env.step(torch.ones(1, 2, dtype=torch.int64))
    assert rewards.tolist() == [[1, 0]]
    assert terminated.tolist() == [True]
    assert info["final"]["observation"].tolist() == [[[3.0], [0.0]]]
    assert observations["alive"].tolist() == [[True, True]]


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(UnknownNameError, match="unknown to Gymnasium"):
        external_env("gymnasium/CartPoleX-v9")
    with pytest.raises(
        MissingEngineError, match=r"no_such\.game.*install the package of the module 'no_such'"
    ):
        external_env("pettingzoo/no_such.game")
    with pytest.raises(UnknownNameError, match="has no parallel_env"):
        external_env("pettingzoo/json")
    with pytest.raises(InvalidArgumentError, match=r"with the arguments \{'sides': 3\}"):
        external_env("pettingzoo/mpe2.simple_spread_v3", sides=3)
    one = OneAgent(gymnasium.make("CartPole-v1"))
    one.action_spaces = {"agent_0": MultiDiscrete([2, 2])}
    with pytest.raises(InvalidArgumentError, match="are not supported"):
        ParallelSpaces(one)
    with pytest.raises(InvalidArgumentError, match="call reset"):
        ParallelVectorEnv(simple_spread_v3.parallel_env, 1).snapshot()


def needs_box(**_: Any) -> None:
    raise gymnasium.error.DependencyNotInstalled("box is not installed, run `pip install gymnasium[box]`")


def needs_cone(**_: Any) -> None:
    import cone_of_nobody  # type: ignore[import-not-found] # noqa: F401


def breaks(**_: Any) -> None:
    raise ZeroDivisionError("of nothing")


@pytest.mark.parametrize(
    ("name", "entry_point", "error", "named"),
    [
        ("Needs-v0", needs_box, MissingEngineError, r"gymnasium/Needs-v0.*pip install gymnasium\[box\]"),
        ("Imports-v0", needs_cone, MissingEngineError, "install the package of the module 'cone_of_nobody'"),
        ("Breaks-v0", breaks, InvalidArgumentError, "cannot be made.*ZeroDivisionError: of nothing"),
        ("", None, UnknownNameError, "Malformed environment ID"),
        ("no_such_module:X-v0", None, MissingEngineError, "no_such_module"),
    ],
)
def test_ids_of_gymnasium_that_cannot_be_made(
    name: str, entry_point: Any, error: type[Exception], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if entry_point is not None:
        spec = gymnasium.envs.registration.EnvSpec(id=name, entry_point=entry_point)
        monkeypatch.setitem(gymnasium.registry, name, spec)
    with pytest.raises(error, match=named):
        external_env(f"gymnasium/{name}")


@pytest.mark.parametrize("name", ["", ".", "..relative", "a..b", "no module"])
def test_ids_of_pettingzoo_that_name_no_module(name: str) -> None:
    with pytest.raises(UnknownNameError, match="names no module; expected a module with parallel_env"):
        external_env(f"pettingzoo/{name}")


def test_environments_that_nobody_can_learn_are_named() -> None:
    one = OneAgent(gymnasium.make("CartPole-v1"))
    one.possible_agents = []
    with pytest.raises(InvalidArgumentError, match=r"possible_agents=\[\] .* expected distinct names"):
        ParallelSpaces(one)
    one = OneAgent(gymnasium.make("CartPole-v1"))
    for space, named in ((Sequence(Discrete(2)), "is not supported"), (Box(0, 1, (0,)), "hold no numbers")):
        one.observation_spaces = {"agent_0": space}
        with pytest.raises(InvalidArgumentError, match=named):
            ParallelSpaces(one)


@pytest.mark.parametrize("env_id", ["gymnasium/Pendulum-v1", "pettingzoo/mpe2.simple_spread_v3"])
@pytest.mark.parametrize("algorithm", ["steer", "step", "happo"])
def test_training_and_what_comes_after_it(tmp_path: Path, env_id: str, algorithm: str) -> None:
    config: dict[str, Any] = {"num_envs": 2, "rollout_steps": 60, "eval_interval": 120, "eval_episodes": 2}
    run = baselines.train(algorithm, env_id, seeds=2, out=tmp_path / "run", total_steps=240, **config)
    assert run.evaluated.returns.shape == (2, 2, run.plan.game().n)
    longer = baselines.evaluate(run.path, episodes=3, trust=True)
    assert np.isfinite(longer.returns).all()
    env = external_vector_env(env_id, 4)
    observations, _ = env.reset(seed=0)
    actions = baselines.load_policy(run.path, trust=True).act(observations)
    assert len(env.step(actions)[1]) == 4
