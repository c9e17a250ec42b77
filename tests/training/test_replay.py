"""Replay: what is kept, what is drawn, and what Q-learning makes of it by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import baselines
from baselines.algorithms.dqn import DQN, DQNConfig, build_dqn
from baselines.errors import PairingError
from baselines.networks.policy import PolicySpec
from baselines.networks.q_network import QNetwork
from baselines.training.interaction import RewardInteraction
from baselines.training.population import Population
from baselines.training.replay import ReplayBuffer
from stmg_envs import vector_env
from stmg_envs.protocol import Streams


def test_the_oldest_timesteps_give_way() -> None:
    buffer = ReplayBuffer(5)
    for first in (0, 3, 6):
        buffer.add({"x": torch.arange(first, first + 3).expand(2, 3)})
        assert len(buffer) == min(first + 3, 5)
    assert sorted(buffer.rows["x"][0].tolist()) == [4, 5, 6, 7, 8]


def test_timesteps_are_drawn_with_equal_chance_and_only_those_that_are_there() -> None:
    buffer = ReplayBuffer(100)
    buffer.add({"x": torch.arange(4).expand(1, 4)})
    drawn = buffer.sample(4000, Streams.from_seeds([0]))["x"]
    counts = torch.bincount(drawn[0], minlength=4)
    assert len(counts) == 4
    assert (counts - 1000).abs().max() < 150


def test_exploration_is_the_chance_of_a_random_legal_action() -> None:
    torch.manual_seed(0)
    network = QNetwork(PolicySpec(1, 2, None, 4, discrete=True), (8,))
    mask = torch.tensor([True, True, False, True]).expand(1, 1, 4)
    inputs = {"observation": torch.ones(1, 1, 2), "action_mask": mask, "exploration": torch.tensor([0.3])}
    best = network(inputs).argmax(dim=-1)
    probs = [float(network.evaluate(inputs, torch.tensor([[a]])).log_probs.exp()) for a in range(4)]
    expected = [0.1 + 0.7 * (a == int(best)) if a != 2 else 0.0 for a in range(4)]
    assert probs == pytest.approx(expected, abs=1e-6)
    greedy = {name: x for name, x in inputs.items() if name != "exploration"}
    noise = Streams.from_seeds([1]).gumbel(1, 1, 4)[0]
    assert network.act(greedy, noise).actions.item() == int(best)


@pytest.mark.parametrize(("central", "kind"), [(False, "own"), (True, "sum")])
def test_q_learning_s_error_by_hand(central: bool, kind: str) -> None:
    spec = PolicySpec(2, 1, None, 2, discrete=True, observation_norm=False)
    config = DQNConfig(central_critic=central, average_reward=False, gamma=0.5, hidden_size=4)
    population = Population(lambda: build_dqn(config, spec), [0])
    learner = DQN(config, population, 2)
    env = vector_env("stmg/PrisonersDilemma-v0", 1)
    env.reset(seed=0)
    learner._interaction = RewardInteraction(kind, env, 1, 0.5)  # type: ignore[arg-type]
    network = population.template
    values = torch.func.functional_call(
        network,
        {name: p[0] for name, p in population.parameters.items()},
        ({"observation": torch.tensor([[[0.5], [-1.0]], [[2.0], [1.0]]])},),
    )
    alive = torch.ones(1, 1, 2, dtype=torch.bool)
    rows = {
        "observation": torch.tensor([[[[0.5], [-1.0]]]]),
        "next.observation": torch.tensor([[[[2.0], [1.0]]]]),
        "actions": torch.tensor([[[1, 0]]]),
        "rewards": torch.tensor([[[3.0, -1.0]]]),
        "terminated": torch.tensor([[False]]),
        "alive": alive,
        "next.alive": alive,
    }
    rows["rewards"], _ = learner._interaction.seen(rows["rewards"], None)
    loss, _ = learner._loss(population.parameters, learner.targets, rows)
    taken, best = values[0, [0, 1], [1, 0]], values[1].max(dim=-1).values
    if central:
        errors = (2.0 + 0.5 * best.sum() - taken.sum()).view(1)
    else:
        errors = torch.tensor([3.0, -1.0]) + 0.5 * best - taken
    size = errors.abs()
    expected = torch.where(size <= 1, 0.5 * errors.square(), size - 0.5).mean()
    torch.testing.assert_close(loss[0], expected)


def test_q_learning_needs_discrete_actions(tmp_path: Path) -> None:
    with pytest.raises(PairingError, match=r"dqn-dri needs discrete actions.*use ddpg-dri"):
        baselines.train("dqn-dri", "gymnasium/Pendulum-v1", out=tmp_path / "run")


@pytest.mark.parametrize("algorithm", ["a2c", "dqn"])
def test_the_dilemma_is_a_dilemma_only_for_those_on_their_own(tmp_path: Path, algorithm: str) -> None:
    def share(suffix: str, joint: list[float]) -> float:
        run = baselines.train(
            f"{algorithm}-{suffix}",
            "stmg/PrisonersDilemma-v0",
            seeds=4,
            out=tmp_path / suffix,
            total_steps=4_000 if suffix == "dri" else 12_000,
            eval_interval=4_000,
        )
        return float((run.evaluated.returns[:, 0] == joint).all(axis=-1).mean())

    assert share("dri", [10, 10]) == 1.0
    assert share("ind", [2, 2]) >= 0.75
