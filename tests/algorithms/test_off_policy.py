"""Learning from replay: when it begins, what it samples and sees, how target networks follow, checkpoints."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from replays import COUNT, filled, replaying, timesteps
from rollouts import RUNS, SPEC, N, population_of
from torch import Tensor

import stmg_envs
from baselines.algorithms.ddpg import DDPG, DDPGConfig, build_ddpg
from baselines.algorithms.dqn import DQN, DQNConfig, build_dqn
from baselines.algorithms.off_policy import OffPolicyConfig
from baselines.networks.policy import PolicySpec
from baselines.training.gradients import Losses
from baselines.training.population import Parameters
from baselines.training.replay import Rows
from baselines.training.rollout import decision_noise
from stmg_envs.protocol import Streams

CONFIG = DQNConfig(
    average_reward=False,
    batch_size=6,
    warmup_steps=COUNT,
    gradient_steps=3,
    learning_rate=0.02,
    learning_rate_decay=0.5,
    target_rate=0.3,
    hidden_size=5,
    hidden_layers=1,
)
ONE_SHOT = PolicySpec(N, 1, None, 2, discrete=True, fully_observed=True)


class Pull(DQN):
    """Has every parameter pulled to the mean reward; keeps the rows that it was given."""

    def __init__(self, config: OffPolicyConfig, *arguments: object) -> None:
        super().__init__(config, *arguments)  # type: ignore[arg-type]
        self.given: list[Rows] = []
        self.target_scales: list[float] = []

    def _loss(self, parameters: Parameters, targets: Parameters, rows: Rows) -> Losses:
        self.given.append(rows)
        self.target_scales.append(next(iter(targets.values())).abs().sum().item())
        reward = rows["rewards"].mean(dim=(1, 2))
        loss = sum((p.flatten(1) - reward[:, None]).square().sum(dim=1) for p in parameters.values())
        assert isinstance(loss, Tensor)
        return loss, {"value_loss": loss, "value": reward}


def pulling(config: DQNConfig = CONFIG) -> Pull:
    return replaying(Pull, config, population_of(partial(build_dqn, config, SPEC)), SPEC)


def copied(parameters: Parameters) -> Parameters:
    return {name: p.detach().clone() for name, p in parameters.items()}


def test_nothing_is_learned_before_the_warm_up_is_over() -> None:
    learner = pulling(replace(CONFIG, warmup_steps=COUNT + 1))
    before = copied(learner.population.parameters)
    metrics = learner.update(filled(timesteps(SPEC)), 0.0, Streams.from_seeds([1, 2]))
    assert set(metrics) == {"value_loss", "value", "grad_norm"}
    assert all(x.shape == (RUNS,) and bool(x.isnan().all()) for x in metrics.values())
    assert all(torch.equal(p, before[name]) for name, p in learner.population.parameters.items())
    assert not learner.given
    again = pulling(replace(CONFIG, warmup_steps=COUNT))
    metrics = again.update(filled(timesteps(SPEC)), 0.0, Streams.from_seeds([1, 2]))
    assert not any(bool(x.isnan().any()) for x in metrics.values())


def test_every_step_has_a_sample_of_its_own() -> None:
    learner = pulling()
    rows = timesteps(SPEC) | {"number": torch.arange(COUNT).expand(RUNS, COUNT)}
    metrics = learner.update(filled(rows), 0.0, Streams.from_seeds([1, 2]))
    drawn = torch.stack([given["number"] for given in learner.given])
    streams = [Streams.from_seeds([seed]) for seed in (1, 2)]
    for step in range(3):
        for run in range(RUNS):
            uniform = streams[run].uniform(6, dtype=torch.float64)[0].tolist()
            assert drawn[step, run].tolist() == [int(x * COUNT) for x in uniform]
    # Metrics are means over the steps.
    rewards = torch.stack([given["rewards"].mean(dim=(1, 2)) for given in learner.given])
    torch.testing.assert_close(metrics["value"], rewards.mean(dim=0))


def test_target_networks_go_a_share_of_the_way() -> None:
    learner = pulling(replace(CONFIG, gradient_steps=1))
    before = copied(learner.targets)
    learner.update(filled(timesteps(SPEC)), 0.0, Streams.from_seeds([1, 2]))
    for name, p in learner.population.parameters.items():
        torch.testing.assert_close(learner.targets[name], 0.7 * before[name] + 0.3 * p.detach())
        assert not learner.targets[name].requires_grad


def test_target_networks_start_as_copies() -> None:
    population = population_of(partial(build_dqn, CONFIG, SPEC))
    learner = DQN(CONFIG, population, N)
    for name, p in population.parameters.items():
        assert torch.equal(learner.targets[name], p)
        assert learner.targets[name].data_ptr() != p.data_ptr()


def test_the_loss_sees_the_runs_own_targets_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baselines.training.population.CPU_CHUNK_ROWS", 1)
    learner = pulling(replace(CONFIG, gradient_steps=1))
    first = next(iter(learner.targets.values()))
    expected = [first[run].abs().sum().item() for run in range(RUNS)]
    learner.update(filled(timesteps(SPEC)), 0.0, Streams.from_seeds([1, 2]))
    assert [len(given["rewards"]) for given in learner.given] == [1, 1]
    assert learner.target_scales == pytest.approx(expected)


def test_chunks_are_chosen_by_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = pulling(replace(CONFIG, gradient_steps=1))
    asked: list[int] = []
    monkeypatch.setattr(learner.population, "together", lambda rows: asked.append(rows) or RUNS)
    learner.update(filled(timesteps(SPEC)), 0.0, Streams.from_seeds([1, 2]))
    assert asked == [6]


def test_the_first_step_is_as_long_as_the_step_size_says() -> None:
    """Adam's first step moves every parameter by the step size, whatever the gradient."""
    for progress, rate in ((0.0, 0.02), (0.5, 0.015)):
        learner = pulling(replace(CONFIG, gradient_steps=1))
        before = copied(learner.population.parameters)
        learner.update(filled(timesteps(SPEC)), progress, Streams.from_seeds([1, 2]))
        moved = torch.cat(
            [(p - before[name]).flatten() for name, p in learner.population.parameters.items()]
        ).detach()
        assert moved.abs().median().item() == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize(
    ("kind", "differential", "expected"),
    [
        ("own", False, [[6.0, -2.0], [2.0, 4.0]]),
        ("own", True, [[5.5, -1.0], [0.0, 3.75]]),
        ("sum", False, [[4.0, 4.0], [6.0, 6.0]]),
        ("sum", True, [[4.5, 4.5], [3.75, 3.75]]),
        # Baselines are (0.5 - 1) / 2 and (2 + 0.25) / 2: 6 and -2 lie on both sides, 2 and 4 on one.
        ("dri", False, [[2.0, 2.0], [2.0, 4.0]]),
        ("dri", True, [[2.25, 2.25], [0.875, 2.875]]),
        ("dri-naive", True, [[2.25, 2.25], [1.875, 1.875]]),
    ],
)
def test_old_rewards_are_seen_beside_the_averages_of_today(
    kind: str, differential: bool, expected: list[list[float]]
) -> None:
    config = replace(CONFIG, reward_interaction=kind, average_reward=differential, gradient_steps=1)
    learner = pulling(config)
    rows = timesteps(SPEC)
    rows["alive"] = torch.ones_like(rows["alive"])
    rows["rewards"] = torch.tensor([[6.0, -2.0], [2.0, 4.0]]).unsqueeze(1).expand(RUNS, COUNT, N).clone()
    if kind.startswith("dri"):
        rows["neighbors"] = ~torch.eye(N, dtype=torch.bool).expand(RUNS, COUNT, N, N)
    buffer = filled(rows)
    learner.update(buffer, 0.0, Streams.from_seeds([1, 2]))
    (given,) = learner.given
    for run in range(RUNS):
        assert given["rewards"][run].tolist() == [pytest.approx(expected[run])] * 6
    assert buffer.rows["rewards"][0, 0].tolist() == [6.0, -2.0], "what is kept are original rewards"


def test_the_dead_are_nobody_s_company() -> None:
    learner = pulling(replace(CONFIG, reward_interaction="sum", gradient_steps=1))
    rows = timesteps(SPEC)
    rows["alive"] = torch.tensor([True, False]).expand(RUNS, COUNT, N).clone()
    rows["rewards"] = torch.tensor([6.0, -2.0]).expand(RUNS, COUNT, N).clone()
    learner.update(filled(rows), 0.0, Streams.from_seeds([1, 2]))
    assert learner.given[0]["rewards"][0, 0].tolist() == [6.0, 6.0]


@pytest.mark.parametrize(("average_reward", "gamma"), [(True, 1.0), (False, 0.9)])
def test_rewards_above_the_average_are_not_discounted(average_reward: bool, gamma: float) -> None:
    config = replace(CONFIG, gamma=0.9, average_reward=average_reward)
    assert DQN(config, population_of(partial(build_dqn, config, SPEC)), N).gamma == gamma


def test_the_collector_is_as_configured() -> None:
    config = DQNConfig(
        rollout_steps=7,
        buffer_size=11,
        exploration_start=0.9,
        exploration_end=0.2,
        exploration_anneal=0.4,
        reward_interaction="sum",
        average_step_size=0.3,
        average_reward=True,
    )
    population = population_of(partial(build_dqn, config, SPEC))
    learner = DQN(config, population, N)
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", 4)
    env.reset(seed=0)
    noise = decision_noise(N, 3, discrete=True)
    collector = learner.collector(env, noise)
    assert (collector.env, collector.population, collector.noise) == (env, population, noise)
    assert (collector.rollout_steps, collector.buffer.capacity) == (7, 11)
    assert collector.exploration == (0.9, 0.2, 0.4)
    interaction = collector.interaction
    assert interaction is learner._interaction
    assert (interaction.kind, interaction.step_size, interaction.differential) == ("sum", 0.3, True)
    assert interaction.averages.shape == (RUNS, N)


def test_training_goes_on_where_it_was_saved() -> None:
    buffer = filled(timesteps(SPEC))

    def started() -> DQN:
        return replaying(DQN, CONFIG, population_of(partial(build_dqn, CONFIG, SPEC)), SPEC)

    learner, resumed = started(), started()
    learner.update(buffer, 0.0, Streams.from_seeds([1, 2]))
    saved = {name: x.clone() for name, x in learner.state().items()}
    parameters = learner.population.parameters
    expected = {f"{prefix}.{name}" for prefix in ("policy", "target") for name in parameters}
    expected |= {
        f"optimizer.{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq") for name in parameters
    }
    assert set(saved) == expected
    assert not torch.equal(saved["policy.network.1.weight"], saved["target.network.1.weight"])
    resumed.load(saved)
    for each in (learner, resumed):
        each.update(buffer, 0.5, Streams.from_seeds([3, 4]))
    for name, x in learner.state().items():
        assert torch.equal(x, resumed.state()[name]), name


@pytest.mark.parametrize("spec", [SPEC, replace(SPEC, discrete=False)], ids=["discrete", "continuous"])
@pytest.mark.parametrize("warmup_steps", [COUNT, COUNT + 1])
def test_an_update_stays_on_the_population_s_device(spec: PolicySpec, warmup_steps: int) -> None:
    config = DDPGConfig(batch_size=6, warmup_steps=warmup_steps, hidden_size=5, hidden_layers=1)
    learner = replaying(DDPG, config, population_of(partial(build_ddpg, config, spec)), spec)
    buffer, streams = filled(timesteps(spec)), Streams.from_seeds([1, 2])
    with torch.device("meta"):
        metrics = learner.update(buffer, 0.0, streams)
    assert {x.device.type for x in [*metrics.values(), *learner.state().values()]} == {"cpu"}


def test_one_environment_is_enough_for_a_run() -> None:
    learner = DQN(CONFIG, population_of(partial(build_dqn, CONFIG, ONE_SHOT)), N)
    env = stmg_envs.vector_env("stmg/PrisonersDilemma-v0", RUNS)
    collector = learner.collector(env, decision_noise(N, 2, discrete=True))
    collector.observations, _ = env.reset(seed=0)
    buffer, metrics = collector.collect(Streams.from_seeds([0, 1]), 0.0)
    assert len(buffer) == CONFIG.rollout_steps
    assert metrics["exploration"].tolist() == [1.0, 1.0]
