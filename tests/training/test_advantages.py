"""Generalised advantages by hand, and beside the sum that defines them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from baselines.training.advantages import generalized_advantages

GAMMA, LAMBDA = 0.5, 0.5


def column(*numbers: float) -> Tensor:
    """One environment, one agent: shape (T, 1, 1)."""
    return torch.tensor(numbers).view(-1, 1, 1)


def flags(*values: bool) -> Tensor:
    return torch.tensor(values).view(-1, 1, 1)


NEVER = flags(False, False, False)


def test_an_unfinished_episode_bootstraps_from_the_rollout_end() -> None:
    advantages, returns = generalized_advantages(
        rewards=column(1.0, 2.0),
        values=column(4.0, 6.0),
        next_values=column(6.0, 10.0),
        terminated=NEVER[:2],
        truncated=NEVER[:2],
        gamma=GAMMA,
        gae_lambda=LAMBDA,
    )
    # delta_1 = 2 + 5 - 6 = 1; delta_0 = 1 + 3 - 4 = 0, plus 0.25 * 1.
    torch.testing.assert_close(advantages, column(0.25, 1.0))
    torch.testing.assert_close(returns, column(4.25, 7.0))


def test_a_rollout_may_be_one_step() -> None:
    advantages, _ = generalized_advantages(
        column(1.0), column(4.0), column(6.0), NEVER[:1], NEVER[:1], GAMMA, LAMBDA
    )
    torch.testing.assert_close(advantages, column(0.0))


def test_a_terminated_step_bootstraps_from_nothing_and_ends_the_sum() -> None:
    advantages, _ = generalized_advantages(
        rewards=column(1.0, 10.0, 3.0),
        values=column(2.0, 4.0, 1.0),
        # Of what follows an end an environment may say anything.
        next_values=column(4.0, torch.nan, 2.0),
        terminated=flags(False, True, False),
        truncated=NEVER,
        gamma=GAMMA,
        gae_lambda=LAMBDA,
    )
    # delta_2 = 3 + 1 - 1 = 3; delta_1 = 10 - 4 = 6; delta_0 = 1 + 2 - 2 = 1, plus 0.25 * 6.
    torch.testing.assert_close(advantages, column(2.5, 6.0, 3.0))


def test_a_truncated_step_bootstraps_from_its_last_observation_and_ends_the_sum() -> None:
    advantages, _ = generalized_advantages(
        rewards=column(1.0, 10.0, 3.0),
        values=column(2.0, 4.0, 1.0),
        next_values=column(4.0, 20.0, 2.0),
        terminated=NEVER,
        truncated=flags(False, True, False),
        gamma=GAMMA,
        gae_lambda=LAMBDA,
    )
    # delta_1 = 10 + 0.5 * 20 - 4 = 16; the new episode's delta_2 = 3 does not leak into it.
    torch.testing.assert_close(advantages, column(5.0, 16.0, 3.0))


def test_a_lost_step_is_left_out_and_the_one_before_bootstraps_from_where_it_began() -> None:
    advantages, returns = generalized_advantages(
        rewards=column(1.0, torch.nan, 3.0),
        values=column(2.0, 4.0, 1.0),
        next_values=column(4.0, 99.0, 2.0),
        terminated=NEVER,
        truncated=flags(False, True, False),
        gamma=GAMMA,
        gae_lambda=LAMBDA,
        lost=torch.tensor([[False], [True], [False]]),
    )
    # delta_0 = 1 + 0.5 * 4 - 2 = 1, whatever followed; delta_2 = 3 + 1 - 1 = 3.
    torch.testing.assert_close(advantages, column(1.0, 0.0, 3.0))
    torch.testing.assert_close(returns, column(3.0, 4.0, 4.0))


def test_agents_end_one_by_one_and_share_a_discount_per_timestep() -> None:
    advantages, _ = generalized_advantages(
        rewards=torch.tensor([[[1.0, -1.0, 1.0]], [[1.0, -1.0, 1.0]]]),
        values=torch.zeros(2, 1, 3),
        next_values=torch.full((2, 1, 3), 10.0),
        terminated=torch.tensor([[[True, False, False]], [[True, True, False]]]),
        truncated=torch.tensor([[[False, False, True]], [[False, False, True]]]),
        gamma=0.9,
        gae_lambda=1.0,
    )
    # The first agent's end in step 0 is its own, so is the third's, which bootstraps 9; the second goes on.
    torch.testing.assert_close(advantages, torch.tensor([[[1.0, 8.0 - 0.9, 10.0]], [[1.0, -1.0, 10.0]]]))


@pytest.mark.parametrize("gae_lambda", [0.0, 0.7, 1.0])
def test_they_are_the_discounted_sum_of_errors_up_to_the_agent_s_end(gae_lambda: float) -> None:
    generator = torch.Generator().manual_seed(0)
    shape = (7, 3, 2)
    rewards, values, following = (torch.randn(shape, generator=generator) for _ in range(3))
    terminated, truncated = (torch.rand(shape, generator=generator) < 0.2 for _ in range(2))
    lost = torch.rand(shape[:2], generator=generator) < 0.15
    truncated |= lost.unsqueeze(-1)
    advantages, returns = generalized_advantages(
        rewards, values, following, terminated, truncated, 0.9, gae_lambda, lost
    )
    for t, b, i in torch.cartesian_prod(*(torch.arange(size) for size in shape)).tolist():
        total, weight = 0.0, 1.0
        for later in range(t, shape[0]):
            place = (later, b, i)
            error = rewards[place] - values[place]
            if not terminated[place]:
                error += 0.9 * following[place]
            total += weight * float(error) * (not lost[later, b])
            weight *= 0.9 * gae_lambda
            if terminated[place] or truncated[place]:
                break
        assert advantages[t, b, i].item() == pytest.approx(total, abs=1e-5)
    torch.testing.assert_close(returns, advantages + values)
