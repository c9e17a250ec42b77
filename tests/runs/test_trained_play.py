"""A trained policy plays every view of its game, and does the same in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
import torch
from engines import missing

import baselines
import stmg_envs
from baselines import LoadedPolicy
from baselines.runs.directory import RunDirectory
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import EngineVectorEnv, Streams
from stmg_envs.protocol.parallel_vector import ENGINE_SEEDS

ZOO = Path(__file__).parents[2] / "zoo"
SHORT = {"stmg/MultiAgentMujoco-v0": {"max_steps": 40}}
"""Arguments beside those of the entries, for games that take long."""


def views(env_id: str, arguments: dict[str, Any]) -> list[Any]:
    return [
        stmg_envs.vector_env(env_id, 1, **arguments),
        stmg_envs.parallel_env(env_id, **arguments),
        pettingzoo.make("aec", env_id, **arguments),
        gymnasium.make(env_id, **arguments),
    ]


def assert_plays_alike(policy: LoadedPolicy, env_id: str, arguments: dict[str, Any]) -> None:
    """The same episode in all views: what batches, which evaluate, and single environments play."""
    batch, *singles = views(env_id, arguments)
    returns = policy.play(batch, seed=5)[0]
    seed = 5
    if isinstance(batch, EngineVectorEnv):
        # Engines take small seeds, so a batch gives them others than its own.
        key = Streams.from_seeds([5]).fold(torch.zeros(1, dtype=torch.int64)).keys
        seed = int(key % ENGINE_SEEDS)
    for env in singles:
        # Batches of engines have rewards in float32.
        np.testing.assert_allclose(policy.play(env, seed=seed), returns, rtol=1e-6)


@pytest.mark.parametrize("entry", sorted(path.name for path in ZOO.iterdir() if path.is_dir()))
def test_every_entry_of_the_zoo_plays_all_views_alike(entry: str) -> None:
    plan = RunDirectory(ZOO / entry).recorded()
    reason = missing(plan.env_id)
    if reason is not None:
        pytest.skip(reason)
    policy = baselines.load_policy(ZOO / entry)
    assert_plays_alike(policy, plan.env_id, plan.env_args | SHORT.get(plan.env_id, {}))


@pytest.fixture(scope="module")
def penalty() -> LoadedPolicy:
    return baselines.load_policy(ZOO / "steer-penalty")


@pytest.mark.parametrize("lead", [0, 1, 2])
def test_followers_answer_what_leaders_did(penalty: LoadedPolicy, lead: int) -> None:
    """Whatever a policy itself would lead with: the answer is what it takes for likeliest after that."""
    env = stmg_envs.aec_env("stmg/Penalty-v0", k=-100)
    env.reset(seed=0)
    env.step(lead)
    action, state = penalty.predict(env.last()[0], env=env)
    assert state is None
    inputs = env.parallel.batch() | {"priority": torch.tensor([[0, 1]])}
    policy = penalty._population.policy
    judged = [policy.evaluate(inputs, torch.tensor([[lead, own]])).log_probs[0, 1] for own in range(3)]
    assert action == int(torch.stack(judged).argmax())


def test_the_loop_of_stable_baselines3(penalty: LoadedPolicy) -> None:
    env = gymnasium.make("stmg/Penalty-v0", k=-100)
    penalty.set_env(env)
    observation, _ = env.reset(seed=0)
    state, total, over = None, 0.0, False
    while not over:
        action, state = penalty.predict(observation, state)
        observation, reward, terminated, truncated, _ = env.step(action)
        total, over = total + float(reward), terminated or truncated
    assert total == 10.0


def test_orders_of_decision_are_the_views(penalty: LoadedPolicy) -> None:
    env = stmg_envs.parallel_env("stmg/Penalty-v0", k=-100, priority=["agent_1", "agent_0"])
    observations, _ = env.reset(seed=0)
    actions, _ = penalty.predict(observations, env=env)
    swapped = penalty.act(env.batch(), torch.tensor([[1, 0]]))[0].tolist()
    assert [actions["agent_0"], actions["agent_1"]] == swapped


def test_chance_is_torchs(tmp_path: Path) -> None:
    # Hardly trained, so that it is sure of nothing.
    small = {"total_steps": 20, "num_envs": 2, "rollout_steps": 10, "hidden_size": 8}
    baselines.train("mappo", "stmg/Cooperation-v0", out=tmp_path / "run", **small)
    policy = baselines.load_policy(tmp_path / "run")
    env = stmg_envs.vector_env("stmg/Cooperation-v0", 64)
    observations, _ = env.reset(seed=0)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(policy.predict(observations, deterministic=False, env=env)[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_policies_that_remember_play_all_views_alike(tmp_path: Path) -> None:
    small = {"recurrent": True, "hidden_size": 8, "num_envs": 2, "rollout_steps": 10, "chunk_length": 5}
    game = {"payoffs": "battle_of_the_sexes", "repeats": 6, "memory": True}
    baselines.train(
        "mappo", "stmg/MatrixGame-v0", env_args=game, out=tmp_path / "run", total_steps=200, **small
    )
    policy = baselines.load_policy(tmp_path / "run")
    with torch.no_grad():
        # Far from its nearly uniform start, so that what it remembers decides.
        for parameter in policy._population.parameters.values():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    assert_plays_alike(policy, "stmg/MatrixGame-v0", game)


def test_agents_of_unequal_actions_play_all_views_alike(tmp_path: Path) -> None:
    pytest.importorskip("mujoco")
    game = {"scenario": "Humanoid", "agent_conf": "9|8", "max_steps": 5}
    small = {"total_steps": 40, "num_envs": 2, "rollout_steps": 10, "embedding_dim": 8, "eval_episodes": 1}
    baselines.train("steer", "stmg/MultiAgentMujoco-v0", env_args=game, out=tmp_path / "run", **small)
    assert_plays_alike(baselines.load_policy(tmp_path / "run"), "stmg/MultiAgentMujoco-v0", game)


def test_engines_in_all_views(tmp_path: Path) -> None:
    pytest.importorskip("highway_env")
    game = {"backend": "highway-env", "traffic_density": 2, "action_masking": True}
    small = {"total_steps": 40, "num_envs": 2, "rollout_steps": 10, "embedding_dim": 8, "eval_episodes": 1}
    baselines.train("steer", "stmg/OnRampMerge-v0", env_args=game, out=tmp_path / "run", **small)
    assert_plays_alike(baselines.load_policy(tmp_path / "run"), "stmg/OnRampMerge-v0", game)


@pytest.mark.parametrize("env", [None, 3, "stmg/Penalty-v0", gymnasium.make("CartPole-v1")], ids=str)
def test_what_is_no_view(env: Any) -> None:
    policy = baselines.load_policy(ZOO / "steer-penalty")
    message = "env=None" if env is None else "is no view of a game; expected what gymnasium.make"
    with pytest.raises(InvalidArgumentError, match=message):
        policy.predict({}, env=env)


def test_views_of_other_games_and_observations_of_other_views(penalty: LoadedPolicy) -> None:
    with pytest.raises(InvalidArgumentError, match="is not accepted; expected a tensor"):
        penalty.play(stmg_envs.parallel_env("stmg/CooperativeHunting-v0"))
    env = stmg_envs.parallel_env("stmg/Penalty-v0")
    env.reset(seed=0)
    for observation in (None, torch.zeros(1, 2, 1), {"agent_7": np.zeros(1)}):
        with pytest.raises(InvalidArgumentError, match="is none of a parallel view"):
            penalty.predict(observation, env=env)
