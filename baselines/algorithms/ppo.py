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

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.policy_gradient import PolicyGradient, Targets, huber, masked_mean
from baselines.networks.policy import Evaluation
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
    return torch.maximum(huber(targets - values, delta), huber(targets - near, delta))


class PPO(PolicyGradient):
    """Clipped probability ratios and values."""

    config: PPOConfig

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
