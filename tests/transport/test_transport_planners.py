"""The planners of grid transport: what they need, beside what was measured of the tasks before."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import stmg_envs
from stmg_envs.protocol import GameVectorEnv
from stmg_envs.transport import GreedyPlayer, GridTransport, exact_plan

GREEDY = {
    ("easy", 2, 2): (6.06, 1.30),
    ("easy", 2, 4): (5.44, 1.06),
    ("easy", 4, 4): (5.64, 0.89),
    ("easy", 4, 8): (7.60, 1.38),
    ("hard", 2, 2): (4.06, 1.01),
    ("hard", 2, 4): (4.35, 1.18),
    ("hard", 4, 4): (4.46, 1.20),
    ("hard", 4, 8): (5.97, 1.40),
}
"""Mean and deviation of the steps of a greedy planner of the same kind, of 500 to 1,000 instances."""
EXACT = {("easy", 2, 2): (5.75, 1.20), ("easy", 2, 4): (4.87, 0.81), ("hard", 2, 2): (3.39, 0.57)}
"""Likewise of shortest plans, of 500 instances and more."""


def started(task: tuple[str, int, int], instances: int) -> tuple[GameVectorEnv, GridTransport]:
    variant, rows, columns = task
    env = stmg_envs.vector_env(
        "stmg/GridTransport-v0", instances, variant=variant, rows=rows, columns=columns
    )
    assert isinstance(env, GameVectorEnv) and isinstance(env.game, GridTransport)
    env.reset(seed=20)
    return env, env.game


def greedy_steps(task: tuple[str, int, int], instances: int) -> torch.Tensor:
    """Steps of the greedy player in each instance, all of which it must solve."""
    env, game = started(task, instances)
    player = GreedyPlayer(game.board)
    steps = torch.zeros(instances)
    for _ in range(game.max_steps):
        _, _, terminated, _, info = env.step(player(env.episodes.state))
        ended = terminated & (steps == 0)
        assert info["metrics"]["success"][ended].all()
        steps = torch.where(ended, info["metrics"]["steps"], steps)
    assert steps.all()
    return steps


@pytest.mark.parametrize("task", GREEDY)
def test_the_greedy_player_solves_everything_in_as_many_steps_as_measured(
    task: tuple[str, int, int],
) -> None:
    mean, deviation = GREEDY[task]
    steps = greedy_steps(task, 150)
    # Two standard errors of the difference of two means, of 150 and of 500.
    assert steps.mean().item() == pytest.approx(mean, abs=2 * deviation * (1 / 150 + 1 / 500) ** 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("task", GREEDY)
def test_the_greedy_player_solves_a_thousand_instances(task: tuple[str, int, int]) -> None:
    mean, deviation = GREEDY[task]
    assert greedy_steps(task, 1000).mean().item() == pytest.approx(
        mean, abs=2 * deviation * (1 / 1000 + 1 / 500) ** 0.5
    )


def exact_lengths(task: tuple[str, int, int], instances: int) -> np.ndarray:
    """Lengths of shortest plans, all of which are played and must solve their instance."""
    env, game = started(task, instances)
    state = env.episodes.state
    plans = [
        exact_plan(game.board, boxes.numpy(), targets.numpy())
        for boxes, targets in zip(state["boxes"], state["targets"], strict=True)
    ]
    solved = np.zeros(instances, bool)
    for time in range(max(map(len, plans))):
        actions = [plan[time] if time < len(plan) else np.zeros(game.n, np.int64) for plan in plans]
        legal = game.action_mask(env.episodes.state)
        playing = torch.tensor([time < len(plan) for plan in plans])
        chosen = torch.from_numpy(np.stack(actions))
        assert legal.gather(2, chosen.unsqueeze(2))[playing].all()
        _, _, _, _, info = env.step(chosen)
        last = np.array([time == len(plan) - 1 for plan in plans])
        solved |= last & (info["metrics"]["success"].numpy() > 0)
    assert solved.all()
    return np.array([len(plan) for plan in plans])


@pytest.mark.parametrize("task", EXACT)
def test_shortest_plans_are_as_long_as_measured_and_no_longer_than_greedy_ones(
    task: tuple[str, int, int],
) -> None:
    mean, deviation = EXACT[task]
    lengths = exact_lengths(task, 40)
    assert lengths.mean() == pytest.approx(mean, abs=2 * deviation * (1 / 40 + 1 / 500) ** 0.5)
    greedy = greedy_steps(task, 40).numpy()
    assert (lengths <= greedy).all() and (lengths < greedy).any()


def test_a_relay_of_boxes_takes_its_bound() -> None:
    game = GridTransport("easy", rows=1, columns=3)
    boxes, targets = np.zeros((5, 3), np.int64), np.zeros((5, 3), np.int64)
    boxes[0, 0] = targets[0, 2] = 2
    # Two boxes leave one after the other, the second one in step 2, and go three steps each.
    plan = exact_plan(game.board, boxes, targets)
    assert plan.tolist() == [[4, 0, 0], [4, 4, 0], [0, 4, 5], [0, 0, 5]]


def test_what_is_done_needs_no_plan() -> None:
    game = GridTransport("hard", rows=2, columns=2)
    assert exact_plan(game.board, np.zeros((5, 9), np.int64), np.zeros((5, 4), np.int64)).shape == (0, 4)
