"""A population run equals the same seed trained alone, and runs do not touch each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small import MINIBATCHES, SIZES, parts

import baselines
from baselines.networks.policy import PolicySpec
from baselines.networks.steer import SteerNetwork
from baselines.training import population as population_module
from baselines.training.checkpoint import load_checkpoint
from baselines.training.population import Population

SPEC = PolicySpec(n=3, obs_dim=4, state_dim=None, action_width=2, discrete=True)
SMALL: dict[str, Any] = {"total_steps": 400, "eval_interval": 400}

TOLERANCE = 2e-5
"""Batched products sum in another order for another population size; the streams are the same."""


def build() -> SteerNetwork:
    return SteerNetwork(SPEC, dim=8, blocks=1, heads=1)


def trained(
    path: Path, seeds: list[int], algorithm: str = "steer", minibatches: int = 1
) -> dict[str, torch.Tensor]:
    config = SMALL | SIZES[algorithm] | parts(minibatches)
    baselines.train(algorithm, "stmg/Mixing-v0", seeds=seeds, out=path, **config)
    tensors, _ = load_checkpoint(path / "checkpoint.safetensors")
    return tensors


@pytest.mark.parametrize(("algorithm", "minibatches"), MINIBATCHES)
def test_a_run_of_a_population_equals_the_same_seed_trained_alone(
    tmp_path: Path, algorithm: str, minibatches: int
) -> None:
    together = trained(tmp_path / "together", [3, 8], algorithm, minibatches)
    for index, seed in enumerate([3, 8]):
        alone = trained(tmp_path / f"alone_{seed}", [seed], algorithm, minibatches)
        for name in (name for name in alone if name.startswith(("policy.", "value_norm."))):
            torch.testing.assert_close(
                together[name][index], alone[name][0], atol=TOLERANCE, rtol=TOLERANCE, msg=name
            )


@pytest.mark.parametrize("algorithm", SIZES)
def test_other_companions_change_nothing_bitwise(tmp_path: Path, algorithm: str) -> None:
    first = trained(tmp_path / "first", [3, 8], algorithm)
    second = trained(tmp_path / "second", [3, 99], algorithm)
    names = [name for name in first if name.startswith("policy.")]
    assert all(torch.equal(first[name][0], second[name][0]) for name in names)
    assert not all(torch.equal(first[name][1], second[name][1]) for name in names)


def test_chunks_of_runs_change_nothing_but_rounding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(tmp_path / "whole", [0, 1, 2, 3])
    monkeypatch.setattr(population_module, "CPU_CHUNK_ROWS", 200)
    chunked = trained(tmp_path / "chunked", [0, 1, 2, 3])
    for name in (name for name in whole if name.startswith("policy.")):
        torch.testing.assert_close(whole[name], chunked[name], atol=TOLERANCE, rtol=TOLERANCE, msg=name)


def test_mapping_equals_a_loop_over_plain_modules() -> None:
    population = Population(build, seeds=[0, 1])
    inputs = {
        "observation": torch.randn(2, 5, 3, 4),
        "priority": torch.tensor([2, 0, 1]).expand(2, 5, 3),
    }
    actions = torch.randint(2, (2, 5, 3))
    mapped = population.evaluate(inputs, actions)
    for k, seed in enumerate(population.seeds):
        torch.manual_seed(seed)
        alone = build().evaluate({name: value[k] for name, value in inputs.items()}, actions[k])
        torch.testing.assert_close(mapped.log_probs[k], alone.log_probs)
        torch.testing.assert_close(mapped.values[k], alone.values)
