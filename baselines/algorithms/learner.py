"""What the training loop asks of a learner and of what collects its experience."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from baselines.algorithms.config import TrainingConfig
from baselines.training.interaction import RewardInteraction
from baselines.training.rollout import Noise
from stmg_envs.protocol import JointVectorEnv, Observations, Streams


class Experience(Protocol):
    """Plays a population in its environments.

    Attributes:
        env: the environments.
        observations: their present observations.
    """

    env: JointVectorEnv
    observations: Observations

    def collect(self, streams: Streams, progress: float) -> tuple[Any, dict[str, Tensor]]:
        """What the learner updates on, and metrics, each (K,).

        Args:
            streams: randomness, K streams.
            progress: share of training done, in [0, 1].
        """

    def quantities(self, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Numbers in what was collected last that must be finite.

        Args:
            batch: what `collect` gave.

        Returns:
            Whose decisions count, bool (K, N, n), and quantities of them by name, each (K, N, n, ...), in the
            order in which each comes from those before it.
        """

    def carried(self) -> dict[str, Tensor]:
        """What goes on from one collection to the next besides the environments."""

    def restore(self, observations: Observations, carried: dict[str, Tensor]) -> None:
        """Go on from observations and from what `carried` gave, unless episodes had to begin anew."""


class Learner(Protocol):
    """Updates a population."""

    def collector(self, env: JointVectorEnv, noise: Noise) -> Experience:
        """What gives `update` its batches."""

    def update(self, batch: Any, progress: float, streams: Streams) -> dict[str, Tensor]:
        """Learn from what was collected.

        Args:
            batch: what the collector gave.
            progress: share of training done, in [0, 1].
            streams: randomness of this update, K streams.

        Returns:
            Metrics per run, each (K,).
        """

    def state(self) -> dict[str, Tensor]:
        """Everything that goes on from update to update, by name; `policy.` before policies' parameters."""

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""


def reward_interaction(config: TrainingConfig, env: JointVectorEnv, runs: int) -> RewardInteraction:
    """What agents make of each other's rewards, as a configuration says.

    Args:
        config: the configuration.
        env: K * B environments.
        runs: K.
    """
    return RewardInteraction(
        config.reward_interaction,
        env,
        runs,
        config.average_step_size,
        differential=config.average_reward,
    )
