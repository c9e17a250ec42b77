"""Recurrent policies: what they remember, and that it helps where something must be remembered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

import baselines
from baselines.errors import ConfigError
from baselines.networks.policy import PolicySpec
from baselines.networks.recurrent import RecurrentPolicy
from baselines.runs.directory import RunDirectory
from baselines.runs.plan import RunPlan, make_plan
from baselines.runs.trainer import Trainer
from stmg_envs.protocol import Game, Outcome, State, Streams

LENGTH, BATCH, N = 5, 4, 3


class Recall(Game):
    """Two agents see a bit at first, then nothing; at the third step each is paid for naming it."""

    max_steps = 3

    def __init__(self) -> None:
        self.agents = ("agent_0", "agent_1")
        self.action_spaces = (Discrete(2), Discrete(2))
        self.observation_space = Box(0, 1, (3,), np.float32)

    def reset(self, streams: Streams) -> State:
        return {"bit": (streams.uniform() < 0.5).long(), "clock": torch.zeros_like(streams.keys)}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        last = state["clock"] == 2
        rewards = ((actions == state["bit"][:, None]) & last[:, None]).float()
        return Outcome(state | {"clock": state["clock"] + 1}, rewards, last)

    def observe(self, state: State) -> Tensor:
        first, bit = (state["clock"] == 0).float(), state["bit"].float()
        seen = torch.stack([first, first * bit, (state["clock"] == 2).float()], dim=-1)
        return seen[:, None].expand(-1, 2, -1)


def trained(recurrent: bool, path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    config = {
        "recurrent": recurrent,
        "chunk_length": 6,
        "total_steps": 12_000,
        "num_envs": 20,
        "rollout_steps": 30,
        "learning_rate": 3e-3,
        "observation_norm": False,
        "hidden_size": 32,
        "eval_interval": 12_000,
        "eval_episodes": 50,
    }
    plan = make_plan("mappo", "stmg/Penalty-v0", seeds=2, config=config)
    monkeypatch.setattr(RunPlan, "game", lambda self: Recall())
    directory = RunDirectory(path)
    directory.create(plan)
    return float(Trainer(plan, directory).run().returns.mean())


def test_only_memory_recalls_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trained(True, tmp_path / "recurrent", monkeypatch) > 0.95
    assert trained(False, tmp_path / "feed_forward", monkeypatch) < 0.75


@pytest.mark.parametrize("shared", [True, False])
def test_evaluation_goes_through_time_as_play_did(shared: bool) -> None:
    torch.manual_seed(0)
    spec = PolicySpec(N, obs_dim=4, state_dim=None, action_width=3, discrete=True)
    policy = RecurrentPolicy(spec, (8, 8), shared, central=True, chunk_length=LENGTH)
    fresh = torch.zeros(BATCH, LENGTH, N, dtype=torch.bool)
    fresh[0, 0] = fresh[1, 3] = True
    # An agent that enters alone in the middle of an episode.
    fresh[1, 1, 0] = True
    observations = torch.randn(BATCH, LENGTH, N, 4)
    memory = torch.randn(BATCH, N, policy.memory_width)
    memories, decisions = [], []
    for t in range(LENGTH):
        memory = memory * ~fresh[:, t, :, None]
        memories.append(memory)
        inputs = {"observation": observations[:, t], "memory": memory}
        decision = policy.act(inputs, torch.randn(BATCH, N, 3))
        assert decision.memory is not None
        memory = decision.memory
        decisions.append(decision)
    rows = {
        "observation": observations.flatten(0, 1),
        "memory": torch.stack(memories, dim=1).flatten(0, 1),
        "fresh": fresh.flatten(0, 1),
    }
    actions = torch.stack([decision.actions for decision in decisions], dim=1).flatten(0, 1)
    judged = policy.evaluate(rows, actions)
    for name in ("log_probs", "values"):
        played = torch.stack([getattr(decision, name) for decision in decisions], dim=1).flatten(0, 1)
        torch.testing.assert_close(getattr(judged, name), played)


def test_gradients_flow_back_through_a_part_but_not_past_a_fresh_start() -> None:
    torch.manual_seed(0)
    spec = PolicySpec(1, obs_dim=2, state_dim=None, action_width=2, discrete=True)
    policy = RecurrentPolicy(spec, (8,), shared=True, central=False, chunk_length=3)
    for start, reached in ((None, True), (2, False)):
        observations = torch.randn(3, 1, 2, requires_grad=True)
        fresh = torch.tensor([[index == start] for index in range(3)])
        inputs = {"observation": observations, "memory": torch.zeros(3, 1, 16), "fresh": fresh}
        policy.evaluate(inputs, torch.zeros(3, 1, dtype=torch.int64)).values[2].sum().backward()
        assert observations.grad is not None
        assert bool(observations.grad[0].any()) == reached


@pytest.mark.parametrize("minibatches", [1, 2])
def test_a_stopped_recurrent_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path, minibatches: int) -> None:
    config = {"recurrent": True, "chunk_length": 5, "hidden_size": 8, "minibatches": minibatches}
    config |= {"num_envs": 2, "rollout_steps": 15, "eval_interval": 30, "eval_episodes": 2}
    whole = baselines.train(
        "ippo", "stmg/Cooperation-v0", seeds=2, out=tmp_path / "whole", total_steps=120, **config
    )

    class StopError(Exception):
        pass

    def stop(progress: object) -> None:
        raise StopError

    arguments = {"seeds": 2, "out": tmp_path / "stopped", "total_steps": 120, **config}
    with pytest.raises(StopError):
        baselines.train("ippo", "stmg/Cooperation-v0", watch=stop, **arguments)
    resumed = baselines.train("ippo", "stmg/Cooperation-v0", resume=True, **arguments)
    assert np.array_equal(whole.evaluated.returns, resumed.evaluated.returns)
    first, second = (baselines.load_policy(run.path, seed=1) for run in (whole, resumed))
    observation = {"observation": torch.rand(1, 2, 15), "action_mask": torch.ones(1, 2, 2, dtype=torch.bool)}
    for policy in (first, second):
        policy.act(observation)
    assert torch.equal(first._memory, second._memory)
    assert first._memory.any()
    first.reset()
    assert not first._memory.any()


def test_a_part_must_divide_the_rollout(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chunk_length=7 does not divide rollout_steps=25"):
        baselines.train("mappo", "stmg/Penalty-v0", out=tmp_path / "run", recurrent=True, chunk_length=7)
    assert not (tmp_path / "run").exists()
