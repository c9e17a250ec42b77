"""Proximal policy optimisation of joint policies, for a population of runs at once.

Schulman et al. 2017; STEER paper, equations 14 and 15. Losses are means over samples and agents of
one run and sums over runs, so that every run gets exactly its own gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from baselines.algorithms.config import PPOConfig
from baselines.networks.value_norm import ValueNormalizer
from baselines.training.population import Parameters, Population
from baselines.training.rollout import Batch
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


def annealed(start: float, end: float, share: float, progress: float) -> float:
    """A coefficient that moves linearly from start to end over a share of training.

    Args:
        start: value at progress 0.
        end: value from progress `share` on.
        share: share of training, in (0, 1].
        progress: share of training done, in [0, 1].
    """
    return end + (start - end) * max(0.0, 1.0 - progress / share)


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
        self.optimizer = torch.optim.Adam(
            list(population.parameters.values()), lr=config.learning_rate, eps=ADAM_EPS, fused=True
        )

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        """All epochs over one rollout.

        Args:
            batch: the rollout.
            progress: share of training done, in [0, 1].
            streams: randomness of this update, K streams.

        Returns:
            Metrics per run, each (K,): means over the epochs.
        """
        self._set_learning_rate(progress)
        self.normalizer.update(batch.returns)
        targets = self.normalizer.normalize(batch.returns)
        advantages = normalize_per_agent(batch.advantages, batch.alive)
        entropy_coef = annealed(
            self.config.entropy_start, self.config.entropy_end, self.config.entropy_anneal, progress
        )
        totals: dict[str, Tensor] = {}
        for _ in range(self.config.epochs):
            for rows in self._minibatches(batch.log_probs.shape[1], streams):
                part = _take(batch, rows)
                metrics = self._step(part, _rows(advantages, rows), _rows(targets, rows), entropy_coef)
                for name, value in metrics.items():
                    totals[name] = totals.get(name, torch.zeros_like(value)) + value
        count = self.config.epochs * self.config.minibatches
        return {name: value / count for name, value in totals.items()}

    def _set_learning_rate(self, progress: float) -> None:
        """Of all runs, for the share of training done."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * (1.0 - self.config.learning_rate_decay * progress)

    def _minibatches(self, rows: int, streams: Streams) -> list[Tensor | None]:
        """Row indices (K, N / minibatches) of each minibatch; None is the whole batch."""
        if self.config.minibatches == 1:
            return [None]
        return list(streams.permutation(rows).chunk(self.config.minibatches, dim=1))

    def _step(
        self, batch: Batch, advantages: Tensor, targets: Tensor, entropy_coef: float
    ) -> dict[str, Tensor]:
        """One gradient step on a minibatch (K, N, ...)."""
        gradients = {name: torch.empty_like(p) for name, p in self.population.parameters.items()}
        metrics: dict[str, list[Tensor]] = {}
        for runs in self.population.chunks(batch.log_probs.shape[1]):
            leaves = self.population.leaves(runs)
            loss, parts = self._loss(
                leaves, _runs(batch, runs), advantages[runs], targets[runs], entropy_coef
            )
            for name, gradient in zip(
                leaves, torch.autograd.grad(loss.sum(), list(leaves.values())), strict=True
            ):
                gradients[name][runs] = gradient
            for name, value in parts.items():
                metrics.setdefault(name, []).append(value.detach())
        norms = self._clip(gradients)
        self.optimizer.step()
        return {**{name: torch.cat(values) for name, values in metrics.items()}, "grad_norm": norms}

    def _loss(
        self, parameters: Parameters, batch: Batch, advantages: Tensor, targets: Tensor, entropy_coef: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Losses of some runs, (k,), and their parts."""
        clip = self.config.clip
        evaluation = self.population.evaluate(batch.inputs, batch.actions, parameters)
        alive = batch.alive
        ratio = (evaluation.log_probs - batch.log_probs).exp()
        surrogate = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
        policy_loss = -masked_mean(surrogate, alive)
        entropy = masked_mean(evaluation.entropies, alive)
        clipped = batch.values + (evaluation.values - batch.values).clamp(-clip, clip)
        delta = self.config.huber_delta
        errors = torch.maximum(huber(targets - evaluation.values, delta), huber(targets - clipped, delta))
        value_loss = masked_mean(errors, alive)
        loss = policy_loss - entropy_coef * entropy + self.config.value_coef * value_loss
        return loss, {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}

    def _clip(self, gradients: Parameters) -> Tensor:
        """Scale each run's gradient to the norm limit, hand it to the optimiser, return norms (K,)."""
        squares = [gradient.flatten(1).square().sum(dim=1) for gradient in gradients.values()]
        norms = torch.stack(squares).sum(dim=0).sqrt()
        scale = (self.config.max_grad_norm / (norms + 1e-6)).clamp(max=1.0)
        for name, p in self.population.parameters.items():
            p.grad = gradients[name] * scale.view(-1, *([1] * (p.dim() - 1)))
        return norms

    def state(self) -> dict[str, Tensor]:
        """Parameters, optimiser moments and value statistics by name."""
        tensors = {f"policy.{name}": p.detach() for name, p in self.population.parameters.items()}
        tensors |= {f"value_norm.{name}": value for name, value in self.normalizer.state().items()}
        for name, p in self.population.parameters.items():
            for key, value in self.optimizer.state.get(p, {}).items():
                tensors[f"optimizer.{key}.{name}"] = torch.as_tensor(value)
        return tensors

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        self.population.load(_under("policy.", tensors))
        self.normalizer.load(_under("value_norm.", tensors))
        moments = _under("optimizer.", tensors)
        keys = {name.split(".", 1)[0] for name in moments}
        for name, p in self.population.parameters.items():
            self.optimizer.state[p] = {key: moments[f"{key}.{name}"].to(p.device) for key in keys}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _rows(x: Tensor, rows: Tensor | None) -> Tensor:
    """Rows (K, M) of x (K, N, ...)."""
    if rows is None:
        return x
    index = rows.view(*rows.shape, *([1] * (x.dim() - 2)))
    return x.gather(1, index.expand(-1, -1, *x.shape[2:]))


def _take(batch: Batch, rows: Tensor | None) -> Batch:
    if rows is None:
        return batch
    tensors = {name: _rows(value, rows) for name, value in vars(batch).items() if name != "inputs"}
    return Batch(inputs={name: _rows(value, rows) for name, value in batch.inputs.items()}, **tensors)


def _runs(batch: Batch, runs: slice) -> Batch:
    tensors = {name: value[runs] for name, value in vars(batch).items() if name != "inputs"}
    return Batch(inputs={name: value[runs] for name, value in batch.inputs.items()}, **tensors)
