r"""A2C: advantage actor-critic on rollouts, of rewards above the average reward or of discounted ones.

Mnih et al. 2016 for the algorithm; the DRI paper, algorithm 1, for average rewards. Each agent minimises

$$
L = -A \log \pi(a \mid o) + c_V\, \ell(R - V(o)) - c_H H(\pi), \qquad
\delta = r - \bar\mu + V(o') - V(o),
$$

with the running average reward $\bar\mu$ and the advantages $A$ that sum up the errors $\delta$;
without `average_reward` $\delta = r + \gamma V(o') - V(o)$. Agents share nothing, as in that paper's matrix
and particle tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch.nn.functional import huber_loss

from baselines.algorithms.config import OnPolicyConfig
from baselines.algorithms.policy_gradient import PolicyGradient, Targets, masked_mean
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.gradients import Losses
from baselines.training.population import Parameters
from baselines.training.rollout import Batch


@dataclass(frozen=True)
class A2CConfig(OnPolicyConfig):
    """Configuration of A2C."""

    num_envs: Annotated[int, Field(gt=0, description="parallel environments per run")] = 8
    rollout_steps: Annotated[int, Field(gt=0, description="steps of each environment per update")] = 5
    epochs: Annotated[int, Field(gt=0, description="passes over a rollout per update")] = 1
    learning_rate: Annotated[float, Field(gt=0, description="Adam's step size at the start")] = 1e-3
    value_coef: Annotated[float, Field(ge=0, description="weight of the value loss")] = 0.5
    average_reward: Annotated[
        bool, Field(description="learn rewards above the average reward, as DRI's paper does")
    ] = True
    hidden_size: Annotated[int, Field(gt=0, description="size of hidden layers")] = 64
    hidden_layers: Annotated[int, Field(gt=0, description="number of hidden layers")] = 2
    central_critic: Annotated[bool, Field(description="the critic sees the whole state")] = False


def build_a2c(config: A2CConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration: separate actors, separate or central critics."""
    return MLPPolicy(spec, (config.hidden_size,) * config.hidden_layers, False, config.central_critic)


class A2C(PolicyGradient):
    """Plain policy gradient of the advantages, with a critic."""

    def _loss(self, parameters: Parameters, batch: Batch, targets: Targets) -> Losses:
        evaluation = self.population.evaluate(batch.inputs, batch.actions, parameters)
        policy_loss = -masked_mean(evaluation.log_probs * targets.advantages, batch.alive)
        entropy = masked_mean(evaluation.entropies, batch.alive)
        errors = huber_loss(
            evaluation.values, targets.values, reduction="none", delta=self.config.huber_delta
        )
        value_loss = masked_mean(errors, batch.alive)
        loss = policy_loss - targets.entropy_coef * entropy + self.config.value_coef * value_loss
        return loss, {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
