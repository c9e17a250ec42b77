"""What truncated agents bootstrap from: values of their own subgame states, with noise of their own."""

from __future__ import annotations

import itertools

import pytest
import torch
from games import Walk
from torch import Tensor

from baselines.networks.policy import Decision, Inputs
from baselines.networks.steer import SteerNetwork
from baselines.networks.value_norm import ValueNormalizer
from baselines.runs.plan import make_plan
from baselines.training.interaction import RewardInteraction
from baselines.training.population import Parameters, Population
from baselines.training.rollout import Collector, decision_noise
from stmg_envs.protocol import GameVectorEnv, Streams

STEPS = 12
"""Of episodes of at most nine."""


def collector(monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Inputs, Tensor]]) -> Collector:
    """Four environments of one run; calls of the policies are written down."""
    game = Walk()
    env = GameVectorEnv(game, 4, validate=False)
    sizes = make_plan("steer", "stmg/OnRampMerge-v0").policy_spec(game)
    population = Population(lambda: SteerNetwork(sizes, 8, 1, 1), [0])
    made = Collector(
        env,
        population,
        ValueNormalizer(1, game.n, 0.9),
        decision_noise(game.n, game.action_width, game.discrete),
        RewardInteraction("own", env, 1, 0.01),
        STEPS,
        gamma=0.9,
        gae_lambda=0.8,
    )
    act = population.act

    def written(inputs: Inputs, noise: Tensor, parameters: Parameters | None = None) -> Decision:
        calls.append((inputs, noise))
        return act(inputs, noise, parameters)

    monkeypatch.setattr(population, "act", written)
    made.observations, _ = env.reset(seed=torch.arange(4))
    return made


def test_every_decision_has_noise_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Inputs, Tensor]] = []
    made = collector(monkeypatch, calls)
    made.collect(Streams.from_seeds([0]), 0.0)
    # One decision a step, one for the values at the end, and one more in each step that cut somebody off.
    assert len(calls) > STEPS + 1
    for (_, first), (_, second) in itertools.combinations(calls, 2):
        assert not (first == second).any()


def test_a_rollout_is_a_function_of_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [collector(monkeypatch, []).collect(Streams.from_seeds([7]), 0.0)[0] for _ in range(2)]
    assert torch.equal(batches[0].returns, batches[1].returns)
    assert torch.equal(batches[0].actions, batches[1].actions)
