"""Every algorithm learns a game whose agents die one by one: returns and values are the exact solution's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mortal import Mortal, lifetimes, true_values
from torch import Tensor

import baselines
from baselines.algorithms.config import OnPolicyConfig
from baselines.algorithms.registry import algorithm_spec
from baselines.runs.block import Block
from baselines.runs.blocks import BlocksHere
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan, make_plan
from baselines.runs.trainer import Trainer
from baselines.training.replay import ReplayBuffer, inputs_of
from baselines.training.rollout import Batch

GAMMA = 0.9
COMMON: dict[str, Any] = {
    "gamma": GAMMA,
    "learning_rate_decay": 1.0,
    "observation_norm": False,
    "average_reward": False,
    "eval_interval": 1_000_000,
    "eval_episodes": 64,
}
ON_POLICY: dict[str, Any] = COMMON | {
    "total_steps": 30_000,
    "num_envs": 64,
    "rollout_steps": 6,
    "learning_rate": 5e-3,
    "entropy_start": 0.1,
    "entropy_end": 0.0,
    "entropy_anneal": 0.5,
}
# What others did long ago with more exploration paid less: the buffer is short, and exploration ends.
OFF_POLICY: dict[str, Any] = COMMON | {
    "total_steps": 16_000,
    "num_envs": 32,
    "rollout_steps": 5,
    "gradient_steps": 10,
    "learning_rate": 3e-3,
    "buffer_size": 2_000,
    "batch_size": 128,
    "exploration_end": 0.0,
    "exploration_anneal": 0.4,
    "target_rate": 0.05,
}

# One layer that is generated from who did what takes longer to fit the values of all of it.
SLOWER: dict[str, dict[str, Any]] = {"step": {"total_steps": 60_000, "hidden_size": 64}}


def trained(algorithm: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Block, Any]:
    """A finished training of one run, and what its last update was made of."""
    monkeypatch.setattr(RunPlan, "game", lambda self: Mortal())
    on_policy = issubclass(algorithm_spec(algorithm).config_class, OnPolicyConfig)
    config = (ON_POLICY if on_policy else OFF_POLICY) | SLOWER.get(algorithm, {})
    plan = make_plan(algorithm, "stmg/Penalty-v0", config=config)
    directory = RunDirectory(path)
    directory.create(plan)
    blocks = BlocksHere([plan])
    trainer, block = Trainer(plan, directory, blocks=blocks), blocks.blocks[0]
    batches: list[Any] = []
    update = block.learner.update

    def remembered(batch: Any, *arguments: Any) -> dict[str, Tensor]:
        batches[:] = [batch]
        return update(batch, *arguments)

    monkeypatch.setattr(block.learner, "update", remembered)
    returns = trainer.run().returns
    # Whoever lives for k timesteps is paid k times for itself and each companion's time beside it.
    env = plan.environments(64)
    keys = block.streams.fold(4, 2**31).split(64).keys
    left = lifetimes(env.reset(seed=keys)[0]["observation"])
    assert torch.equal(torch.as_tensor(returns[0]).float(), true_values(left, gamma=1.0))
    return block, batches[0]


def learned_values(block: Block, batch: Batch | ReplayBuffer) -> tuple[Tensor, Tensor, Tensor]:
    """Targets of values, or values where targets are not kept, (N, 3); who they count of; and lifetimes."""
    if isinstance(batch, Batch):
        return batch.returns[0], batch.alive[0], lifetimes(batch.inputs["observation"][0])
    rows = batch.last(2_000)
    zeros = torch.zeros(*rows["actions"].shape, 2)
    greedy = block.population.act(inputs_of(rows), zeros)
    return greedy.values[0], rows["alive"][0], lifetimes(rows["observation"][0])


@pytest.mark.parametrize("algorithm", baselines.list_algorithms())
def test_returns_and_values_are_the_true_ones(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block, batch = trained(algorithm, tmp_path / "run", monkeypatch)
    found, alive, left = learned_values(block, batch)
    summed = block.plan.config.reward_interaction == "sum"  # type: ignore[attr-defined]
    true = true_values(left, GAMMA, summed)
    if algorithm == "dqn-ctde":
        # What the agents that decide have together is the value of everybody's rewards, to the game's end.
        found, true = (torch.where(alive, x, 0.0).sum(dim=-1, keepdim=True) for x in (found, true))
        true = true_values(left, GAMMA, summed=True).amax(dim=-1, keepdim=True)
        alive = alive.any(dim=-1, keepdim=True)
    error = ((found - true).abs() / true.clamp(min=1.0))[alive]
    assert error.mean() <= 0.01
    # Of every remaining time, and so where a death comes next.
    for own in range(1, 4):
        of_time = alive & (left == own if algorithm != "dqn-ctde" else left.amax(-1, keepdim=True) == own)
        assert abs(found[of_time].mean() / true[of_time].mean() - 1.0) <= 0.01
