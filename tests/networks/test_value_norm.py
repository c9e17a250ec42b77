from __future__ import annotations

import torch

from baselines.networks.value_norm import ValueNormalizer


def test_statistics_are_debiased_means_per_run_and_agent() -> None:
    normalizer = ValueNormalizer(runs=1, n=2, beta=0.9)
    first = torch.tensor([[[1.0, 100.0], [3.0, 300.0]]])
    normalizer.update(first)
    # One update: mean 2 and 200, mean square 5 and 50000, deviation 1 and 100.
    torch.testing.assert_close(normalizer.normalize(first), torch.tensor([[[-1.0, -1.0], [1.0, 1.0]]]))
    normalizer.update(torch.tensor([[[5.0, 0.0], [5.0, 0.0]]]))
    # Weights 0.09 and 0.1 of the two updates, so the mean is (0.09 * 2 + 0.1 * 5) / 0.19.
    mean = (0.09 * 2 + 0.1 * 5) / 0.19
    torch.testing.assert_close(normalizer.denormalize(torch.zeros(1, 1, 2))[0, 0, 0], torch.tensor(mean))


def test_it_is_the_identity_before_the_first_update() -> None:
    values = torch.randn(3, 4, 2)
    assert torch.equal(ValueNormalizer(3, 2, 0.99).denormalize(values), values)


def test_normalize_and_denormalize_are_inverse() -> None:
    normalizer = ValueNormalizer(3, 2, 0.99)
    returns = 50 * torch.randn(3, 10, 2) - 7
    normalizer.update(returns)
    torch.testing.assert_close(normalizer.denormalize(normalizer.normalize(returns)), returns)


def test_constant_returns_do_not_divide_by_zero() -> None:
    normalizer = ValueNormalizer(1, 1, 0.9)
    normalizer.update(torch.full((1, 5, 1), 3.0))
    assert normalizer.normalize(torch.full((1, 1, 1), 3.0)).abs() < 1e-5
