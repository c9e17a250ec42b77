"""A2C: its loss by hand, and whole updates beside plain torch."""

from __future__ import annotations

from functools import partial

import plain
import pytest
import torch
from rollouts import ROWS, RUNS, SPEC, N, module_of, population_of, rollout

from baselines.algorithms.a2c import A2C, A2CConfig, build_a2c
from baselines.algorithms.policy_gradient import Targets
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import Evaluation
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams

LIMIT = 0.8
CONFIG = A2CConfig(
    epochs=2,
    learning_rate=0.02,
    learning_rate_decay=0.5,
    max_grad_norm=LIMIT,
    entropy_start=0.3,
    entropy_end=0.1,
    value_coef=0.7,
    huber_delta=0.5,
    value_norm_beta=0.9,
    hidden_size=5,
    hidden_layers=2,
)
build = partial(build_a2c, CONFIG, SPEC)


def test_the_loss_by_hand() -> None:
    """One run, one row, three agents of which the last is dead."""
    learner = A2C(CONFIG, population_of(build), N)
    judged = Evaluation(
        log_probs=torch.tensor([[[-0.5, -2.0, -9.0]]]),
        entropies=torch.tensor([[[0.6, 0.2, 9.0]]]),
        values=torch.tensor([[[1.0, 3.0, 9.0]]]),
    )
    learner.population.evaluate = lambda inputs, actions, parameters: judged  # type: ignore[method-assign]
    alive = torch.tensor([[[True, True, False]]])
    nothing = torch.zeros(1, 1, 3)
    batch = Batch({}, nothing, nothing, nothing, nothing, nothing, alive)
    targets = Targets(
        advantages=torch.tensor([[[2.0, -1.0, 9.0]]]),
        values=torch.tensor([[[1.4, 1.0, 0.0]]]),
        entropy_coef=0.1,
        learning_rate=0.0,
    )
    loss, metrics = learner._loss({}, batch, targets)
    # (0.5 * 2 - 2 * 1) / 2; errors 0.4 and -2 with delta = 0.5: (0.08 + 0.5 * 1.75) / 2.
    expected = {"policy_loss": -0.5, "value_loss": 0.4775, "entropy": 0.4}
    assert {name: x.item() for name, x in metrics.items()} == pytest.approx(expected)
    assert loss.tolist() == pytest.approx([-0.5 - 0.1 * 0.4 + 0.7 * 0.4775])


@pytest.mark.parametrize("central", [False, True])
def test_actors_are_separate_and_critics_as_configured(central: bool) -> None:
    policy = build_a2c(A2CConfig(hidden_size=7, hidden_layers=3, central_critic=central), SPEC)
    assert isinstance(policy, MLPPolicy)
    assert policy.actor.head.network.weight.shape == (N, SPEC.action_width, 7)
    assert (policy.critic.whole is not None) == central
    # The first of three layers reads the observation.
    assert sum(p.shape[-2:] == (7, 7) for p in policy.critic.parameters()) == 2


def test_updates_are_those_of_plain_torch() -> None:
    population = population_of(build)
    learner = A2C(CONFIG, population, N)
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
            for rows in plain.minibatches(CONFIG, ROWS, Streams.from_seeds([5 + run])):
                judged, places = plain.judged_by(policy, batch, run), aim.places(rows, range(N))
                gains = [judged.log_probs[place] * aim.advantages[place] for place in places]
                errors = [plain.huber(aim.targets[place] - judged.values[place], 0.5) for place in places]
                terms = {
                    "policy_loss": -plain.mean(gains),
                    "value_loss": plain.mean(errors),
                    "entropy": plain.mean([judged.entropies[place] for place in places]),
                }
                loss = terms["policy_loss"] + 0.7 * terms["value_loss"] - entropy_coef * terms["entropy"]
                found.append(plain.step(optimizers[run], loss, terms, LIMIT))
            for name, p in policy.named_parameters():
                torch.testing.assert_close(population.parameters[name][run], p, **plain.CLOSE, msg=name)
            plain.assert_means(metrics, run, found)
            norms += [step["grad_norm"] for step in found]
    assert min(norms) < LIMIT < max(norms), "some gradients are clipped and some are not"
