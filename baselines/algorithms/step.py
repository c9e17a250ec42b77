r"""STEP: agents updated one after another in priority order, each by PPO on its own reward.

A hypernetwork generates each rank's policy and value from a condition: the agent, its rank and the
superiors' actions.

$$
c_i = g(h^i, i, a^{1:i-1}), \qquad \theta_i = f(c_i), \qquad
\pi^i(a^i \mid s;\ \theta_i), \quad V^i(s;\ \theta_i).
$$

See `baselines.networks.step` for the network and for what is our reconstruction. There is no compound
factor as in HAPPO: it is valid for a shared reward only. The authors name sequential updates as the cost of
their method: training time grows with the number of agents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from baselines.algorithms.config import PPOConfig
from baselines.algorithms.policy_gradient import DECISION, Targets, one_agent
from baselines.algorithms.ppo import PPO
from baselines.networks.policy import Evaluation, Inputs, JointPolicy, PolicySpec
from baselines.networks.step import StepNetwork
from baselines.training.gradients import Losses, average
from baselines.training.population import Parameters, PolicyFunction, Population
from baselines.training.rollout import Batch
from stmg_envs.protocol import Streams


@dataclass(frozen=True)
class StepConfig(PPOConfig):
    """Configuration of STEP."""

    condition_dim: Annotated[int, Field(gt=0, description="size of the conditions' embedding")] = 64
    hidden_size: Annotated[int, Field(gt=0, description="hidden size of the generated networks")] = 32


def build_step(config: StepConfig, spec: PolicySpec) -> JointPolicy:
    """The network of a configuration."""
    return StepNetwork(spec, config.condition_dim, config.hidden_size)


def judge_rank(rank: int, policy: StepNetwork, inputs: Inputs, actions: Tensor) -> tuple[Tensor, ...]:
    """The judgement of one rank's decisions."""
    return tuple(policy.evaluate_rank(inputs, actions, rank))


class SequentialPPO(PPO):
    """All epochs for the first rank, then all for the second, and so on."""

    def __init__(self, config: StepConfig, population: Population, n: int) -> None:
        super().__init__(config, population, n)
        self._rank_losses = [partial(self._rank_loss, rank) for rank in range(n)]

    def update(self, batch: Batch, progress: float, streams: Streams) -> dict[str, Tensor]:
        targets = self._prepare(batch, progress)
        turns = []
        for rank, loss in enumerate(self._rank_losses):
            agent = batch.inputs["priority"][..., rank : rank + 1]
            own = partial(one_agent, agent=agent)
            columns: dict[str, Any] = {name: own(getattr(batch, name)) for name in DECISION}
            part = replace(batch, **columns)
            turns.append(self._descend(self.optimizers[""], loss, part, targets.map(own), streams))
        return average(turns)

    def _rank_loss(self, rank: int, parameters: Parameters, batch: Batch, targets: Targets) -> Losses:
        policy = self.population.template
        assert isinstance(policy, StepNetwork)
        judge = PolicyFunction(policy, partial(judge_rank, rank))
        judged = Evaluation(*judge.map(parameters, batch.inputs, batch.actions))
        return self._proximal_loss(judged, batch, targets)
