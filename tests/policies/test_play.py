"""A policy in its process does what it would do in this one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import Greedy, Together, Vector

import stmg_envs
from baselines.policies import Task, evaluate_policies
from baselines.policies.evaluation import POLICY_SEEDS
from stmg_envs.protocol import Streams

linux = pytest.mark.skipif(sys.platform != "linux", reason="policies are confined on Linux only")


@pytest.fixture(autouse=True)
def _in_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)


@linux
@pytest.mark.parametrize(
    ("env_id", "kind"),
    [
        ("stmg/Coordination-v0", Greedy),
        ("stmg/Coordination-v0", Together),
        ("stmg/OnRampMerge-v0", Greedy),
        ("stmg/OnRampMerge-v0", Together),
        ("stmg/CooperativeHunting-v0", Vector),
    ],
)
def test_the_numbers_are_those_of_the_turn_based_view(env_id: str, kind: type) -> None:
    task = Task(env_id, seeds=(3, 5), episodes=2)
    (found,) = evaluate_policies([f"hostile:{kind.__name__}"], task)
    assert (found.status, found.detail) == ("ok", "")
    env = stmg_envs.aec_env(env_id)
    streams = Streams.from_seeds(task.seeds)
    keys = task.salt.keys(task.seeds, 2)
    seeds = streams.fold(POLICY_SEEDS).bits(2) & (2**31 - 1)
    policy = kind()
    for run, episode in np.ndindex(2, 2):
        env.reset(seed=int(keys[run, episode]))
        if hasattr(policy, "reset"):
            policy.reset(int(seeds[run, episode]))
        returns = dict.fromkeys(env.possible_agents, 0.0)
        for agent in env.agent_iter():
            observation, reward, terminated, truncated, _ = env.last()
            returns[agent] += reward
            over = terminated or truncated
            env.step(None if over else decide(policy, observation))
        assert found.tally.returns[run, episode] == pytest.approx(list(returns.values()), abs=1e-4)


def decide(policy: Any, observation: dict[str, Any]) -> Any:
    if isinstance(policy, Together):
        return int(policy.act_batch({name: np.asarray(x)[None] for name, x in observation.items()})[0])
    action = policy.act(observation)
    return action.astype(np.float32) if isinstance(policy, Vector) else int(action)


@linux
def test_both_forms_play_the_same_episodes_of_any_environment() -> None:
    task = Task("gymnasium/CartPole-v1", seeds=(3,), episodes=5)
    single, together = evaluate_policies(["hostile:Last", "hostile:Together"], task)
    assert single.status == together.status == "ok"
    assert single.tally.returns.std() > 0
    np.testing.assert_array_equal(single.tally.returns, together.tally.returns)
