"""Q-learning: its loss by hand, and whole updates beside plain torch."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import plain
import pytest
import torch
from replays import COUNT, filled, replaying, target_module, timesteps
from rollouts import RUNS, SPEC, N, module_of, population_of
from torch import Tensor, nn

import baselines
from baselines.algorithms.dqn import DQN, DQNConfig, build_dqn
from baselines.errors import PairingError
from baselines.networks.policy import Inputs
from baselines.networks.q_network import QNetwork
from baselines.training.replay import Rows
from stmg_envs.protocol import Streams

LIMIT = 2.5
CONFIG = DQNConfig(
    gamma=0.5,
    average_reward=False,
    batch_size=6,
    warmup_steps=COUNT,
    gradient_steps=3,
    learning_rate=0.02,
    max_grad_norm=LIMIT,
    target_rate=0.3,
    hidden_size=5,
    hidden_layers=1,
)


class Scaled(nn.Module):
    """Action values that stand in the observation, times a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty((), device="meta"))

    def forward(self, inputs: Inputs) -> Tensor:
        return self.scale * inputs["observation"]


def by_hand(config: DQNConfig, **changed: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """The loss of one timestep of two runs, its metrics, and its gradient with respect to the scale, 1.

    Target networks have scale 2. Q is (1, 3) and (2, -1), and both take their first action; what follows is
    (0, 1) and (-2, -4), so 2 and -4 by the target networks. The first run's rewards are 0.5 and -0.5, the
    second's 8.
    """
    learner = DQN(config, population_of(partial(build_dqn, config, SPEC)), N)
    learner.population.template = Scaled()  # type: ignore[assignment]
    alive = torch.ones(2, 1, 2, dtype=torch.bool)
    rows: Rows = {
        "observation": torch.tensor([[1.0, 3.0], [2.0, -1.0]]).expand(2, 1, 2, 2),
        "next.observation": torch.tensor([[0.0, 1.0], [-2.0, -4.0]]).expand(2, 1, 2, 2),
        "actions": torch.zeros(2, 1, 2, dtype=torch.int64),
        "rewards": torch.tensor([[[0.5, -0.5]], [[8.0, 8.0]]]),
        "terminated": ~alive,
        "alive": alive,
        "next.alive": alive,
    }
    scale = torch.ones(2, requires_grad=True)
    loss, metrics = learner._loss({"scale": scale}, {"scale": torch.tensor([2.0, 2.0])}, rows | changed)
    (gradient,) = torch.autograd.grad(loss.sum(), scale)
    return loss, metrics, gradient


def numbers(*rows: list[float]) -> Tensor:
    return torch.tensor(rows).unsqueeze(1)


def test_the_loss_by_hand() -> None:
    loss, metrics, gradient = by_hand(CONFIG)
    # Aims 0.5 + 1 and -0.5 - 2; errors 0.5 and -4.5: 0.125 and 4. The second run's errors are 8 and 4.
    assert loss.tolist() == [pytest.approx((0.125 + 4.0) / 2), pytest.approx((7.5 + 3.5) / 2)]
    assert metrics["value_loss"].tolist() == loss.tolist()
    assert metrics["value"].tolist() == [1.5, 1.5]
    assert set(metrics) == set(DQN.metrics)
    # Q has slopes 1 and 2 there; an error counts as it is within 1, as its sign beyond. Aims stand still.
    assert gradient.tolist() == pytest.approx([(-0.5 * 1 + 1 * 2) / 2, (-1 * 1 - 1 * 2) / 2])


def test_without_a_future_the_reward_is_all() -> None:
    ended, gone = (
        torch.tensor([[[True, False]], [[False, False]]]),
        torch.tensor([[[True, False]], [[True, True]]]),
    )
    for changed in ({"terminated": ended | ~gone}, {"terminated": ended, "next.alive": gone}):
        loss, _, _ = by_hand(CONFIG, **changed)
        # Errors 0.5 - 1 and -0.5 - 2.
        assert loss[0].item() == pytest.approx((0.125 + 2.0) / 2)
        assert loss[1].item() == pytest.approx((7.5 + 3.5) / 2)


def test_the_dead_do_not_count() -> None:
    alive = torch.tensor([[[True, False]], [[False, False]]])
    loss, metrics, _ = by_hand(CONFIG, alive=alive)
    assert loss.tolist() == [pytest.approx(0.125), 0.0]
    assert metrics["value"].tolist() == [1.0, 0.0]


def test_the_central_sum_by_hand() -> None:
    config = DQNConfig(**vars(CONFIG) | {"central_critic": True})
    rewards = torch.tensor([[[4.0, 4.0]], [[3.0, 3.0]]])
    loss, metrics, gradient = by_hand(config, rewards=rewards)
    # Taken 1 + 2, what follows 2 - 4: errors 4 - 1 - 3 = 0 and 3 - 1 - 3 = -1.
    assert loss.tolist() == pytest.approx([0.0, 0.5])
    assert metrics["value"].tolist() == [3.0, 3.0]
    # The sum has slope 3.
    assert gradient.tolist() == pytest.approx([0.0, 3.0])
    # The first run's second agent is dead and has no future: 4 + 1 - 1 = 4. The second run's first agent has
    # none: 3 - 2 - 3 = -2.
    alive = torch.tensor([[[True, False]], [[True, True]]])
    ended = torch.tensor([[[False, True]], [[True, False]]])
    loss, metrics, _ = by_hand(config, rewards=rewards, alive=alive, terminated=ended)
    assert loss.tolist() == pytest.approx([3.5, 1.5])
    assert metrics["value"].tolist() == [1.0, 3.0]
    # A timestep that nobody lived through counts for nothing.
    loss, _, _ = by_hand(config, rewards=rewards, alive=torch.zeros(2, 1, 2, dtype=torch.bool))
    assert loss.tolist() == [0.0, 0.0]


def test_its_network_has_the_configured_sizes() -> None:
    network = build_dqn(DQNConfig(hidden_size=7, hidden_layers=3), SPEC)
    assert isinstance(network, QNetwork)
    assert sum(p.shape[-2:] == (7, 7) for p in network.parameters()) == 2
    assert tuple(network.network[-1].weight.shape) == (N, SPEC.action_width, 7)


def test_q_learning_needs_discrete_actions(tmp_path: Path) -> None:
    with pytest.raises(PairingError, match=r"dqn-dri needs discrete actions.*use ddpg-dri"):
        baselines.train("dqn-dri", "gymnasium/Pendulum-v1", out=tmp_path / "run")


@pytest.mark.parametrize("central", [False, True])
@pytest.mark.parametrize("average_reward", [False, True])
def test_updates_are_those_of_plain_torch(central: bool, average_reward: bool) -> None:
    kind = "sum" if central else "own"
    changed = {"central_critic": central, "average_reward": average_reward, "reward_interaction": kind}
    config = DQNConfig(**vars(CONFIG) | changed)
    gamma = 1.0 if average_reward else 0.5
    build = partial(build_dqn, config, SPEC)
    population = population_of(build)
    learner = replaying(DQN, config, population, SPEC)
    rows = timesteps(SPEC)
    policies = [(module_of(population, build, run), build()) for run in range(RUNS)]
    for run, (_, target) in enumerate(policies):
        target_module(learner, target, run)
    averages = learner._interaction.averages.clone()
    metrics = learner.update(filled(rows), 0.0, Streams.from_seeds([5, 6]))
    for run, (policy, target) in enumerate(policies):
        optimizer, streams = plain.adam(policy.parameters(), 0.02), Streams.from_seeds([5 + run])
        found = []
        for _ in range(3):
            chosen = (streams.uniform(6, dtype=torch.float64)[0] * COUNT).floor().long().tolist()
            pay = rows["rewards"][run] - (averages[run] if average_reward else 0.0)
            values = q_values(policy, rows, run, "")
            with torch.no_grad():
                best = q_values(target, rows, run, "next.").max(dim=-1).values
            errors, taken = [], []
            for row in chosen:
                agents = [agent for agent in range(N) if rows["alive"][run, row, agent]]
                future = {
                    agent: best[row, agent]
                    for agent in range(N)
                    if rows["next.alive"][run, row, agent] and not rows["terminated"][run, row, agent]
                }
                q = {agent: values[row, agent, rows["actions"][run, row, agent]] for agent in agents}
                if central:
                    whole = sum(pay[row, agent] for agent in agents)
                    taken.append(torch.stack(list(q.values())).sum())
                    errors.append(whole + gamma * sum(future.values()) - taken[-1])
                else:
                    taken += q.values()
                    errors += [pay[row, a] + gamma * future.get(a, torch.zeros(())) - q[a] for a in agents]
            loss = plain.mean([plain.huber(error, 1.0) for error in errors])
            terms = {"value_loss": loss, "value": plain.mean(taken)}
            found.append(plain.step(optimizer, loss, terms, LIMIT))
            with torch.no_grad():
                for slow, fast in zip(target.parameters(), policy.parameters(), strict=True):
                    slow += 0.3 * (fast - slow)
        for name, p in policy.named_parameters():
            torch.testing.assert_close(population.parameters[name][run], p, **plain.CLOSE, msg=name)
        for name, p in target.named_parameters():
            torch.testing.assert_close(learner.targets[name][run], p, **plain.CLOSE, msg=name)
        plain.assert_means(metrics, run, found)


def q_values(policy: nn.Module, rows: Rows, run: int, prefix: str) -> Tensor:
    """(N, n, A)."""
    names = ("observation", "action_mask")
    values: Tensor = policy({name: rows[prefix + name][run] for name in names})
    return values
