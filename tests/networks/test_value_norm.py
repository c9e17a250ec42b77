"""Value statistics by hand, and beside float64 where float32 has too few digits."""

from __future__ import annotations

import pytest
import torch

from baselines.networks.value_norm import FAR, VARIANCE_FLOOR, ValueNormalizer


def test_statistics_are_debiased_means_per_run_and_agent() -> None:
    normalizer = ValueNormalizer(runs=1, n=2, beta=0.9)
    first = torch.tensor([[[1.0, 100.0], [3.0, 300.0]]])
    normalizer.update(first)
    # One update: mean 2 and 200, mean square 5 and 50000, deviation 1 and 100.
    torch.testing.assert_close(normalizer.normalize(first), torch.tensor([[[-1.0, -1.0], [1.0, 1.0]]]))
    normalizer.update(torch.tensor([[[5.0, 0.0], [5.0, 0.0]]]))
    # Weights 0.09 and 0.1 of the two updates, so the mean is (0.09 * 2 + 0.1 * 5) / 0.19.
    mean, square = (0.09 * 2 + 0.1 * 5) / 0.19, (0.09 * 5 + 0.1 * 25) / 0.19
    at_mean = normalizer.denormalize(torch.tensor([[[0.0, 0.0], [1.0, 0.0]]]))[0, :, 0]
    assert at_mean.tolist() == pytest.approx([mean, mean + (square - mean**2) ** 0.5])


def test_the_moving_mean_is_that_before_debiasing() -> None:
    normalizer = ValueNormalizer(1, 1, 0.5)
    normalizer.update(torch.tensor([[[4.0], [8.0]]]))
    normalizer.update(torch.tensor([[[2.0], [2.0]]]))
    assert normalizer.mean.tolist() == [[0.25 * 6 + 0.5 * 2]]
    assert normalizer.debias.tolist() == [[0.75]]


def test_it_is_the_identity_before_the_first_update() -> None:
    values = torch.randn(3, 4, 2)
    assert torch.equal(ValueNormalizer(3, 2, 0.99).denormalize(values), values)


def test_normalize_and_denormalize_are_inverse() -> None:
    normalizer = ValueNormalizer(3, 2, 0.99)
    returns = 50 * torch.randn(3, 10, 2) - 7
    normalizer.update(returns)
    torch.testing.assert_close(normalizer.denormalize(normalizer.normalize(returns)), returns)


def test_constant_returns_have_the_smallest_deviation() -> None:
    normalizer = ValueNormalizer(1, 1, 0.9)
    normalizer.update(torch.full((1, 5, 1), 3.0))
    assert normalizer.normalize(torch.full((1, 1, 1), 3.0)).abs() < 1e-5
    above = torch.full((1, 1, 1), 3.0 + VARIANCE_FLOOR**0.5)
    assert normalizer.normalize(above).item() == pytest.approx(1.0, abs=1e-4)
    assert VARIANCE_FLOOR == 0.01


def test_a_small_share_of_the_first_update_is_undone() -> None:
    """As beta nears 1 almost nothing of an update is taken in, and debiasing divides by as little."""
    normalizer = ValueNormalizer(1, 1, 0.99999)
    returns = torch.tensor([[[10.0], [30.0]]])
    normalizer.update(returns)
    assert normalizer.normalize(returns).flatten().tolist() == pytest.approx([-1.0, 1.0], abs=1e-2)


def test_the_living_alone_are_known() -> None:
    """Agent 0 lives in two rows, agent 1 in none, agent 2 in all."""
    normalizer = ValueNormalizer(1, 3, 0.9)
    before = torch.tensor([[[1.0, 1.0, 1.0], [5.0, 5.0, 5.0]]])
    normalizer.update(before)
    alive = torch.tensor([[[True, False, True], [False, False, True], [True, False, True]]])
    returns = torch.tensor([[[2.0, 9.0, 2.0], [torch.nan, torch.inf, 4.0], [4.0, 9.0, 6.0]]])
    normalizer.update(returns, alive)
    mean = [(0.09 * 3 + 0.1 * 3) / 0.19, 3.0, (0.09 * 3 + 0.1 * 4) / 0.19]
    square = [(0.09 * 13 + 0.1 * 10) / 0.19, 13.0, (0.09 * 13 + 0.1 * 56 / 3) / 0.19]
    deviation = [(s - m**2) ** 0.5 for m, s in zip(mean, square, strict=True)]
    units = normalizer.denormalize(torch.tensor([[[0.0] * 3, [1.0] * 3]]))[0]
    assert units[0].tolist() == pytest.approx(mean, rel=1e-5)
    assert (units[1] - units[0]).tolist() == pytest.approx(deviation, rel=1e-4)
    assert normalizer.debias[0].tolist() == pytest.approx([0.19, 0.1, 0.19])


@pytest.mark.parametrize("level", [1e5, -1e6])
def test_returns_far_from_0_keep_their_deviation(level: float) -> None:
    """Beside the same statistics in float64: squares of 1e5 +- 10 differ in digits that float32 has not."""
    generator = torch.Generator().manual_seed(0)
    normalizer = ValueNormalizer(1, 1, 0.9)
    weights, means, squares = [], [], []
    for _ in range(5):
        returns = level + 10.0 * torch.randn(1, 50, 1, generator=generator)
        normalizer.update(returns)
        weights = [0.9 * weight for weight in weights] + [0.1]
        means.append(returns.double().mean().item())
        squares.append(returns.double().square().mean().item())
    mean = sum(w * m for w, m in zip(weights, means, strict=True)) / sum(weights)
    square = sum(w * s for w, s in zip(weights, squares, strict=True)) / sum(weights)
    units = normalizer.denormalize(torch.tensor([[[0.0], [1.0]]]))[0, :, 0].double()
    assert units[0].item() == pytest.approx(mean, rel=1e-6)
    # Numbers near the level are known to a 16th or less.
    spacing = 2.0**-4 if abs(level) > 5e5 else 2.0**-7
    assert (units[1] - units[0]).item() == pytest.approx((square - mean**2) ** 0.5, abs=2 * spacing)


def test_the_origin_moves_only_to_returns_that_are_far() -> None:
    """Beyond 32 deviations of what is known or of what comes; then the moments stay what they were."""
    normalizer = ValueNormalizer(1, 3, 0.5)
    normalizer.update(torch.tensor([[[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]]))
    assert normalizer.origin.tolist() == [[0.0, 0.0, 0.0]]
    # Means 33, 31 and 33; the third's deviation is 2, so 33 is near.
    normalizer.update(torch.tensor([[[32.5, 30.5, 31.0], [33.5, 31.5, 35.0]]]))
    assert normalizer.origin.tolist() == [[33.0, 0.0, 0.0]]
    assert FAR == 32.0
    # About 33, the first two rows lie at -34 and -32, the others at -0.5 and 0.5.
    torch.testing.assert_close(normalizer.first[0, 0], torch.tensor(0.25 * -33.0))
    torch.testing.assert_close(
        normalizer.second[0, 0], torch.tensor(0.25 * (34.0**2 + 32.0**2) / 2 + 0.5 * 0.25)
    )
    # With or without another origin these are the same statistics.
    mean = (0.25 * 0.0 + 0.5 * torch.tensor([33.0, 31.0, 33.0])) / 0.75
    torch.testing.assert_close(normalizer.denormalize(torch.zeros(1, 1, 3))[0, 0], mean)
    torch.testing.assert_close(normalizer.mean[0], 0.75 * mean)


def test_statistics_go_on_where_they_were_saved() -> None:
    normalizer, other = ValueNormalizer(1, 2, 0.9), ValueNormalizer(1, 2, 0.9)
    normalizer.update(torch.tensor([[[1e6, 1.0], [1e6 + 4, 3.0]]]))
    state = {name: x.clone() for name, x in normalizer.state().items()}
    assert set(state) == {"origin", "first", "second", "debias"}
    other.load(state)
    more = torch.tensor([[[1e6, 1.0], [1e6 - 8, 5.0]]])
    for each in (normalizer, other):
        each.update(more)
    for name, x in normalizer.state().items():
        assert torch.equal(x, other.state()[name])
        assert bool(x.any())
    elsewhere = ValueNormalizer(1, 2, 0.9, device="meta")
    elsewhere.load(state)
    assert {x.device.type for x in elsewhere.state().values()} == {"meta"}


def test_everything_stays_on_its_device() -> None:
    """What names no device would be made on another one here, and could not be combined with anything."""
    returns = torch.tensor([[[1.0, 1e6], [3.0, 1e6 + 1]]])
    with torch.device("meta"):
        normalizer = ValueNormalizer(1, 2, 0.9, device="cpu")
        normalizer.update(returns)
        assert normalizer.normalize(returns).device.type == "cpu"
