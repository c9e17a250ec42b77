"""Replay: past timesteps of every run in tensors on the device, and what fills them."""

from __future__ import annotations

import torch
from torch import Tensor

from baselines.errors import ConfigError
from baselines.networks.policy import Inputs
from baselines.training.checkpoint import prefixed, under
from baselines.training.episode_returns import EpisodeReturns
from baselines.training.interaction import RewardInteraction
from baselines.training.optimizer import annealed
from baselines.training.population import Population, policy_inputs
from baselines.training.rollout import Noise, rows_of
from baselines.training.successors import successor_inputs
from stmg_envs.protocol import JointVectorEnv, Observations, Streams

Rows = dict[str, Tensor]
"""Timesteps by name, each (K, N, ...): inputs as they are, those of the next step as `next.<name>`,
`actions`, original `rewards` and `terminated`, both (K, N, n), and `neighbors` (K, N, n, n) where rewards
are exchanged."""


class ReplayBuffer:
    """The last timesteps of K runs; it takes no more memory than what it holds needs, or twice that.

    Args:
        capacity: timesteps per run.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.added = 0
        self.rows: Rows = {}

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, rows: Rows) -> None:
        """Put in timesteps (K, N, ...), over the oldest where it is full.

        Raises:
            ConfigError: if there is no memory for so many.
        """
        count = next(iter(rows.values())).shape[1]
        self._make_room(rows, min(self.added + count, self.capacity))
        device = next(iter(rows.values())).device
        places = torch.arange(self.added, self.added + count, device=device) % self.capacity
        for name, x in rows.items():
            self.rows[name][:, places] = x
        self.added += count

    def _make_room(self, rows: Rows, needed: int) -> None:
        """Have places for so many timesteps; rows (K, N, ...) are like those to come."""
        there = next(iter(self.rows.values())).shape[1] if self.rows else 0
        if needed <= there:
            return
        size = min(max(needed, 2 * there), self.capacity)
        try:
            for name, x in rows.items():
                wider = torch.zeros(x.shape[0], size, *x.shape[2:], dtype=x.dtype, device=x.device)
                if there:
                    wider[:, :there] = self.rows[name]
                self.rows[name] = wider
        # What torch raises where memory cannot be had has no class of its own on the CPU.
        except (MemoryError, RuntimeError) as error:
            total = sum(x[:, :1].numel() * x.element_size() for x in rows.values()) * self.capacity
            raise ConfigError(
                f"buffer_size={self.capacity} takes {total / 1e9:.1f} GB, and memory has ended at {size} "
                f"timesteps ({str(error).splitlines()[0]:.100}); give a smaller one (--buffer-size)"
            ) from None

    def last(self, count: int) -> Rows:
        """The timesteps that were put in last, (K, count, ...); fewer if there are fewer."""
        device = next(iter(self.rows.values())).device
        places = torch.arange(self.added - min(count, len(self)), self.added, device=device) % self.capacity
        return {name: x[:, places] for name, x in self.rows.items()}

    def sample(self, count: int, streams: Streams) -> Rows:
        """Timesteps drawn with equal chance and put back, (K, count, ...)."""
        chosen = (streams.uniform(count, dtype=torch.float64) * len(self)).long().clamp(max=len(self) - 1)
        return {name: rows_of(x, chosen) for name, x in self.rows.items()}


def inputs_of(rows: Rows, prefix: str = "") -> Inputs:
    """The policy inputs among rows: of the timesteps, or with the prefix "next." of those that follow."""
    names = ("observation", "state", "action_mask", "priority", "alive")
    return {name: rows[f"{prefix}{name}"] for name in names if f"{prefix}{name}" in rows}


class ReplayCollector:
    """Plays the population with its exploration and keeps what happened.

    Args:
        env: K * B environments, those of run k at k * B, ..., (k + 1) * B - 1.
        population: K policies, which read how much to explore from the input `exploration`, (B,).
        noise: makes the decisions' noise.
        interaction: makes of rewards what agents learn from.
        rollout_steps: T, timesteps between updates.
        capacity: timesteps kept per run.
        exploration: how much to explore at the start, at the end, and the share of training in between.
    """

    def __init__(
        self,
        env: JointVectorEnv,
        population: Population,
        noise: Noise,
        interaction: RewardInteraction,
        rollout_steps: int,
        capacity: int,
        exploration: tuple[float, float, float],
    ) -> None:
        self.env = env
        self.population = population
        self.noise = noise
        self.interaction = interaction
        self.rollout_steps = rollout_steps
        self.exploration = exploration
        self.buffer = ReplayBuffer(capacity)
        self.observations: Observations = {}
        self.returns = EpisodeReturns(env, population.size)
        self.none_lost = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)

    def quantities(self, batch: ReplayBuffer) -> tuple[Tensor, dict[str, Tensor]]:
        """Whose decisions count of those that were put in last, and numbers of them that must be finite."""
        rows = batch.last(self.rollout_steps * self.env.num_envs // self.population.size)
        return rows["alive"], {"observation": rows["observation"], "reward": rows["rewards"]}

    def carried(self) -> dict[str, Tensor]:
        """What goes on from one collection to the next besides the environments."""
        return prefixed("buffer.", self.buffer.rows) | {
            "added": torch.tensor(self.buffer.added),
            "averages": self.interaction.averages,
            "returns": self.returns.partial,
        }

    def restore(self, observations: Observations, carried: dict[str, Tensor]) -> None:
        """Go on from observations and from what `carried` gave, unless episodes had to begin anew."""
        device = self.env.device
        self.observations = observations
        self.interaction.averages = carried["averages"].to(device)
        self.buffer.added = int(carried["added"])
        self.buffer.rows = {name: x.to(device) for name, x in under("buffer.", carried).items()}
        if self.env.keeps_episodes:
            self.returns.partial = carried["returns"].to(device)

    def collect(self, streams: Streams, progress: float) -> tuple[ReplayBuffer, dict[str, Tensor]]:
        """T timesteps into the buffer.

        Args:
            streams: randomness, K streams.
            progress: share of training done, in [0, 1].

        Returns:
            The buffer, and metrics per run as `Collector.collect` gives them, with `exploration`.
        """
        runs = self.population.size
        batch = self.env.num_envs // runs
        noise = self.noise(streams, self.rollout_steps, batch)
        amount = annealed(*self.exploration, progress)
        exploration = torch.full((runs, batch), amount, device=self.env.device)
        conflicts = torch.zeros(runs, device=self.env.device)
        for t in range(self.rollout_steps):
            inputs = policy_inputs(self.observations, self.env.priority, runs)
            decision = self.population.act(inputs | {"exploration": exploration}, noise[:, t])
            neighbors = self.env.neighbors() if self.interaction.exchanges else None
            self.observations, rewards, terminated, truncated, info = self.env.step(
                decision.actions.flatten(0, 1)
            )
            lost = info.get("lost", self.none_lost)
            self.returns.add(rewards, terminated | truncated, lost)
            self.interaction(rewards, neighbors, lost, inputs["alive"].flatten(0, 1))
            conflicts += self.interaction.conflict_rate
            final = successor_inputs(self.env.game, info)
            following = policy_inputs(final, inputs["priority"].flatten(0, 1), runs)
            rows = {
                **inputs,
                **prefixed("next.", following),
                "actions": decision.actions,
                "rewards": rewards.view(runs, batch, -1),
                "terminated": info["terminations"].view(runs, batch, -1),
            }
            if neighbors is not None:
                rows["neighbors"] = neighbors.view(runs, batch, *neighbors.shape[1:])
            if self.env.loses_episodes:
                # All runs put in equally many: a step that one run lost is left out of all.
                known = ~lost.view(runs, batch).any(dim=0)
                rows = {name: x[:, known] for name, x in rows.items()}
            self.buffer.add(rows)
        metrics = self.returns.take() | {"exploration": exploration[:, 0]}
        if self.interaction.exchanges:
            metrics["conflict_rate"] = conflicts / self.rollout_steps
        return self.buffer, metrics
