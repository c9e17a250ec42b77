"""HAPPO beside plain torch: an Adam per agent, turns in each run's own order, the compound factor."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import plain
import pytest
import torch
from rollouts import ACTIONS, OBS_DIM, ROWS, RUNS, module_of, population_of, rollout
from torch import Tensor
from torch.func import functional_call

from baselines.algorithms.happo import HAPPO, HAPPOConfig, TurnTargets, build_happo
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import Evaluation, PolicySpec
from baselines.training.population import Population
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams

N = 3
LIMIT = 0.4
SEEDS = [5, 6]
CONFIG = HAPPOConfig(
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
    hidden_size=5,
    hidden_layers=1,
)
DISCRETE = PolicySpec(N, OBS_DIM, None, ACTIONS, discrete=True)
CONTINUOUS = replace(DISCRETE, discrete=False)


class PlainHAPPO:
    """One run: every agent's actor has tensors and an optimiser of its own.

    Args:
        policy: where it starts.
        compound: whether advantages are multiplied by the ratios of the agents before.
    """

    def __init__(self, policy: MLPPolicy, config: HAPPOConfig, compound: bool = True) -> None:
        self.policy = policy
        self.config = config
        self.compound = compound
        named = dict(policy.named_parameters())
        self.actors = [
            {name: p[agent].detach().clone().requires_grad_() for name, p in named.items() if "actor" in name}
            for agent in range(N)
        ]
        self.critic = {name: p for name, p in named.items() if "critic" in name}
        self.optimizers = [plain.adam(part.values(), 0.0) for part in [*self.actors, self.critic]]
        self.statistics = [plain.Statistics(config.value_norm_beta) for _ in range(N)]

    @property
    def parameters(self) -> dict[str, Tensor]:
        stacked = {name: torch.stack([actor[name] for actor in self.actors]) for name in self.actors[0]}
        return stacked | self.critic

    def judged(self, batch: Batch, run: int) -> Evaluation:
        inputs = {name: x[run] for name, x in batch.inputs.items()}
        return evaluation_of(self.policy, self.parameters, inputs, batch.actions[run])

    def update(
        self, batch: Batch, run: int, rate: float, entropy_coef: float, streams: Streams
    ) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
        """What was found in the steps of actors and of the critic."""
        config, aim = self.config, plain.Decisions.of(batch, run, self.statistics)
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate
        factor = torch.ones(ROWS)
        actors, critic = [], []
        for agent in streams.permutation(N)[0].tolist():
            for rows in plain.minibatches(config, ROWS, streams):
                judged, places = self.judged(batch, run), aim.places(rows, [agent])
                gains = [factor[p[0]] * plain.surrogate(judged, aim, p, config.clip) for p in places]
                entropy = plain.mean([judged.entropies[p] for p in places])
                terms = {"policy_loss": -plain.mean(gains), "entropy": entropy}
                loss = terms["policy_loss"] - entropy_coef * entropy
                actors.append(plain.step(self.optimizers[agent], loss, terms, config.max_grad_norm))
            if self.compound:
                now = self.judged(batch, run).log_probs.detach()
                for row, _ in aim.places(range(ROWS), [agent]):
                    factor[row] *= (now[row, agent] - batch.log_probs[run, row, agent]).exp()
        for rows in plain.minibatches(config, ROWS, streams):
            judged, places = self.judged(batch, run), aim.places(rows, range(N))
            error = plain.mean(
                [plain.value_error(judged, aim, p, config.clip, config.huber_delta) for p in places]
            )
            terms = {"value_loss": error}
            critic.append(
                plain.step(self.optimizers[N], config.value_coef * error, terms, config.max_grad_norm)
            )
        return actors, critic


def evaluation_of(
    policy: MLPPolicy, parameters: dict[str, Tensor], inputs: dict[str, Tensor], actions: Tensor
) -> Evaluation:
    class Evaluate(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.policy = policy

        def forward(self) -> Evaluation:
            return policy.evaluate(inputs, actions)

    return functional_call(Evaluate(), {f"policy.{name}": p for name, p in parameters.items()}, ())


def start(spec: PolicySpec, config: HAPPOConfig = CONFIG) -> tuple[Population, HAPPO, list[MLPPolicy]]:
    """A population, its learner, and each run's policy as a module."""
    population = population_of(partial(build_happo, config, spec))
    policies = [module_of(population, partial(build_happo, config, spec), run) for run in range(RUNS)]
    return population, HAPPO(config, population, N), policies


@pytest.mark.parametrize("minibatches", [1, 2])
@pytest.mark.parametrize("spec", [DISCRETE, CONTINUOUS], ids=["masked", "continuous"])
def test_updates_are_those_of_plain_torch(spec: PolicySpec, minibatches: int) -> None:
    config = replace(CONFIG, minibatches=minibatches)
    population, learner, policies = start(spec, config)
    plains = [PlainHAPPO(policy, config) for policy in policies]
    norms = []
    for number, (progress, rate, entropy_coef) in enumerate([(0.0, 0.02, 0.3), (0.5, 0.015, 0.2)]):
        batch = rollout(population, spec, seed=number)
        metrics = learner.update(batch, progress, Streams.from_seeds(SEEDS).fold(number))
        for run, one in enumerate(plains):
            streams = Streams.from_seeds([SEEDS[run]]).fold(number)
            actors, critic = one.update(batch, run, rate, entropy_coef, streams)
            for name, p in one.parameters.items():
                torch.testing.assert_close(population.parameters[name][run], p, **plain.CLOSE, msg=name)
            values = {"value_loss": metrics["value_loss"]}
            plain.assert_means({k: x for k, x in metrics.items() if k not in values}, run, actors)
            plain.assert_means(values, run, [{"value_loss": step["value_loss"]} for step in critic])
            norms += [step["grad_norm"] for step in actors + critic]
    assert min(norms) < LIMIT < max(norms), "some gradients are clipped and some are not"


def test_runs_have_orders_of_their_own() -> None:
    first, second = (Streams.from_seeds([seed]).fold(0).permutation(N)[0].tolist() for seed in SEEDS)
    assert first != second


def test_the_compound_factor_makes_the_difference() -> None:
    """Beside plain updates without the factor, only who comes first ends up the same."""
    population, learner, policies = start(DISCRETE)
    batch = rollout(population, DISCRETE)
    learner.update(batch, 0.0, Streams.from_seeds(SEEDS))
    for run, policy in enumerate(policies):
        without = PlainHAPPO(policy, CONFIG, compound=False)
        without.update(batch, run, 0.02, 0.3, Streams.from_seeds([SEEDS[run]]))
        order = Streams.from_seeds([SEEDS[run]]).permutation(N)[0].tolist()
        name = "actor.head.network.weight"
        for place, agent in enumerate(order):
            difference = (population.parameters[name][run, agent] - without.actors[agent][name]).abs().max()
            assert (difference > 1e-3) == (place > 0)


def test_a_loss_by_hand() -> None:
    """One run, two rows of one agent: ratios 1.5 and 0.5 with a factor of 2 and of 3."""
    _, learner, _ = start(CONTINUOUS)
    new = torch.tensor([[[1.5], [0.5]]]).log()
    learner._judge = lambda parameters, batch: (new, torch.tensor([[[1.0], [3.0]]]))  # type: ignore[method-assign]
    ones = torch.ones(1, 2, 1)
    batch = Batch({}, ones, 0 * ones, ones, ones, ones, ones.bool())
    aim = TurnTargets(torch.tensor([[[1.0], [-2.0]]]), ones, 0.1, 0.0, factor=torch.tensor([[[2.0], [3.0]]]))
    loss, metrics = learner._actor_loss({}, batch, aim)
    # Held at 1.2 and at 0.8: -(2 * 1.2 - 3 * 1.6) / 2 = 1.2; the mean entropy is 2.
    assert metrics["policy_loss"].tolist() == pytest.approx([1.2])
    assert metrics["entropy"].tolist() == [2.0]
    assert loss.tolist() == pytest.approx([1.0])


def test_training_goes_on_where_it_was_saved() -> None:
    population, learner, _ = start(DISCRETE)
    learner.update(rollout(population, DISCRETE), 0.0, Streams.from_seeds(SEEDS))
    saved = {name: x.clone() for name, x in learner.state().items()}
    assert saved["optimizer.actor.steps"] == saved["optimizer.critic.steps"] == 4
    other, resumed, _ = start(DISCRETE)
    resumed.load(saved)
    batch = rollout(population, DISCRETE, seed=1)
    for each in (learner, resumed):
        each.update(batch, 0.5, Streams.from_seeds(SEEDS).fold(1))
    for name, x in learner.state().items():
        assert torch.equal(x, resumed.state()[name]), name
    assert resumed.population is other


def test_actors_are_separate_and_the_critic_is_central() -> None:
    policy = build_happo(HAPPOConfig(hidden_size=7, hidden_layers=3), DISCRETE)
    assert isinstance(policy, MLPPolicy)
    assert policy.actor.head.network.weight.shape == (N, ACTIONS, 7)
    assert policy.critic.whole is not None
    assert sum(p.shape == (7, 7) for p in policy.critic.parameters()) == 2


def test_an_update_stays_on_the_population_s_device() -> None:
    population, learner, _ = start(DISCRETE)
    batch, streams = rollout(population, DISCRETE), Streams.from_seeds(SEEDS)
    with torch.device("meta"):
        metrics = learner.update(batch, 0.0, streams)
    assert {x.device.type for x in [*metrics.values(), *population.parameters.values()]} == {"cpu"}
