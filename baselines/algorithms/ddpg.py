r"""DDPG: deterministic policy gradients of every agent, with own critics or MADDPG's central ones.

Lillicrap et al. 2016; Lowe et al. 2017 for central critics and discrete actions. With target networks,
marked by a minus, and the Huber loss $\ell$, each agent minimises

$$
L = \ell\left(y - Q(o, a)\right) - Q(o, \mu(o)) + c\, \overline{z(o)^2}, \qquad
y = r - \bar\mu + Q^-(o', \mu^-(o')),
$$

the second and third terms by its actor alone, with `logit_penalty` for $c$ and the actor's outputs $z$ before
they become probabilities, or actions in [-1, 1]; for rewards above the average reward $\bar\mu$; without
`average_reward` $y = r + \gamma Q^-(o', \mu^-(o'))$.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import huber_loss

from baselines.algorithms.off_policy import OffPolicy, OffPolicyConfig
from baselines.algorithms.policy_gradient import masked_mean
from baselines.networks.deterministic import DeterministicPolicy
from baselines.networks.policy import Inputs, JointPolicy, PolicySpec
from baselines.training.population import Parameters, PolicyFunction
from baselines.training.replay import Rows, inputs_of
from stmg_envs.protocol import Streams

HUBER_DELTA = 1.0


@dataclass(frozen=True)
class DDPGConfig(OffPolicyConfig):
    """Configuration of DDPG."""

    exploration_start: Annotated[
        float,
        Field(ge=0, description="deviation of noise, or chance of random actions, at the start"),
    ] = 0.5
    target_rate: Annotated[
        float, Field(gt=0, le=1, description="share of the way the target networks go per gradient step")
    ] = 0.005
    logit_penalty: Annotated[
        float,
        Field(ge=0, description="weight of the actors' squared raw outputs, which keeps them from the edge"),
    ] = 1e-3


def build_ddpg(config: DDPGConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    return DeterministicPolicy(spec, (config.hidden_size,) * config.hidden_layers, config.central_critic)


def values_of_taken(policy: DeterministicPolicy, inputs: Inputs, actions: Tensor) -> Tensor:
    """Values of taken actions."""
    return policy(inputs, policy.encode(actions))


def values_of_intended(policy: DeterministicPolicy, inputs: Inputs, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Values of intended actions, and the actors' raw outputs."""
    return policy.intended(inputs, noise), policy.actor(inputs["observation"])


class DDPG(OffPolicy):
    """Critics learn the values of what was done; actors climb them."""

    config: DDPGConfig
    metrics = ("value_loss", "policy_loss")

    def __init__(self, config: DDPGConfig, *arguments: Any) -> None:
        super().__init__(config, *arguments)
        policy = self.population.template
        assert isinstance(policy, DeterministicPolicy)
        self.policy = policy
        self._taken = PolicyFunction(policy, values_of_taken)
        self._intended = PolicyFunction(policy, values_of_intended)

    def _noise(self, rows: Rows, streams: Streams) -> Rows:
        if not self.policy.spec.discrete:
            nothing = torch.zeros((), device=self.population.device)
            shape = (*rows["rewards"].shape, self.policy.spec.action_width)
            return {"noise": nothing.expand(shape), "next.noise": nothing.expand(shape)}
        shape = (rows["rewards"].shape[1], self.policy.spec.n, self.policy.spec.action_width)
        return {"noise": streams.gumbel(*shape), "next.noise": streams.gumbel(*shape)}

    def _loss(
        self, parameters: Parameters, targets: Parameters, rows: Rows
    ) -> tuple[Tensor, dict[str, Tensor]]:
        inputs, following = inputs_of(rows), inputs_of(rows, "next.")
        alive = rows["alive"]

        with torch.no_grad():
            next_values, _ = self._intended.map(targets, following, rows["next.noise"])
            goes_on = rows["next.alive"] & ~rows["terminated"]
            aim = rows["rewards"] + self.gamma * torch.where(goes_on, next_values, 0.0)
        taken = self._taken.map(parameters, inputs, rows["actions"])
        value_loss = masked_mean(huber_loss(taken, aim, reduction="none", delta=HUBER_DELTA), alive)
        # Actors see the critics as they are; only critics learn from the error above.
        fixed = {name: p.detach() if name.startswith("critic.") else p for name, p in parameters.items()}
        intended, raw = self._intended.map(fixed, inputs, rows["noise"])
        policy_loss = -masked_mean(intended, alive)
        penalty = masked_mean(raw.square().mean(dim=-1), alive)
        loss = value_loss + policy_loss + self.config.logit_penalty * penalty
        return loss, {"value_loss": value_loss, "policy_loss": policy_loss}
