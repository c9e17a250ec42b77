"""What all policy gradients share: means, normalisation, schedules, minibatches, checkpoints."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from rollouts import ACTIONS, ROWS, RUNS, SPEC, N, population_of, rollout

import stmg_envs
from baselines.algorithms.config import PPOConfig
from baselines.algorithms.policy_gradient import Targets, masked_mean, normalize_per_agent, one_agent
from baselines.algorithms.ppo import PPO
from baselines.networks.mlp import MLPPolicy
from baselines.networks.recurrent import RecurrentPolicy
from baselines.training.rollout import decision_noise
from stmg_envs.protocol import Streams

build = partial(MLPPolicy, SPEC, (5,), shared=True, central=True)
CONFIG = PPOConfig(epochs=2, minibatches=2, learning_rate=0.02)


def test_means_are_over_the_living_of_each_run() -> None:
    x = torch.tensor([[[1.0, 2.0], [3.0, 50.0]], [[4.0, 70.0], [60.0, 80.0]], [[7.0, 7.0], [7.0, 7.0]]])
    mask = torch.tensor([[[True, True], [True, False]], [[True, False], [False, False]], [[False] * 2] * 2])
    # Where nobody lives the mean is 0.
    assert masked_mean(x, mask).tolist() == [2.0, 4.0, 0.0]


def test_advantages_have_mean_0_and_deviation_1_per_run_and_agent() -> None:
    advantages = torch.tensor([[[1.0, 500.0], [3.0, 100.0], [5.0, 300.0], [77.0, 300.0]], [[0.5, 4.0]] * 4])
    alive = torch.ones(2, 4, 2, dtype=torch.bool)
    alive[0, 3, 0] = False
    alive[1, :, 0] = False
    alive[1, 1:, 1] = False
    # 1, 3, 5 without the dead row have deviation 2 with one degree of freedom less; 500, 100, 300, 300 have
    # sqrt(80000 / 3). All dead, and a single row alive, give 0 and no division by 0.
    deviation = (80_000 / 3) ** 0.5
    expected = torch.zeros(2, 4, 2)
    expected[0, :, 0] = torch.tensor([-1.0, 0.0, 1.0, 0.0])
    expected[0, :, 1] = torch.tensor([200.0, -200.0, 0.0, 0.0]) / deviation
    torch.testing.assert_close(normalize_per_agent(advantages, alive), expected, atol=1e-5, rtol=1e-5)


def test_equal_advantages_do_not_divide_by_zero() -> None:
    alive = torch.ones(1, 2, 1, dtype=torch.bool)
    small = normalize_per_agent(torch.tensor([[[2.0], [2.0 + 2e-5]]]), alive)
    # A deviation of 2e-5 / sqrt(2) has 1e-5 added.
    torch.testing.assert_close(
        small[0, 1, 0], torch.tensor(1e-5 / (2e-5 / 2**0.5 + 1e-5)), rtol=0.02, atol=0.0
    )


def test_one_agent_may_be_another_in_every_row() -> None:
    x = torch.arange(12).view(1, 2, 3, 2)
    assert one_agent(x, torch.tensor([[[2], [0]]])).tolist() == [[[[4, 5]], [[6, 7]]]]
    assert one_agent(x[..., 1], torch.tensor([[[1], [2]]])).tolist() == [[[3], [11]]]


def test_targets_can_be_had_of_rows_and_of_runs() -> None:
    numbers = torch.arange(12.0).view(2, 3, 2)
    targets = Targets(numbers, -numbers, 0.5, 0.25)
    rows = targets.take_rows(torch.tensor([[2, 0], [1, 1]]))
    assert rows.advantages.tolist() == [[[4, 5], [0, 1]], [[8, 9], [8, 9]]]
    assert rows.values.tolist() == (-rows.advantages).tolist()
    assert torch.equal(targets.take_rows(None).advantages, numbers)
    run = targets.take_runs(slice(1, 2))
    assert run.advantages.tolist() == [[[6, 7], [8, 9], [10, 11]]]
    assert (run.entropy_coef, run.learning_rate) == (rows.entropy_coef, rows.learning_rate) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("progress", "entropy_coef", "learning_rate"),
    [(0.0, 0.5, 4e-4), (0.2, 0.3, 3.6e-4), (0.4, 0.1, 3.2e-4), (0.9, 0.1, 2.2e-4), (1.0, 0.1, 2e-4)],
)
def test_schedules(progress: float, entropy_coef: float, learning_rate: float) -> None:
    """From 0.5 to 0.1 over the first 40 % of training; half of the step size is lost by its end."""
    config = PPOConfig(
        entropy_start=0.5, entropy_end=0.1, entropy_anneal=0.4, learning_rate=4e-4, learning_rate_decay=0.5
    )
    population = population_of(build)
    targets = PPO(config, population, N)._prepare(rollout(population), progress)
    assert targets.entropy_coef == pytest.approx(entropy_coef)
    assert targets.learning_rate == pytest.approx(learning_rate)


def test_what_an_update_aims_at() -> None:
    population = population_of(build)
    learner = PPO(replace(CONFIG, value_norm_beta=0.5), population, N)
    batch = rollout(population)
    targets = learner._prepare(batch, 0.0)
    torch.testing.assert_close(targets.advantages, normalize_per_agent(batch.advantages, batch.alive))
    assert targets.advantages[~batch.alive].tolist() == [0.0, 0.0, 0.0]
    # Returns of the living count before they are normalised: their mean is 0 and their deviation 1 at first.
    mean = masked_mean(targets.values[..., :1], batch.alive[..., :1])
    square = masked_mean(targets.values[..., :1].square(), batch.alive[..., :1])
    torch.testing.assert_close(mean, torch.zeros(RUNS), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(square, torch.ones(RUNS))


def test_minibatches_have_every_row_once_in_another_order_for_each_run() -> None:
    learner = PPO(replace(CONFIG, minibatches=3), population_of(build), N)
    streams = Streams.from_seeds([1, 2])
    parts = [part for part in learner._minibatches(12, streams) if part is not None]
    assert [part.shape for part in parts] == [(2, 4)] * 3
    rows = torch.cat(parts, dim=1)
    assert rows.sort(dim=1).values.tolist() == [list(range(12))] * 2
    assert rows[0].tolist() != rows[1].tolist()
    again = torch.cat([part for part in learner._minibatches(12, streams) if part is not None], dim=1)
    assert not torch.equal(rows, again), "every epoch draws anew"
    assert PPO(replace(CONFIG, minibatches=1), population_of(build), N)._minibatches(12, streams) == [None]


def test_minibatches_keep_timesteps_that_belong_together() -> None:
    def remembering() -> RecurrentPolicy:
        return RecurrentPolicy(SPEC, (4,), True, True, 3)

    learner = PPO(CONFIG, population_of(remembering), N)
    parts = [part for part in learner._minibatches(12, Streams.from_seeds([1, 2])) if part is not None]
    assert [part.shape for part in parts] == [(2, 6)] * 2
    chunks = torch.cat(parts, dim=1).view(2, 4, 3)
    assert (chunks[..., 0] % 3 == 0).all()
    assert torch.equal(chunks, chunks[..., :1] + torch.arange(3))
    assert chunks[..., 0].sort(dim=1).values.tolist() == [[0, 3, 6, 9]] * 2


@pytest.mark.parametrize("average_reward", [False, True])
def test_the_collector_is_as_configured(average_reward: bool) -> None:
    config = PPOConfig(
        rollout_steps=7,
        gamma=0.9,
        gae_lambda=0.8,
        reward_interaction="sum",
        average_step_size=0.3,
        average_reward=average_reward,
    )
    population = population_of(build)
    learner = PPO(config, population, N)
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", 4)
    env.reset(seed=0)
    noise = decision_noise(N, ACTIONS, discrete=True)
    collector = learner.collector(env, noise)
    assert (collector.env, collector.population, collector.noise) == (env, population, noise)
    assert collector.normalizer is learner.normalizer
    # Rewards above the average are not discounted.
    assert collector.gamma == (1.0 if average_reward else 0.9)
    assert (collector.rollout_steps, collector.gae_lambda) == (7, 0.8)
    interaction = collector.interaction
    assert (interaction.kind, interaction.step_size, interaction.differential) == ("sum", 0.3, average_reward)
    assert interaction.averages.shape == (RUNS, N)


def test_the_normaliser_is_as_configured() -> None:
    learner = PPO(replace(CONFIG, value_norm_beta=0.6), population_of(build), N)
    assert learner.normalizer.beta == 0.6
    assert learner.normalizer.mean.shape == (RUNS, N)


def test_training_goes_on_where_it_was_saved() -> None:
    population = population_of(build)
    learner = PPO(CONFIG, population, N)
    assert not any(name.startswith("optimizer.") for name in learner.state()), (
        "Adam begins with its first step"
    )
    learner.update(rollout(population), 0.0, Streams.from_seeds([1, 2]))
    saved = {name: x.clone() for name, x in learner.state().items()}
    names = {
        *(f"policy.{name}" for name in population.parameters),
        *(
            f"optimizer.{key}.{name}"
            for key in ("step", "exp_avg", "exp_avg_sq")
            for name in population.parameters
        ),
        *(f"value_norm.{name}" for name in ("origin", "first", "second", "debias")),
    }
    assert set(saved) == names
    resumed = PPO(CONFIG, population_of(build), N)
    resumed.load(saved)
    batch = rollout(population, seed=1)
    for each in (learner, resumed):
        each.update(batch, 0.5, Streams.from_seeds([3, 4]))
    for name, x in learner.state().items():
        assert torch.equal(x, resumed.state()[name]), name


def test_runs_in_chunks_learn_what_they_learn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    updated = []
    for rows in (3200, 1):
        monkeypatch.setattr("baselines.training.population.CPU_CHUNK_ROWS", rows)
        population = population_of(build)
        learner = PPO(CONFIG, population, N)
        metrics = learner.update(rollout(population), 0.0, Streams.from_seeds([1, 2]))
        updated.append(population.parameters | metrics)
    for name, x in updated[0].items():
        torch.testing.assert_close(x, updated[1][name], atol=1e-5, rtol=1e-4, msg=name)


def test_chunks_are_chosen_by_the_rows_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    population = population_of(build)
    asked: list[int] = []
    monkeypatch.setattr(population, "together", lambda rows: asked.append(rows) or RUNS)
    PPO(CONFIG, population, N).update(rollout(population), 0.0, Streams.from_seeds([1, 2]))
    assert asked == [ROWS // 2] * 4


def test_a_run_learns_from_its_own_rows_alone() -> None:
    updated = []
    for shift in (0.0, 1.0):
        population = population_of(build)
        batch = rollout(population)
        batch = replace(batch, log_probs=batch.log_probs - torch.tensor([0.0, shift]).view(2, 1, 1))
        metrics = PPO(CONFIG, population, N).update(batch, 0.0, Streams.from_seeds([1, 2]))
        updated.append(population.parameters | metrics)
    for name, x in updated[0].items():
        torch.testing.assert_close(x[0], updated[1][name][0], msg=name)
    assert not torch.allclose(updated[0]["policy_loss"][1], updated[1]["policy_loss"][1])


@pytest.mark.parametrize("minibatches", [1, 2])
def test_an_update_stays_on_the_population_s_device(minibatches: int) -> None:
    """What names no device would be made on another one here, and could not be combined with anything."""
    population = population_of(build)
    batch, streams = rollout(population), Streams.from_seeds([1, 2])
    with torch.device("meta"):
        learner = PPO(replace(CONFIG, minibatches=minibatches), population, N)
        metrics = learner.update(batch, 0.0, streams)
    assert {x.device.type for x in [*metrics.values(), *learner.state().values()]} == {"cpu"}
