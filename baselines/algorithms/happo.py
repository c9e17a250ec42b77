r"""HAPPO: a policy for each agent, updated one after another.

Kuba et al. 2022, "Trust Region Policy Optimisation in Multi-Agent Reinforcement Learning", algorithm 4. It
is MAPPO with separate actors but for the order of updates: in a fresh random order for every run and
rollout, each agent makes all its epochs on advantages multiplied by the probability ratios of the agents
before it. For the agent $i_m$, which comes $m$-th,

$$
M^{i_m} = \prod_{k < m} \frac{\pi^{i_k}_{\mathrm{new}}(a^{i_k} \mid o^{i_k})}
{\pi^{i_k}_{\mathrm{old}}(a^{i_k} \mid o^{i_k})},
$$

$$
L = -M^{i_m} \min\left(\rho A,\ \operatorname{clip}(\rho, 1 - \epsilon, 1 + \epsilon) A\right)
- c_H H(\pi).
$$

The paper has one reward for all; with private rewards each agent uses its own advantages here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.policy_gradient import Targets, masked_mean
from baselines.algorithms.ppo import PPO, clipped_surrogate, clipped_value_error
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.checkpoint import prefixed, under
from baselines.training.gradients import average
from baselines.training.optimizer import ADAM_EPS, Moments, adam_step, clip_per_run
from baselines.training.population import Parameters, map_module
from baselines.training.rollout import Batch, rows_of
from stmg_envs.protocol import Streams


@dataclass(frozen=True)
class HAPPOConfig(PPOConfig):
    """Configuration of HAPPO."""

    hidden_size: Annotated[int, Field(gt=0, description="size of hidden layers")] = 128
    hidden_layers: Annotated[int, Field(gt=0, description="number of hidden layers")] = 2


def build_happo(config: HAPPOConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration: separate actors and a central critic."""
    return MLPPolicy(spec, (config.hidden_size,) * config.hidden_layers, shared=False, central=True)


@dataclass(frozen=True)
class Turn:
    """One agent's part of a rollout, (K, N, 1, ...) where not said otherwise.

    Attributes:
        observations: own observations.
        actions: what it did.
        log_probs: of the actions when they were taken.
        advantages: normalised.
        factor: product of the probability ratios of the agents before it.
        alive: whether it decided.
        mask: legal actions, or None if actions are continuous.
    """

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    factor: Tensor
    alive: Tensor
    mask: Tensor | None

    def take_rows(self, rows: Tensor | None) -> Turn:
        """Samples by indices (K, M); all of them for None."""
        tensors = {name: None if x is None else rows_of(x, rows) for name, x in vars(self).items()}
        return Turn(**tensors)  # type: ignore[arg-type]


class HAPPO(PPO):
    """Sequential updates with the compound factor; the critic comes last."""

    def _start_optimizer(self) -> None:
        template = self.population.template
        assert isinstance(template, MLPPolicy)
        self._modules = {"actor.": template.actor.single(), "critic.": template.critic}
        whole = {name: p.detach() for name, p in self.population.parameters.items()}
        self._parameters = {prefix: under(prefix, whole) for prefix in self._modules}
        self._moments = {prefix: Moments.zeros(part) for prefix, part in self._parameters.items()}
        self._steps = 0

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        targets = self._prepare(batch, progress)
        order = streams.permutation(batch.log_probs.shape[-1])
        factor = torch.ones_like(batch.log_probs[..., :1])
        turns = []
        for agent in order.unbind(dim=1):
            turn = make_turn(batch, targets.advantages, agent, factor)
            ratio, metrics = self._update_actor(turn, agent, targets, streams)
            factor = factor * ratio
            turns.append(metrics)
        critic_metrics = self._update_critic(batch, targets, streams)
        self._steps += self.config.epochs * self.config.minibatches
        return average(turns) | critic_metrics

    def _update_actor(
        self, turn: Turn, agent: Tensor, targets: Targets, streams: Streams
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """All epochs of one agent of each run, (K,), and the ratio of its new to its old probabilities."""
        moments = self._moments["actor."]
        stored = (self._parameters["actor."], moments.first, moments.second)
        parameters, first, second = (of_agent(whole, agent) for whole in stored)

        def loss(leaves: Parameters, rows: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
            part = turn.take_rows(rows)
            log_probs, entropies = self._judge(leaves, part)
            surrogate = clipped_surrogate(log_probs, part.log_probs, part.advantages, self.config.clip)
            policy_loss = -masked_mean(part.factor * surrogate, part.alive)
            entropy = masked_mean(entropies, part.alive)
            metrics = {"policy_loss": policy_loss, "entropy": entropy}
            return policy_loss - targets.entropy_coef * entropy, metrics

        moments = Moments(first, second)
        metrics = self._descend(loss, parameters, moments, targets.learning_rate, turn, streams)
        with torch.no_grad():
            # Nothing has changed this agent since it acted, so its old probabilities are those stored.
            ratio = (self._judge(parameters, turn)[0] - turn.log_probs).exp()
        for whole, part in zip(stored, (parameters, first, second), strict=True):
            put_agent(whole, agent, part)
        return ratio, metrics

    def _update_critic(self, batch: Batch, targets: Targets, streams: Streams) -> dict[str, Tensor]:
        """All epochs of the critic."""

        def loss(leaves: Parameters, rows: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
            part, aim = batch.take_rows(rows), targets.take_rows(rows)
            values = map_module(self._modules["critic."], leaves, part.inputs)
            errors = clipped_value_error(
                values, part.values, aim.values, self.config.clip, self.config.huber_delta
            )
            value_loss = masked_mean(errors, part.alive)
            return self.config.value_coef * value_loss, {"value_loss": value_loss}

        parameters, moments = self._parameters["critic."], self._moments["critic."]
        metrics = self._descend(loss, parameters, moments, targets.learning_rate, batch, streams)
        return {"value_loss": metrics["value_loss"]}

    def _descend(
        self,
        loss: Callable[[Parameters, Tensor | None], tuple[Tensor, dict[str, Tensor]]],
        parameters: Parameters,
        moments: Moments,
        learning_rate: float,
        data: Turn | Batch,
        streams: Streams,
    ) -> dict[str, Tensor]:
        """All epochs of some parameters on a loss of (parameters, rows), in place."""
        steps: list[dict[str, Tensor]] = []
        for _ in range(self.config.epochs):
            for rows in self._minibatches(data.log_probs.shape[1], streams):
                leaves = {name: p.detach().requires_grad_() for name, p in parameters.items()}
                value, metrics = loss(leaves, rows)
                found = torch.autograd.grad(value.sum(), list(leaves.values()))
                gradients = dict(zip(leaves, found, strict=True))
                gradients, norms = clip_per_run(gradients, self.config.max_grad_norm)
                count = self._steps + len(steps) + 1
                adam_step(parameters, gradients, moments, count, learning_rate, ADAM_EPS)
                steps.append({name: x.detach() for name, x in metrics.items()} | {"grad_norm": norms})
        return average(steps)

    def _judge(self, parameters: Parameters, turn: Turn) -> tuple[Tensor, Tensor]:
        """Log-probabilities and entropies of one agent of each run, (K, N, 1)."""
        judged: tuple[Tensor, Tensor] = map_module(
            self._modules["actor."], parameters, turn.observations, turn.actions, turn.mask
        )
        return judged

    def _optimizer_state(self) -> dict[str, Tensor]:
        tensors = {"steps": torch.tensor(self._steps)}
        for prefix, moments in self._moments.items():
            tensors |= prefixed(f"first.{prefix}", moments.first)
            tensors |= prefixed(f"second.{prefix}", moments.second)
        return tensors

    def _load_optimizer(self, tensors: dict[str, Tensor]) -> None:
        self._steps = int(tensors["steps"])
        for prefix, moments in self._moments.items():
            for name in moments.first:
                moments.first[name].copy_(tensors[f"first.{prefix}{name}"])
                moments.second[name].copy_(tensors[f"second.{prefix}{name}"])


def make_turn(batch: Batch, advantages: Tensor, agent: Tensor, factor: Tensor) -> Turn:
    """The part of a rollout that belongs to one agent of each run, (K,)."""
    runs = torch.arange(len(agent), device=agent.device)

    def own(x: Tensor) -> Tensor:
        return x.transpose(1, 2)[runs, agent].unsqueeze(2)

    mask = batch.inputs.get("action_mask")
    return Turn(
        observations=own(batch.inputs["observation"]),
        actions=own(batch.actions),
        log_probs=own(batch.log_probs),
        advantages=own(advantages),
        factor=factor,
        alive=own(batch.alive),
        mask=None if mask is None else own(mask),
    )


def of_agent(parameters: Parameters, agent: Tensor) -> Parameters:
    """Copies of one agent's part, (K, 1, ...), of stacked parameters (K, n, ...)."""
    runs = torch.arange(len(agent), device=agent.device)
    return {name: p[runs, agent].unsqueeze(1) for name, p in parameters.items()}


def put_agent(parameters: Parameters, agent: Tensor, part: Parameters) -> None:
    """Put one agent's part back."""
    runs = torch.arange(len(agent), device=agent.device)
    for name, p in parameters.items():
        p[runs, agent] = part[name].squeeze(1)
