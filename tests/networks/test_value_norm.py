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
    normalizer = ValueNormalizer(3, 2, 0.99)
    assert torch.equal(normalizer.denormalize(values), values)
    assert {x.shape for x in normalizer.state().values()} == {(3, 2)}


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
    """Beyond 32 deviations of what is known or of what comes; then the statistics stay what they were."""
    normalizer = ValueNormalizer(1, 3, 0.5)
    normalizer.update(torch.tensor([[[-1.0, -1.0, -1.0], [3.0, 3.0, 3.0]]]))
    assert normalizer.origin.tolist() == [[0.0, 0.0, 0.0]]
    # The known deviation is 2. Means are 66, 64 and 66; the third's own deviation is 3, so for it 66 is near.
    normalizer.update(torch.tensor([[[65.5, 63.5, 63.0], [66.5, 64.5, 69.0]]]))
    assert normalizer.origin.tolist() == [[66.0, 0.0, 0.0]]
    assert FAR == 32.0
    # About 66 the first two rows lie at -67 and -63, the others at -0.5 and 0.5.
    first, second = 0.25 * -65.0, 0.25 * (67.0**2 + 63.0**2) / 2 + 0.5 * 0.25
    assert (normalizer.first[0, 0].item(), normalizer.second[0, 0].item()) == pytest.approx((first, second))
    # With or without another origin these are the same statistics.
    mean = (0.25 * 1.0 + 0.5 * torch.tensor([66.0, 64.0, 66.0])) / 0.75
    torch.testing.assert_close(normalizer.denormalize(torch.zeros(1, 1, 3))[0, 0], mean)
    torch.testing.assert_close(normalizer.mean[0], 0.75 * mean)


def test_an_origin_far_away_can_stay_and_move_again() -> None:
    normalizer = ValueNormalizer(1, 1, 0.5)

    def origin_after(*returns: float) -> float:
        normalizer.update(torch.tensor(returns).view(1, -1, 1))
        return normalizer.origin.item()

    assert origin_after(999.0, 1001.0) == 1000.0
    assert origin_after(1003.0, 1005.0) == 1000.0
    assert origin_after(-2001.0, -1999.0) == -2000.0
    # Means 1000, 1004 and -2000 with weights 1, 2 and 4.
    mean = normalizer.denormalize(torch.zeros(1, 1, 1)).item()
    assert mean == pytest.approx((1000.0 + 2 * 1004.0 - 4 * 2000.0) / 7)
    square = (1000.0**2 + 1 + 2 * (1004.0**2 + 1) + 4 * (2000.0**2 + 1)) / 7
    above = normalizer.denormalize(torch.ones(1, 1, 1)).item()
    assert above - mean == pytest.approx((square - mean**2) ** 0.5, rel=1e-5)


def test_one_living_row_is_enough() -> None:
    normalizer = ValueNormalizer(1, 1, 0.5)
    for _ in range(2):
        normalizer.update(torch.tensor([[[4.0], [9.0]]]), torch.tensor([[[True], [False]]]))
    assert (normalizer.mean.item(), normalizer.debias.item()) == (3.0, 0.75)


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
