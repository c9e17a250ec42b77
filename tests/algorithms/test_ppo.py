"""PPO: its objective and value error by hand, and whole updates beside plain torch."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import plain
import pytest
import torch
from rollouts import ROWS, RUNS, SPEC, N, module_of, population_of, rollout

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.policy_gradient import Targets
from baselines.algorithms.ppo import PPO, clipped_surrogate, clipped_value_error
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import Evaluation
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams

LIMIT = 0.45
CONFIG = PPOConfig(
    epochs=3,
    learning_rate=0.02,
    learning_rate_decay=0.5,
    max_grad_norm=LIMIT,
    entropy_start=0.3,
    entropy_end=0.1,
    value_coef=0.7,
    huber_delta=0.5,
    value_norm_beta=0.9,
    clip=0.2,
)
build = partial(MLPPolicy, SPEC, (5,), shared=True, central=True)


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"),
    [
        (1.1, 2.0, 2.2),
        (1.1, -2.0, -2.2),
        # A good action has become likely enough, a bad one unlikely enough.
        (1.5, 2.0, 2.4),
        (0.5, -2.0, -1.6),
        # What went the wrong way is not held back.
        (0.5, 2.0, 1.0),
        (1.5, -2.0, -3.0),
    ],
)
def test_the_objective_is_held_on_the_side_that_gains(
    ratio: float, advantage: float, expected: float
) -> None:
    new = torch.tensor([math.log(0.4 * ratio)], requires_grad=True)
    objective = clipped_surrogate(new, torch.tensor([math.log(0.4)]), torch.tensor([advantage]), clip=0.2)
    assert objective.item() == pytest.approx(expected, rel=1e-5)
    objective.sum().backward()
    assert new.grad is not None
    held = expected in (2.4, -1.6)
    assert new.grad.item() == pytest.approx(0.0 if held else expected, rel=1e-5)


@pytest.mark.parametrize(
    ("value", "old", "target", "expected"),
    [
        # Near the old value: the error itself.
        (1.1, 1.0, 1.5, 0.08),
        (0.9, 1.0, 0.5, 0.08),
        # Gone too far towards the target, on either side: the error of old value +- 0.2.
        (1.4, 1.0, 1.5, 0.045),
        (0.6, 1.0, 0.5, 0.045),
        # Gone too far away from it: its own error is the larger one.
        (0.5, 1.0, 1.25, 0.25 * 0.75 + 0.125 * 0.5),
        # Beyond delta = 0.5 the error is linear: 0.5 * (0.8 - 0.25) for the value held at 1.2.
        (1.9, 1.0, 2.0, 0.275),
    ],
)
def test_the_value_error_is_the_larger_one_of_both(
    value: float, old: float, target: float, expected: float
) -> None:
    numbers = (torch.tensor([x]) for x in (value, old, target))
    assert clipped_value_error(*numbers, clip=0.2, delta=0.5).item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_by_hand() -> None:
    """Two runs, one row, two agents, the second agent of the second run dead."""
    learner = PPO(CONFIG, population_of(build), N)
    old, new = torch.tensor(0.5).log(), torch.tensor([[[0.4, 0.9]], [[0.55, 0.01]]]).log()
    batch = Batch(
        inputs={},
        actions=torch.zeros(2, 1, 2),
        log_probs=old.expand(2, 1, 2),
        values=torch.tensor([[[1.0, 0.0]], [[2.0, 0.0]]]),
        advantages=torch.zeros(2, 1, 2),
        returns=torch.zeros(2, 1, 2),
        alive=torch.tensor([[[True, True]], [[True, False]]]),
    )
    targets = Targets(
        advantages=torch.tensor([[[-1.0, 3.0]], [[2.0, 9.0]]]),
        values=torch.tensor([[[1.5, 0.0]], [[2.0, 7.0]]]),
        entropy_coef=0.1,
        learning_rate=0.0,
    )
    judged = Evaluation(
        log_probs=new,
        entropies=torch.tensor([[[0.6, 0.2]], [[0.5, 9.0]]]),
        values=torch.tensor([[[1.1, 0.4]], [[1.5, 3.0]]]),
    )
    loss, metrics = learner._proximal_loss(judged, batch, targets)
    # Ratios 0.8 and 1.8, held at 1.2: -(-0.8 + 3.6) / 2. The other run: 1.1 * 2.
    policy = torch.tensor([-1.4, -2.2])
    # Errors 0.4 and max(-0.4, -0.2): 0.08 each; the other run -0.5 against -0.2 -> 0.125.
    value = torch.tensor([0.08, 0.125])
    entropy = torch.tensor([0.4, 0.5])
    torch.testing.assert_close(metrics["policy_loss"], policy)
    torch.testing.assert_close(metrics["value_loss"], value)
    torch.testing.assert_close(metrics["entropy"], entropy)
    torch.testing.assert_close(loss, policy - 0.1 * entropy + 0.7 * value)
    assert set(metrics) == {"policy_loss", "value_loss", "entropy"}


@pytest.mark.parametrize("minibatches", [1, 2])
def test_updates_are_those_of_plain_torch(minibatches: int) -> None:
    config = replace(CONFIG, minibatches=minibatches)
    population = population_of(build)
    learner = PPO(config, population, N)
    policies = [module_of(population, build, run) for run in range(RUNS)]
    optimizers = [plain.adam(policy.parameters(), 0.0) for policy in policies]
    statistics = [[plain.Statistics(0.9) for _ in range(N)] for _ in range(RUNS)]
    norms: list[float] = []
    for number, (progress, rate, entropy_coef) in enumerate([(0.0, 0.02, 0.3), (0.5, 0.015, 0.2)]):
        batch = rollout(population, seed=number)
        metrics = learner.update(batch, progress, Streams.from_seeds([5, 6]).fold(number))
        for run, policy in enumerate(policies):
            aim = plain.Decisions.of(batch, run, statistics[run])
            optimizers[run].param_groups[0]["lr"] = rate
            found = []
            for rows in plain.minibatches(config, ROWS, Streams.from_seeds([5 + run]).fold(number)):
                judged = plain.judged_by(policy, batch, run)
                terms = plain.ppo_terms(judged, aim, aim.places(rows, range(N)), config)
                loss = terms["policy_loss"] + 0.7 * terms["value_loss"] - entropy_coef * terms["entropy"]
                found.append(plain.step(optimizers[run], loss, terms, LIMIT))
            for name, p in policy.named_parameters():
                torch.testing.assert_close(population.parameters[name][run], p, **plain.CLOSE, msg=name)
            plain.assert_means(metrics, run, found)
            norms += [step["grad_norm"] for step in found]
    assert min(norms) < LIMIT < max(norms), "some gradients are clipped and some are not"
