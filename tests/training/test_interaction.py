"""Reward interaction of populations: every run has its own averages, and learners see what the kind says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small import SIZES

import stmg_envs
from baselines.algorithms.registry import algorithm_spec
from baselines.networks.policy import PolicySpec
from baselines.training.interaction import RewardInteraction
from baselines.training.population import Population
from baselines.training.rollout import Batch, decision_noise
from stmg_envs.protocol import Streams, fully_connected

REWARDS = torch.tensor([[18.0, 0.0], [10.0, 10.0], [2.0, 2.0], [0.0, 18.0]])
"""Two runs of two environments each."""
NONE_LOST = torch.zeros(4, dtype=torch.bool)
GRAPHS = fully_connected(2, 4)


def interaction(kind: str, differential: bool = False) -> RewardInteraction:
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", 4)
    made = RewardInteraction(kind, env, runs=2, step_size=0.5, differential=differential)  # type: ignore[arg-type]
    made.averages = torch.tensor([[10.0, 10.0], [4.0, 2.0]])
    return made


def test_it_starts_with_averages_of_0_and_no_conflict() -> None:
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", 4)
    made = RewardInteraction("dri", env, runs=2, step_size=0.5)
    assert made.averages.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert made.conflict_rate.tolist() == [0.0, 0.0]
    assert not made.differential


@pytest.mark.parametrize("kind", ["own", "sum", "dri", "dri-naive"])
def test_everything_stays_on_the_environments_device(kind: str) -> None:
    """What names no device would be made on another one here, and could not be combined with anything."""
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", 4)
    with torch.device("meta"):
        made = RewardInteraction(kind, env, runs=2, step_size=0.5)  # type: ignore[arg-type]
        assert made.conflict_rate.device.type == "cpu"
        seen = made(REWARDS, GRAPHS, NONE_LOST)
    assert {x.device.type for x in (seen, made.averages, made.conflict_rate)} == {"cpu"}
    _, conflicts = made.seen(REWARDS.view(2, 2, 2), None, torch.ones(2, 2, 2, dtype=torch.bool))
    assert conflicts.dtype == torch.bool


@pytest.mark.parametrize(
    ("kind", "expected", "conflicts"),
    [
        ("own", [[18, 0], [10, 10], [2, 2], [0, 18]], [0, 0]),
        ("sum", [[18, 18], [20, 20], [4, 4], [18, 18]], [0, 0]),
        # Baselines are 10 and 3.
        ("dri", [[9, 9], [10, 10], [2, 2], [9, 9]], [0.5, 0.5]),
        ("dri-naive", [[9, 9], [10, 10], [2, 2], [9, 9]], [0.5, 0.5]),
    ],
)
def test_what_learners_see(kind: str, expected: list[list[float]], conflicts: list[float]) -> None:
    made = interaction(kind)
    assert made.exchanges == kind.startswith("dri")
    graphs = GRAPHS if made.exchanges else None
    assert made(REWARDS, graphs, NONE_LOST).tolist() == expected
    assert made.averages.tolist() == [[12, 7.5], [2.5, 6]]
    assert made.conflict_rate.tolist() == conflicts


def test_the_naive_rule_shares_where_there_is_no_conflict_too() -> None:
    rewards = torch.tensor([[12.0, 16.0], [2.0, 4.0], [5.0, 7.0], [1.0, 2.0]])
    assert interaction("dri")(rewards, GRAPHS, NONE_LOST).tolist() == rewards.tolist()
    shared = [[14, 14], [3, 3], [6, 6], [1.5, 1.5]]
    assert interaction("dri-naive")(rewards, GRAPHS, NONE_LOST).tolist() == shared


def test_rewards_are_exchanged_along_the_graph_alone() -> None:
    graphs = GRAPHS.clone()
    graphs[0] = False
    seen = interaction("dri")(REWARDS, graphs, NONE_LOST)
    assert seen.tolist() == [[18, 0], [10, 10], [2, 2], [9, 9]]


def test_differential_rewards_are_above_the_average() -> None:
    made = interaction("dri", differential=True)
    assert made(REWARDS, GRAPHS, NONE_LOST).tolist() == [[-1, -1], [0, 0], [-1, -1], [6, 6]]
    made = interaction("sum", differential=True)
    assert made(REWARDS, None, NONE_LOST)[:, 0].tolist() == [-2, 0, -2, 12]
    made = interaction("own", differential=True)
    assert made(REWARDS, None, NONE_LOST).tolist() == [[8, -10], [0, 0], [-2, 0], [-4, 16]]


def test_a_reward_that_nobody_knows_moves_no_average() -> None:
    made = interaction("own")
    rewards = REWARDS.clone()
    rewards[1:] = torch.nan
    made(rewards, None, torch.tensor([False, True, True, True]))
    # (18 + 10) / 2 = 14 and (0 + 10) / 2 = 5 half-way from 10; the second run learns nothing.
    assert made.averages.tolist() == [[12, 7.5], [4, 2]]


def test_the_dead_are_nobody_s_company() -> None:
    """The second agent is dead in the first run's first environment and in both of the second run's."""
    alive = torch.tensor([[True, False], [True, True], [True, False], [True, False]])
    made = interaction("sum")
    assert made(REWARDS, None, NONE_LOST, alive)[:, 0].tolist() == [18, 20, 2, 0]
    # A dead agent's 0 counts as its average: (10 + 10) / 2, and nothing at all in the second run.
    assert made.averages.tolist() == [[12, 10], [2.5, 2]]
    made = interaction("sum", differential=True)
    assert made(REWARDS, None, NONE_LOST, alive)[:, 0].tolist() == [8, 0, -2, -4]
    made = interaction("dri")
    assert made(REWARDS, GRAPHS, NONE_LOST, alive)[:, 0].tolist() == [18, 10, 2, 0]
    assert made.conflict_rate.tolist() == [0, 0]


def test_the_conflict_rate_is_a_share_of_decisions() -> None:
    alive = torch.tensor([[True, True], [True, False], [False, False], [False, False]])
    made = interaction("dri")
    made(REWARDS, GRAPHS, NONE_LOST, alive)
    # Two of three in the first run; nobody decides in the second.
    assert made.conflict_rate.tolist() == pytest.approx([2 / 3, 0.0])


PAYOFFS = {(0, 0): (10.0, 10.0), (0, 1): (0.0, 18.0), (1, 0): (18.0, 0.0), (1, 1): (2.0, 2.0)}
"""The dilemma, which is over after one step: returns are what learners make of these."""


def expected_returns(batch: Batch, kind: str, run: int, envs: int) -> dict[tuple[int, int], list[float]]:
    """By timestep and environment, with averages that move on at 0.5 from timestep to timestep."""
    averages = [0.0, 0.0]
    returns = {}
    steps = batch.actions.shape[1] // envs
    for t in range(steps):
        paid = [PAYOFFS[tuple(batch.actions[run, b * steps + t].tolist())] for b in range(envs)]
        baseline = sum(averages) / 2
        for b, pay in enumerate(paid):
            sides = {(x > baseline) - (x < baseline) for x in pay}
            shared = kind == "dri-naive" or (kind == "dri" and len(sides) > 1)
            total = sum(pay)
            returns[t, b] = [total] * 2 if kind == "sum" else [total / 2] * 2 if shared else list(pay)
        for i in range(2):
            averages[i] += 0.5 * (sum(pay[i] for pay in paid) / envs - averages[i])
    return returns


@pytest.mark.parametrize("algorithm", ["steer", "mappo", "happo"])
@pytest.mark.parametrize("kind", ["own", "sum", "dri", "dri-naive"])
def test_any_algorithm_learns_from_any_interaction(algorithm: str, kind: str) -> None:
    runs, envs, steps = 2, 4, 6
    row = algorithm_spec(algorithm)
    given: dict[str, Any] = {"reward_interaction": kind, "average_step_size": 0.5, "rollout_steps": steps}
    config = row.config_class(**SIZES[algorithm], **given)
    spec = PolicySpec(2, 1, None, 2, discrete=True, fully_observed=True)
    population = Population(lambda: row.build(config, spec), [0, 1])
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", runs * envs)
    collector = row.learner(config, population, 2).collector(env, decision_noise(2, 2, discrete=True))
    collector.observations, _ = env.reset(seed=0)
    batch, metrics = collector.collect(Streams.from_seeds([0, 1]), 0.0)
    assert ("conflict_rate" in metrics) == kind.startswith("dri")
    for run in range(runs):
        for (t, b), expected in expected_returns(batch, kind, run, envs).items():
            assert batch.returns[run, b * steps + t].tolist() == pytest.approx(expected, abs=1e-5)
