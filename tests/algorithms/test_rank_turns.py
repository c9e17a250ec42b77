"""STEP's turns by rank beside plain torch."""

from __future__ import annotations

from functools import partial

import plain
import torch
from rollouts import ROWS, RUNS, SPEC, N, module_of, population_of, rollout

from baselines.algorithms.step import SequentialPPO, StepConfig, build_step
from baselines.networks.step import StepNetwork
from stmg_envs.protocol import Streams

LIMIT = 1.5
CONFIG = StepConfig(
    epochs=2,
    minibatches=2,
    learning_rate=0.02,
    learning_rate_decay=0.5,
    max_grad_norm=LIMIT,
    entropy_start=0.3,
    entropy_end=0.1,
    value_coef=0.7,
    huber_delta=0.5,
    value_norm_beta=0.9,
    condition_dim=6,
    hidden_size=4,
)
build = partial(build_step, CONFIG, SPEC)


def test_its_network_has_the_configured_sizes() -> None:
    policy = build()
    assert isinstance(policy, StepNetwork)
    assert policy.condition[0].weight.shape[0] == 6
    # A hidden layer of 4 from observations, generated from the condition.
    shapes = {tuple(p.shape) for p in policy.policy.parameters()}
    assert any(4 * SPEC.obs_dim in shape for shape in shapes)


def test_turns_of_ranks_are_those_of_plain_torch() -> None:
    """Who has which rank differs from row to row; one Adam for all turns."""
    population = population_of(build)
    learner = SequentialPPO(CONFIG, population, N)
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
            priority = batch.inputs["priority"][run].tolist()
            streams = Streams.from_seeds([5 + run]).fold(number)
            found = []
            for rank in range(N):
                for rows in plain.minibatches(CONFIG, ROWS, streams):
                    judged = plain.judged_by(policy, batch, run)
                    places = [
                        (row, agent)
                        for row, agent in aim.places(rows, range(N))
                        if priority[row][rank] == agent
                    ]
                    terms = plain.ppo_terms(judged, aim, places, CONFIG)
                    loss = terms["policy_loss"] + 0.7 * terms["value_loss"] - entropy_coef * terms["entropy"]
                    found.append(plain.step(optimizers[run], loss, terms, LIMIT))
            for name, p in policy.named_parameters():
                torch.testing.assert_close(population.parameters[name][run], p, **plain.CLOSE, msg=name)
            plain.assert_means(metrics, run, found)
            norms += [step["grad_norm"] for step in found]
    assert min(norms) < LIMIT < max(norms), "some gradients are clipped and some are not"
