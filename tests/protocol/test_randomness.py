"""Counter-based streams: right distributions, independent of one another, pure functions of their keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from games import assert_same
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from stmg_envs.protocol import Streams

SIZE = 20_000
ALARM = 1e-3
"""Seeds are fixed, so these tests do not flicker: a smaller p-value means a bad generator."""

SEEDS = st.integers(0, 2**40)
LAWS = {
    "uniform": (Streams.uniform, stats.uniform),
    "uniform64": (partial(Streams.uniform, dtype=torch.float64), stats.uniform),
    "normal": (Streams.normal, stats.norm),
    "gumbel": (Streams.gumbel, stats.gumbel_r),
}
SOURCES: dict[str, Callable[[], Streams]] = {
    "one stream": lambda: Streams.from_seeds([3]),
    "consecutive seeds": lambda: Streams.from_seeds(range(SIZE)),
    "consecutive steps": lambda: Streams.from_seeds([3] * SIZE).fold(0, torch.arange(SIZE)),
    "consecutive episodes": lambda: Streams.from_seeds([3] * SIZE).fold(torch.arange(SIZE), 1),
    "parts": lambda: Streams.from_seeds([3]).split(SIZE),
}


def numbers(source: str, draw: Callable[..., Tensor], each: int = 1) -> Tensor:
    """SIZE rows of `each` numbers drawn from a source."""
    streams = SOURCES[source]()
    return draw(streams, SIZE * each // len(streams.keys)).view(SIZE, each)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("source", SOURCES)
def test_distribution(source: str, law: str) -> None:
    draw, expected = LAWS[law]
    assert stats.kstest(numbers(source, draw).numpy().ravel(), expected.cdf).pvalue > ALARM


@pytest.mark.parametrize("source", SOURCES)
def test_neighbours_are_independent(source: str) -> None:
    row = numbers(source, Streams.uniform, each=2)
    pairs = {"next stream": (row[:-1, 0], row[1:, 0]), "next number": (row[:, 0], row[:, 1])}
    for first, second in pairs.values():
        cells = np.histogram2d(first, second, bins=10, range=[[0, 1], [0, 1]])[0]
        assert stats.chisquare(cells.ravel()).pvalue > ALARM
        assert stats.pearsonr(first, second).pvalue > ALARM


def test_bits_are_balanced() -> None:
    bits = SOURCES["consecutive seeds"]().bits(1).numpy().astype(np.uint64)
    ones = ((bits >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).sum(axis=0)
    # Sixty-four tests at once.
    assert min(stats.binomtest(int(count), SIZE).pvalue for count in ones) > ALARM / 64


def test_permutations_are_uniform() -> None:
    orders = SOURCES["consecutive seeds"]().permutation(3)
    assert torch.equal(orders.sort(dim=1).values, torch.arange(3).expand(SIZE, 3))
    counts = np.unique(orders.numpy(), axis=0, return_counts=True)[1]
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > ALARM


def test_uniform_is_open() -> None:
    for dtype in (torch.float32, torch.float64):
        drawn = Streams.from_seeds([0]).uniform(10**6, dtype=dtype)
        assert drawn.dtype == dtype and drawn.min() > 0 and drawn.max() < 1
    assert Streams.from_seeds([0]).gumbel(10**6).isfinite().all()


@given(seed=SEEDS, value=st.integers(-5, 5), size=st.integers(1, 9), before=st.integers(1, 40))
def test_a_stream_depends_on_its_key_only(seed: int, value: int, size: int, before: int) -> None:
    alone = Streams.from_seeds([seed]).fold(value)
    among = Streams.from_seeds([*range(before), seed]).fold(torch.tensor([*range(before), value]))
    for draw in (Streams.bits, Streams.uniform, Streams.normal, Streams.gumbel, Streams.permutation):
        assert_same(draw(alone, size)[0], draw(among, size)[-1])


def test_bits_are_those_of_splitmix64() -> None:
    # The first outputs of the reference implementation with state 0.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    bits = Streams(torch.tensor([0])).bits(3)[0].tolist()
    assert [number % 2**64 for number in bits] == expected


def test_numbers_never_change() -> None:
    # Results are published with their seeds: who changes these numbers changes them all.
    streams = Streams.from_seeds([0, 1])
    assert streams.bits().tolist() == [-6411193824288604561, 6791897765849424158]
    assert streams.fold(2, 3).bits().tolist() == [2226582053876107870, -8496562454866829738]
    assert streams.split(2).bits().tolist() == [
        8282690229205144854,
        -5734503036424715305,
        -5954366640077290005,
        2896001829859686882,
    ]


def test_drawing_goes_on() -> None:
    at_once, bit_by_bit = Streams.from_seeds([1, 2]), Streams.from_seeds([1, 2])
    parts = [bit_by_bit.uniform(2), bit_by_bit.uniform(3)]
    assert_same(at_once.uniform(5), torch.cat(parts, dim=1))
    assert Streams.from_seeds([1]).uniform(2, 3).shape == (1, 2, 3)


@given(seed=SEEDS, first=st.integers(-3, 99), second=st.integers(-3, 99))
def test_folding_and_splitting_give_other_streams(seed: int, first: int, second: int) -> None:
    streams = Streams.from_seeds([seed])
    children = [
        streams.fold(first),
        streams.fold(first, second),
        streams.fold(first, second, second),
        streams.split(2),
        streams.fold(first).split(2),
    ]
    if first != second:
        children += [streams.fold(second), streams.fold(second, first)]
    keys = torch.cat([streams.keys, *(child.keys for child in children)]).tolist()
    assert len(set(keys)) == len(keys)


def test_parts_stand_next_to_each_other() -> None:
    both = Streams.from_seeds([4, 5]).split(3)
    assert both.keys[3:].tolist() == Streams.from_seeds([5]).split(3).keys.tolist()
