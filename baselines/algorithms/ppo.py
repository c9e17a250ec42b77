r"""Proximal policy optimisation of joint policies.

Schulman et al. 2017; STEER paper, equations 14 and 15. With the probability ratio $\rho$ of an agent's
action given what it saw, its own advantage $A$ and the value $V$ of its subgame state, each run
minimises the mean over samples and agents of

$$
L = -\min\left(\rho A,\ \operatorname{clip}(\rho, 1 - \epsilon, 1 + \epsilon) A\right)
+ c_V L_V - c_H H(\pi),
$$

$$
L_V = \max\left(\ell(R - V),\ \ell(R - V_{\mathrm{old}}
- \operatorname{clip}(V - V_{\mathrm{old}}, -\epsilon, \epsilon))\right),
$$

with `clip` for $\epsilon$, `value_coef` for $c_V$, the annealed entropy coefficient for $c_H$, and the
Huber loss $\ell$ that turns linear at `huber_delta`. Advantages are generalised estimates per timestep,
normalised per agent:

$$
A_t = \sum_{k \ge 0} (\gamma \lambda)^k \delta_{t+k}, \qquad
\delta_t = r_t + \gamma V(s_{t+1}) - V(s_t), \qquad R_t = A_t + V(s_t).
$$
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.policy_gradient import PolicyGradient, Targets, masked_mean
from baselines.networks.policy import Evaluation
from baselines.training.gradients import Losses
from baselines.training.population import Parameters
from baselines.training.rollout import Batch


def clipped_surrogate(log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """The objective of each decision, to be maximised, in the arguments' shape."""
    ratio = (log_probs - old_log_probs).exp()
    return torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def clipped_value_error(
    values: Tensor, old_values: Tensor, targets: Tensor, clip: float, delta: float
) -> Tensor:
    """The larger Huber error of the value and of the value held near the old one (equation 15)."""
    near = old_values + (values - old_values).clamp(-clip, clip)
    errors = (huber_loss(x, targets, reduction="none", delta=delta) for x in (values, near))
    return torch.maximum(*errors)


class PPO(PolicyGradient):
    """Clipped probability ratios and values."""

    config: PPOConfig

    def _loss(self, parameters: Parameters, batch: Batch, targets: Targets) -> Losses:
        evaluation = self.population.evaluate(batch.inputs, batch.actions, parameters)
        return self._proximal_loss(evaluation, batch, targets)

    def _proximal_loss(self, evaluation: Evaluation, batch: Batch, targets: Targets) -> Losses:
        """The loss of judged decisions; each part of the judgement has the shape of `batch.log_probs`."""
        surrogate = clipped_surrogate(
            evaluation.log_probs, batch.log_probs, targets.advantages, self.config.clip
        )
        policy_loss = -masked_mean(surrogate, batch.alive)
        entropy = masked_mean(evaluation.entropies, batch.alive)
        value_loss = self._value_loss(evaluation.values, batch, targets)
        loss = policy_loss - targets.entropy_coef * entropy + self.config.value_coef * value_loss
        return loss, {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}

    def _value_loss(self, values: Tensor, batch: Batch, targets: Targets) -> Tensor:
        clip, delta = self.config.clip, self.config.huber_delta
        errors = clipped_value_error(values, batch.values, targets.values, clip, delta)
        return masked_mean(errors, batch.alive)
