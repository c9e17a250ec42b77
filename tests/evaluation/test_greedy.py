"""Greedy evaluation plays every episode once, however short others are and however many play at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import baselines
from baselines.evaluation.greedy import ENGINES_TOGETHER, episodes_together, evaluate_greedy
from baselines.runs.plan import RunPlan, make_plan
from baselines.training.population import Population
from stmg_envs.errors import EndlessEpisodeError
from stmg_envs.matrix import MatrixGame
from stmg_envs.protocol import Streams

EPISODES = 24


class Endless(MatrixGame):
    """A game that goes on for ever."""

    def __init__(self) -> None:
        super().__init__(repeats=2)
        self.max_steps = None


def test_short_episodes_do_not_count_more() -> None:
    plan = make_plan("mappo", "stmg/OnRampMerge-v0", seeds=2, config={"hidden_size": 16})
    env = plan.environments(EPISODES)
    sizes = plan.policy_spec(plan.game())
    population = Population(lambda: plan.algorithm.build(plan.config, sizes), plan.seeds, plan.device)
    rewards: list[Tensor] = []
    ends: list[Tensor] = []
    step = env.step

    def watched(actions: Tensor) -> object:
        result = step(actions)
        rewards.append(result[1].double())
        ends.append(result[2] | result[3])
        return result

    env.step = watched  # type: ignore[method-assign, assignment]
    evaluated = evaluate_greedy(population, env, Streams.from_seeds(plan.seeds, plan.device), EPISODES)
    ended = torch.stack(ends)
    # Some environments play on after their first episode while others are still in theirs.
    first = ended.double().argmax(dim=0)
    assert ended.any(dim=0).all() and ended.sum(dim=0).max() > 1 and first.min() < first.max()
    counted = torch.arange(len(ended))[:, None] <= first
    expected = (torch.stack(rewards) * counted[..., None]).sum(dim=0)
    assert evaluated.returns.shape == (2, EPISODES, len(env.agents))
    torch.testing.assert_close(torch.from_numpy(evaluated.returns).flatten(0, 1), expected)
    assert all(values.shape == (2, EPISODES) for values in evaluated.metrics.values())


@pytest.mark.parametrize("env_id", ["stmg/OnRampMerge-v0", "gymnasium/CartPole-v1"])
def test_the_same_episodes_are_played_however_many_at_once(env_id: str) -> None:
    plan = make_plan("mappo", env_id, seeds=2, config={"hidden_size": 16})
    sizes = plan.policy_spec(plan.game())
    population = Population(lambda: plan.algorithm.build(plan.config, sizes), plan.seeds, plan.device)
    streams = Streams.from_seeds(plan.seeds, plan.device)
    whole, parts = (
        evaluate_greedy(population, plan.environments(together), streams, EPISODES)
        for together in (EPISODES, 8)
    )
    np.testing.assert_allclose(parts.returns, whole.returns, rtol=1e-5)
    assert len(np.unique(whole.returns)) > 1
    for name, values in whole.metrics.items():
        np.testing.assert_allclose(parts.metrics[name], values, rtol=1e-5)
    for ours, expected in zip(parts.actions, whole.actions, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_an_engines_environments_are_as_few_as_memory_asks_and_all_are_in_use() -> None:
    engine = make_plan("mappo", "gymnasium/CartPole-v1").game()
    native = make_plan("mappo", "stmg/Penalty-v0").game()
    assert episodes_together(native, 320) == 320
    assert [episodes_together(engine, episodes) for episodes in (1, 10, 32, 36, 37, 320)] == [
        1,
        10,
        ENGINES_TOGETHER,
        12,
        1,
        ENGINES_TOGETHER,
    ]


def test_an_episode_without_an_end_is_an_error_and_no_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunPlan, "game", lambda self: Endless())
    said = "has not ended after 50 timesteps; expected an end: give the environment a time limit"
    with pytest.raises(EndlessEpisodeError, match=said):
        baselines.train("ippo", "stmg/Penalty-v0", out=tmp_path / "run", total_steps=100, eval_max_steps=50)
