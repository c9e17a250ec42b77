"""Proximal policy optimisation of joint policies, for a population of runs at once.

Schulman et al. 2017; STEER paper, equations 14 and 15. Losses are means over samples and agents of
one run and sums over runs, so that every run gets exactly its own gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from baselines.algorithms.config import PPOConfig
from baselines.networks.policy import Evaluation
from baselines.networks.value_norm import ValueNormalizer
from baselines.training.optimizer import clip_per_run
from baselines.training.population import Parameters, Population
from baselines.training.rollout import Batch, rows_of
from stmg_envs.protocol import Streams

ADAM_EPS = 1e-5


def huber(error: Tensor, delta: float) -> Tensor:
    """Quadratic up to delta on both sides, linear beyond."""
    size = error.abs()
    return torch.where(size <= delta, 0.5 * error.square(), delta * (size - 0.5 * delta))


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over samples and agents of each run: (K, N, n) to (K,)."""
    return (x * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp(min=1)


def normalize_per_agent(advantages: Tensor, alive: Tensor) -> Tensor:
    """Advantages with mean 0 and deviation 1 for each run and agent, (K, N, n).

    The authors' code normalises over agents together. Agents of one game have advantages on
    different scales: under Penalty(k=-10000) a leader that still explores would drown the
    follower's signal. So each has its own.
    """
    weight = alive.to(advantages.dtype)
    count = weight.sum(dim=1, keepdim=True).clamp(min=1)
    mean = (advantages * weight).sum(dim=1, keepdim=True) / count
    centred = (advantages - mean) * weight
    deviation = (centred.square().sum(dim=1, keepdim=True) / (count - 1).clamp(min=1)).sqrt()
    return centred / (deviation + 1e-5)


def clipped_surrogate(log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """The objective of each decision, to be maximised, in the arguments' shape."""
    ratio = (log_probs - old_log_probs).exp()
    return torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def clipped_value_error(
    values: Tensor, old_values: Tensor, targets: Tensor, clip: float, delta: float
) -> Tensor:
    """The larger Huber error of the value and of the value held near the old one (equation 15)."""
    near = old_values + (values - old_values).clamp(-clip, clip)
    return torch.maximum(huber(targets - values, delta), huber(targets - near, delta))


def annealed(start: float, end: float, share: float, progress: float) -> float:
    """A coefficient that moves linearly from start to end over a share of training.

    Args:
        start: value at progress 0.
        end: value from progress `share` on.
        share: share of training, in (0, 1].
        progress: share of training done, in [0, 1].
    """
    return end + (start - end) * max(0.0, 1.0 - progress / share)


@dataclass(frozen=True)
class Targets:
    """What an update aims at.

    Attributes:
        advantages: normalised, (K, N, n).
        values: returns in normalised units, (K, N, n).
        entropy_coef: weight of the entropy.
        learning_rate: step size.
    """

    advantages: Tensor
    values: Tensor
    entropy_coef: float
    learning_rate: float

    def take_rows(self, rows: Tensor | None) -> Targets:
        """Of samples, by indices (K, M)."""
        return replace(self, advantages=rows_of(self.advantages, rows), values=rows_of(self.values, rows))

    def take_runs(self, runs: slice) -> Targets:
        """Of some runs."""
        return replace(self, advantages=self.advantages[runs], values=self.values[runs])


class PPO:
    """One Adam over all parameters of a population.

    Args:
        config: the configuration.
        population: K policies.
        normalizer: of values.
    """

    def __init__(self, config: PPOConfig, population: Population, normalizer: ValueNormalizer) -> None:
        self.config = config
        self.population = population
        self.normalizer = normalizer
        self._start_optimizer()

    def _start_optimizer(self) -> None:
        parameters = list(self.population.parameters.values())
        self.optimizer = torch.optim.Adam(parameters, lr=self.config.learning_rate, eps=ADAM_EPS, fused=True)

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        """All epochs over one rollout.

        Args:
            batch: the rollout.
            progress: share of training done, in [0, 1].
            streams: randomness of this update, K streams.

        Returns:
            Metrics per run, each (K,): means over the epochs.
        """
        return self._epochs(batch, self._prepare(batch, progress), streams)

    def _prepare(self, batch: Batch, progress: float) -> Targets:
        """What an update aims at, and its coefficients at this point of training."""
        config = self.config
        self.normalizer.update(batch.returns)
        return Targets(
            advantages=normalize_per_agent(batch.advantages, batch.alive),
            values=self.normalizer.normalize(batch.returns),
            entropy_coef=annealed(config.entropy_start, config.entropy_end, config.entropy_anneal, progress),
            learning_rate=config.learning_rate * (1.0 - config.learning_rate_decay * progress),
        )

    def _epochs(self, batch: Batch, targets: Targets, streams: Streams) -> dict[str, Tensor]:
        for group in self.optimizer.param_groups:
            group["lr"] = targets.learning_rate
        steps = []
        for _ in range(self.config.epochs):
            for rows in self._minibatches(batch.log_probs.shape[1], streams):
                steps.append(self._step(batch.take_rows(rows), targets.take_rows(rows)))
        return average(steps)

    def _minibatches(self, rows: int, streams: Streams) -> list[Tensor | None]:
        """Row indices (K, N / minibatches) of each minibatch; None is the whole batch."""
        if self.config.minibatches == 1:
            return [None]
        length = self.population.template.chunk_length
        parts = streams.permutation(rows // length)
        consecutive = parts[..., None] * length + torch.arange(length, device=parts.device)
        return [part.flatten(1) for part in consecutive.chunk(self.config.minibatches, dim=1)]

    def _step(self, batch: Batch, targets: Targets) -> dict[str, Tensor]:
        """One gradient step on a minibatch (K, N, ...)."""
        gradients = {name: torch.empty_like(p) for name, p in self.population.parameters.items()}
        parts = []
        for runs in self.population.chunks(batch.log_probs.shape[1]):
            leaves = self.population.leaves(runs)
            loss, metrics = self._loss(leaves, batch.take_runs(runs), targets.take_runs(runs))
            found = torch.autograd.grad(
                loss.sum(), list(leaves.values()), allow_unused=True, materialize_grads=True
            )
            for name, gradient in zip(leaves, found, strict=True):
                gradients[name][runs] = gradient
            parts.append({name: value.detach() for name, value in metrics.items()})
        scaled, norms = clip_per_run(gradients, self.config.max_grad_norm)
        for name, p in self.population.parameters.items():
            p.grad = scaled[name]
        self.optimizer.step()
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]} | {"grad_norm": norms}

    def _loss(
        self, parameters: Parameters, batch: Batch, targets: Targets
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Losses of some runs, (k,), and their parts."""
        clip = self.config.clip
        evaluation = self._evaluate(parameters, batch)
        alive = batch.alive
        surrogate = clipped_surrogate(evaluation.log_probs, batch.log_probs, targets.advantages, clip)
        policy_loss = -masked_mean(surrogate, alive)
        entropy = masked_mean(evaluation.entropies, alive)
        errors = clipped_value_error(
            evaluation.values, batch.values, targets.values, clip, self.config.huber_delta
        )
        value_loss = masked_mean(errors, alive)
        loss = policy_loss - targets.entropy_coef * entropy + self.config.value_coef * value_loss
        return loss, {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}

    def _evaluate(self, parameters: Parameters, batch: Batch) -> Evaluation:
        """What the policies say of the batch's decisions, each part of the shape of its `log_probs`."""
        return self.population.evaluate(batch.inputs, batch.actions, parameters)

    def state(self) -> dict[str, Tensor]:
        """Parameters, optimiser moments and value statistics by name."""
        tensors = {f"policy.{name}": p.detach() for name, p in self.population.parameters.items()}
        tensors |= {f"value_norm.{name}": value for name, value in self.normalizer.state().items()}
        return tensors | {f"optimizer.{name}": value for name, value in self._optimizer_state().items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        self.population.load(under("policy.", tensors))
        self.normalizer.load(under("value_norm.", tensors))
        self._load_optimizer(under("optimizer.", tensors))

    def _optimizer_state(self) -> dict[str, Tensor]:
        states = ((name, self.optimizer.state.get(p, {})) for name, p in self.population.parameters.items())
        return {f"{key}.{name}": torch.as_tensor(x) for name, state in states for key, x in state.items()}

    def _load_optimizer(self, tensors: dict[str, Tensor]) -> None:
        keys = {name.split(".", 1)[0] for name in tensors}
        for name, p in self.population.parameters.items():
            self.optimizer.state[p] = {key: tensors[f"{key}.{name}"].to(p.device) for key in keys}


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def average(steps: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Mean of each metric over steps."""
    return {name: torch.stack([step[name] for step in steps]).mean(dim=0) for name in steps[0]}
