"""Greedy evaluation plays exactly one episode in each environment, however short others are."""

from __future__ import annotations

import torch
from torch import Tensor

from baselines.evaluation.greedy import evaluate_greedy
from baselines.runs.plan import make_plan
from baselines.training.population import Population
from stmg_envs.protocol import Streams

EPISODES = 24


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
    evaluated = evaluate_greedy(population, env, Streams.from_seeds(plan.seeds, plan.device))
    ended = torch.stack(ends)
    # Some environments play on after their first episode while others are still in theirs.
    first = ended.double().argmax(dim=0)
    assert ended.any(dim=0).all() and ended.sum(dim=0).max() > 1 and first.min() < first.max()
    counted = torch.arange(len(ended))[:, None] <= first
    expected = (torch.stack(rewards) * counted[..., None]).sum(dim=0)
    assert evaluated.returns.shape == (2, EPISODES, len(env.agents))
    torch.testing.assert_close(torch.from_numpy(evaluated.returns).flatten(0, 1), expected)
    assert all(values.shape == (2, EPISODES) for values in evaluated.metrics.values())
