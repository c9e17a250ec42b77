from __future__ import annotations

import torch

from baselines.training.advantages import generalized_advantages

GAMMA, LAMBDA = 0.5, 0.5


def column(*numbers: float) -> torch.Tensor:
    """One environment, one agent: shape (T, 1, 1)."""
    return torch.tensor(numbers).view(-1, 1, 1)


def flags(*values: bool) -> torch.Tensor:
    return torch.tensor(values).view(-1, 1)


def test_an_unfinished_episode_bootstraps_from_the_rollout_end() -> None:
    advantages, returns = generalized_advantages(
        rewards=column(1.0, 2.0),
        values=column(4.0, 6.0),
        next_values=column(6.0, 8.0),
        terminated=flags(False, False),
        truncated=flags(False, False),
        gamma=GAMMA,
        gae_lambda=LAMBDA,
    )
    # delta_1 = 2 + 4 - 6 = 0; delta_0 = 1 + 3 - 4 = 0.
    torch.testing.assert_close(advantages, column(0.0, 0.0))
    torch.testing.assert_close(returns, column(4.0, 6.0))


def test_a_terminated_step_bootstraps_from_nothing_and_ends_the_sum() -> None:
    advantages, _ = generalized_advantages(
        rewards=column(1.0, 10.0, 3.0),
        values=column(2.0, 4.0, 1.0),
        next_values=column(4.0, 99.0, 2.0),
        terminated=flags(False, True, False),
        truncated=flags(False, False, False),
        gamma=GAMMA,
        gae_lambda=LAMBDA,
    )
    # delta_2 = 3 + 1 - 1 = 3; delta_1 = 10 - 4 = 6; delta_0 = 1 + 2 - 2 = 1, plus 0.25 * 6.
    torch.testing.assert_close(advantages, column(2.5, 6.0, 3.0))


def test_a_lost_step_is_left_out_and_the_one_before_bootstraps_from_where_it_began() -> None:
    advantages, returns = generalized_advantages(
        rewards=column(1.0, 0.0, 3.0),
        values=column(2.0, 4.0, 1.0),
        next_values=column(4.0, 99.0, 2.0),
        terminated=flags(False, False, False),
        truncated=flags(False, True, False),
        gamma=GAMMA,
        gae_lambda=LAMBDA,
        lost=flags(False, True, False),
    )
    # delta_0 = 1 + 0.5 * 4 - 2 = 1, whatever followed; delta_2 = 3 + 1 - 1 = 3.
    torch.testing.assert_close(advantages, column(1.0, 0.0, 3.0))
    torch.testing.assert_close(returns, column(3.0, 4.0, 4.0))


def test_a_truncated_step_bootstraps_from_its_last_observation_and_ends_the_sum() -> None:
    advantages, _ = generalized_advantages(
        rewards=column(1.0, 10.0, 3.0),
        values=column(2.0, 4.0, 1.0),
        next_values=column(4.0, 20.0, 2.0),
        terminated=flags(False, False, False),
        truncated=flags(False, True, False),
        gamma=GAMMA,
        gae_lambda=LAMBDA,
    )
    # delta_1 = 10 + 0.5 * 20 - 4 = 16; the new episode's delta_2 = 3 does not leak into it.
    torch.testing.assert_close(advantages, column(5.0, 16.0, 3.0))


def test_agents_have_their_own_rewards_and_one_discount_per_timestep() -> None:
    rewards = torch.tensor([[[1.0, -1.0]], [[1.0, -1.0]]])
    zeros = torch.zeros_like(rewards)
    advantages, _ = generalized_advantages(
        rewards, zeros, zeros, flags(False, True), flags(False, False), gamma=0.9, gae_lambda=1.0
    )
    torch.testing.assert_close(advantages, torch.tensor([[[1.9, -1.9]], [[1.0, -1.0]]]))
