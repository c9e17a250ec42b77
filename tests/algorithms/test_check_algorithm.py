"""One call tells an author of an algorithm what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from small import SIZES
from torch import Tensor

import baselines
from baselines.algorithms.mappo import MAPPOConfig, build_mappo
from baselines.algorithms.ppo import PPO
from baselines.algorithms.registry import algorithm_spec
from baselines.algorithms.spec import AlgorithmSpec
from baselines.errors import ConfigError
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import Decision, Evaluation, Inputs, JointPolicy, PolicySpec
from baselines.testing import check_algorithm
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams
from stmg_envs.testing import ConformanceError

GOOD = AlgorithmSpec("my-algorithm", "MAPPO again", MAPPOConfig, build_mappo, PPO, sequential=False)


QUICK = ("steer", "happo", "dqn-dri")
"""One of each kind; tests/networks and tests/runs look at all of them more closely."""


@pytest.mark.parametrize(
    "algorithm",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SIZES],
)
def test_ours_are_what_the_suite_asks_for(algorithm: str) -> None:
    check_algorithm(algorithm, **SIZES[algorithm])


def test_recurrent_policies_are_too() -> None:
    check_algorithm("mappo", recurrent=True, rollout_steps=10, chunk_length=5, hidden_size=16)


def test_a_row_that_is_not_registered_is_checked_and_forgotten() -> None:
    check_algorithm(GOOD, hidden_size=16)
    assert GOOD.name not in baselines.list_algorithms()


class Peeking(MLPPolicy):
    """Entropies depend on what everybody does."""

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        judged = super().evaluate(inputs, actions)
        seen = actions.flatten(1).float().sum(dim=1, keepdim=True)
        return judged._replace(entropies=judged.entropies + seen)


class Lawless(MLPPolicy):
    """Masks are not looked at."""

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        return super().act({name: x for name, x in inputs.items() if name != "action_mask"}, noise)

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        return super().evaluate({name: x for name, x in inputs.items() if name != "action_mask"}, actions)


class Reluctant(MLPPolicy):
    """Does the least likely where there is no noise."""

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        if bool(noise.any()) or inputs.get("action_mask") is None:
            return super().act(inputs, noise)
        worst = 1e6 * (inputs["action_mask"].cumsum(dim=-1) - 100)
        decision = super().act(inputs, worst.float())
        return decision


class Doubtful(MLPPolicy):
    """Judges other than it decides."""

    def act(self, inputs: Inputs, noise: Tensor) -> Decision:
        decision = super().act(inputs, noise)
        return decision._replace(log_probs=decision.log_probs - 0.01)


class Flat(MLPPolicy):
    """One value for all agents."""

    def evaluate(self, inputs: Inputs, actions: Tensor) -> Evaluation:
        judged = super().evaluate(inputs, actions)
        return judged._replace(values=judged.values.mean(dim=1))


def _build(policy: type[MLPPolicy]) -> Any:
    return lambda config, spec: policy(spec, (config.hidden_size,), True, central=True)


def _unseeded(config: MAPPOConfig, spec: PolicySpec) -> JointPolicy:
    policy = build_mappo(config, spec)
    with torch.no_grad():
        next(policy.parameters()).add_(torch.randn((), generator=UNSEEDED))
    return policy


UNSEEDED = torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"build": _build(Peeking)}, "entropies of an agent depend on what agents of later ranks"),
        ({"build": _build(Lawless)}, "an action that its mask forbids"),
        ({"build": _build(Reluctant)}, "less likely than with it"),
        ({"build": _build(Doubtful)}, "give log_probs that differ by up to 0.01"),
        ({"build": _build(Flat)}, r"evaluate's values are torch.float32 \(6,\); expected .* \(6, 3\)"),
        ({"build": _unseeded}, "two policies of one seed differ"),
        ({"sequential": True}, "do not see what those before them do, and its row says sequential=True"),
        ({"presets": {"mine": {"hidden_size": 0}}}, "mine: hidden_size=0 is not accepted"),
        ({"fixed": {"gamma": 2.0}}, "gamma=2.0 is not accepted"),
    ],
)
def test_wrong_policies_and_rows_are_found(changed: dict[str, Any], finding: str) -> None:
    with pytest.raises((ConformanceError, ConfigError), match=finding):
        check_algorithm(replace(GOOD, **changed), hidden_size=16)


class Forgetful(PPO):
    """Does not keep the state of its optimiser."""

    def state(self) -> dict[str, Tensor]:
        return {name: x for name, x in super().state().items() if not name.startswith("optimizer.")}

    def load(self, tensors: dict[str, Tensor]) -> None:
        super().load({**super().state(), **tensors})


class Restless(PPO):
    """Adds noise that no seed decides."""

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        metrics = super().update(batch, progress, streams)
        with torch.no_grad():
            for parameter in self.population.parameters.values():
                parameter.add_(1e-3 * torch.randn(parameter.shape, generator=UNSEEDED))
        return metrics


class Crossing(PPO):
    """Pulls all runs together."""

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        metrics = super().update(batch, progress, streams)
        with torch.no_grad():
            for parameter in self.population.parameters.values():
                parameter.copy_(0.5 * parameter + 0.5 * parameter.mean(dim=0))
        return metrics


class Raising(PPO):
    """Cannot learn."""

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("learner", "finding"),
    [
        (Forgetful, "after an interruption it ends with another"),
        (Restless, "the same training ends with another"),
        (Crossing, "from where it lies beside seed 0"),
        (Raising, "raises ZeroDivisionError: division by zero"),
    ],
)
def test_wrong_learners_are_found(learner: type[PPO], finding: str) -> None:
    with pytest.raises(ConformanceError, match=finding):
        check_algorithm(replace(GOOD, learner=learner), hidden_size=16)


def test_names_of_ours_are_not_for_others() -> None:
    for name in ("steer-mine", "mappo-mine", "mine", "My-algorithm"):
        with pytest.raises((ValueError, KeyError), match="expected"):
            baselines.register(replace(GOOD, name=name))
    assert set(SIZES) <= set(baselines.list_algorithms())


def test_presets_come_with_the_row() -> None:
    row = replace(GOOD, presets={"matrix-one-shot": {"hidden_size": 7}, "mine": {"gamma": 0.5}})
    presets = row.all_presets()
    assert presets["mine"] == {"gamma": 0.5} and presets["matrix-one-shot"]["hidden_size"] == 7
    assert (
        presets["matrix-one-shot"]["total_steps"]
        == algorithm_spec("mappo").all_presets()["matrix-one-shot"]["total_steps"]
    )
