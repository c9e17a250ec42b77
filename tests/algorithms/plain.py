"""On-policy learning once more: one run, a loop over rows and agents, torch's own Adam and clipping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from baselines.algorithms.config import OnPolicyConfig, PPOConfig
from baselines.networks.policy import Evaluation, JointPolicy
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams

CLOSE = {"atol": 2e-5, "rtol": 2e-4}
"""Sums in another order; a step of Adam is a thousand times as large."""


def huber(error: Tensor, delta: float) -> Tensor:
    return error**2 / 2 if abs(error.item()) <= delta else delta * (error.abs() - delta / 2)


def clamp(x: Tensor, low: float, high: float) -> Tensor:
    return torch.max(torch.min(x, torch.tensor(high)), torch.tensor(low))


@dataclass
class Statistics:
    """Mean and deviation of one agent's returns, every update weighed explicitly."""

    beta: float
    seen: list[Tensor] = field(default_factory=list)

    def __call__(self, returns: Tensor, alive: Tensor) -> Tensor:
        """Fold in the returns (N,) of the living, and give all in normalised units."""
        self.seen.append(returns[alive].double())
        weights = [self.beta**age for age in reversed(range(len(self.seen)))]
        mean = sum(w * x.mean() for w, x in zip(weights, self.seen, strict=True)) / sum(weights)
        square = sum(w * (x**2).mean() for w, x in zip(weights, self.seen, strict=True)) / sum(weights)
        return ((returns.double() - mean) / max(float(square - mean**2), 1e-2) ** 0.5).float()


@dataclass
class Decisions:
    """What one run's update aims at, (N, n), by row and agent."""

    log_probs: Tensor
    values: Tensor
    alive: Tensor
    advantages: Tensor
    targets: Tensor

    @classmethod
    def of(cls, batch: Batch, run: int, statistics: list[Statistics]) -> Decisions:
        alive = batch.alive[run]
        advantages = torch.zeros_like(batch.advantages[run])
        for agent in range(alive.shape[1]):
            own = batch.advantages[run, alive[:, agent], agent]
            advantages[alive[:, agent], agent] = (own - own.mean()) / (own.std() + 1e-5)
        targets = [
            known(batch.returns[run, :, agent], alive[:, agent]) for agent, known in enumerate(statistics)
        ]
        return cls(batch.log_probs[run], batch.values[run], alive, advantages, torch.stack(targets, dim=1))

    def places(self, rows: Iterable[int], agents: Iterable[int]) -> list[tuple[int, int]]:
        """Where the living decided."""
        agents = list(agents)
        return [(row, agent) for row in rows for agent in agents if self.alive[row, agent]]


def mean(terms: list[Tensor]) -> Tensor:
    return torch.stack(terms).mean()


def surrogate(judged: Evaluation, aim: Decisions, place: tuple[int, int], clip: float) -> Tensor:
    """PPO's objective of one decision."""
    ratio = torch.exp(judged.log_probs[place] - aim.log_probs[place])
    advantage = aim.advantages[place]
    return torch.min(ratio * advantage, clamp(ratio, 1 - clip, 1 + clip) * advantage)


def value_error(
    judged: Evaluation, aim: Decisions, place: tuple[int, int], clip: float, delta: float
) -> Tensor:
    """PPO's value error of one decision."""
    value, old = judged.values[place], aim.values[place]
    near = old + clamp(value - old, -clip, clip)
    return torch.max(huber(aim.targets[place] - value, delta), huber(aim.targets[place] - near, delta))


def adam(parameters: Iterable[Tensor], learning_rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(list(parameters), lr=learning_rate, eps=1e-5)


def step(
    optimizer: torch.optim.Adam, loss: Tensor, terms: dict[str, Tensor], limit: float
) -> dict[str, float]:
    """One step along the clipped gradient; the terms as numbers, and the norm that it had."""
    optimizer.zero_grad()
    loss.backward()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
    optimizer.step()
    return {name: x.item() for name, x in terms.items()} | {"grad_norm": norm.item()}


def minibatches(config: OnPolicyConfig, count: int, streams: Streams) -> Iterator[list[int]]:
    """The rows of every minibatch of every epoch, for one run's stream."""
    for _ in range(config.epochs):
        rows = list(range(count)) if config.minibatches == 1 else streams.permutation(count)[0].tolist()
        size = count // config.minibatches
        for part in range(config.minibatches):
            yield rows[part * size : (part + 1) * size]


def judged_by(policy: JointPolicy, batch: Batch, run: int) -> Evaluation:
    """What a policy says of one run's decisions, each (N, n)."""
    return policy.evaluate({name: x[run] for name, x in batch.inputs.items()}, batch.actions[run])


def ppo_terms(
    judged: Evaluation, aim: Decisions, places: list[tuple[int, int]], config: PPOConfig
) -> dict[str, Tensor]:
    clip, delta = config.clip, config.huber_delta
    return {
        "policy_loss": -mean([surrogate(judged, aim, place, clip) for place in places]),
        "value_loss": mean([value_error(judged, aim, place, clip, delta) for place in places]),
        "entropy": mean([judged.entropies[place] for place in places]),
    }


def assert_means(metrics: dict[str, Tensor], run: int, found: list[dict[str, float]]) -> None:
    """The metrics of a run are the means of what was found in its steps, and no others."""
    means = {name: sum(step[name] for step in found) / len(found) for name in found[0]}
    assert {name: x[run].item() for name, x in metrics.items()} == pytest.approx(means, rel=1e-3, abs=1e-5)
