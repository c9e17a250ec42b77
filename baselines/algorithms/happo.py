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

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.policy_gradient import DECISION, Targets, masked_mean, one_agent
from baselines.algorithms.ppo import PPO, clipped_surrogate
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.checkpoint import under
from baselines.training.gradients import Losses, average
from baselines.training.optimizer import Adam, Optimizer
from baselines.training.population import Parameters, map_module
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams, nested

SEEN = ("observation", "action_mask")
"""Inputs of an actor; there is no mask if actions are continuous."""


@dataclass(frozen=True)
class HAPPOConfig(PPOConfig):
    """Configuration of HAPPO."""

    hidden_size: Annotated[int, Field(gt=0, description="size of hidden layers")] = 128
    hidden_layers: Annotated[int, Field(gt=0, description="number of hidden layers")] = 2


def build_happo(config: HAPPOConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration: separate actors and a central critic."""
    return MLPPolicy(spec, (config.hidden_size,) * config.hidden_layers, shared=False, central=True)


@nested
@dataclass(frozen=True)
class TurnTargets(Targets):
    """What an agent's turn aims at.

    Attributes:
        factor: product of the probability ratios of the agents before it, (K, N, 1).
    """

    factor: Tensor


class HAPPO(PPO):
    """Sequential updates with the compound factor; the critic comes last."""

    def _start_optimizers(self) -> dict[str, Optimizer]:
        template = self.population.template
        assert isinstance(template, MLPPolicy)
        self._actor, self._critic = template.actor.single(), template.critic
        whole, rate = self.population.parameters, self.config.learning_rate
        self._actors = Adam.start(under("actor.", whole), rate)
        self._critics = Adam.start(under("critic.", whole), rate)
        return {"actor.": self._actors, "critic.": self._critics}

    def _together(self, rows: int) -> int:
        # A turn is one agent's part of a rollout: small enough for all runs at once.
        return self.population.size

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        targets = self._prepare(batch, progress)
        order = streams.permutation(batch.log_probs.shape[-1])
        factor = torch.ones_like(batch.log_probs[..., :1])
        actors, turns = self._actors.split(order), []
        for agent, actor in zip(order.unbind(dim=1), actors, strict=True):
            own = partial(one_agent, agent=agent[:, None, None].expand_as(factor))
            inputs = {name: own(batch.inputs[name]) for name in SEEN if name in batch.inputs}
            columns = {name: own(getattr(batch, name)) for name in ("actions", *DECISION)}
            part = Batch(inputs=inputs, **columns)
            aim = TurnTargets(**vars(targets.map(own)), factor=factor)
            turns.append(self._descend(actor, self._actor_loss, part, aim, streams))
            with torch.no_grad():
                # Nothing has changed this agent since it acted, so its old probabilities are those stored.
                ratio = (self._judge(actor.parameters, part)[0] - part.log_probs).exp()
                # What the dead are given to do is no part of the joint decision.
                factor = torch.where(part.alive, factor * ratio, factor)
        self._actors.join(order, actors)
        critics = self._descend(self._critics, self._critic_loss, batch, targets, streams)
        return average(turns) | {"value_loss": critics["value_loss"]}

    def _actor_loss(self, parameters: Parameters, batch: Batch, targets: TurnTargets) -> Losses:
        log_probs, entropies = self._judge(parameters, batch)
        surrogate = clipped_surrogate(log_probs, batch.log_probs, targets.advantages, self.config.clip)
        policy_loss = -masked_mean(targets.factor * surrogate, batch.alive)
        entropy = masked_mean(entropies, batch.alive)
        metrics = {"policy_loss": policy_loss, "entropy": entropy}
        return policy_loss - targets.entropy_coef * entropy, metrics

    def _critic_loss(self, parameters: Parameters, batch: Batch, targets: Targets) -> Losses:
        values = map_module(self._critic, parameters, batch.inputs)
        value_loss = self._value_loss(values, batch, targets)
        return self.config.value_coef * value_loss, {"value_loss": value_loss}

    def _judge(self, parameters: Parameters, batch: Batch) -> tuple[Tensor, Tensor]:
        """Log-probabilities and entropies of one agent of each run, (K, N, 1)."""
        observations, mask = (batch.inputs.get(name) for name in SEEN)
        judged: tuple[Tensor, Tensor] = map_module(self._actor, parameters, observations, batch.actions, mask)
        return judged
