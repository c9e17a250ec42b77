"""Batches of PettingZoo parallel environments as tensors, and the one that is stepped in this process."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from torch import Tensor

from stmg_envs.arguments import require_count, require_table
from stmg_envs.errors import EngineError, InvalidActionError, InvalidArgumentError
from stmg_envs.protocol.episodes import Seed, seed_tensor
from stmg_envs.protocol.parallel_block import LOST, Metrics, ParallelBlock
from stmg_envs.protocol.parallel_spaces import ParallelSpaces
from stmg_envs.protocol.priority import priority_indices
from stmg_envs.protocol.randomness import Streams
from stmg_envs.protocol.resources import check_batch, check_device
from stmg_envs.protocol.tables import FINAL, Layout, Tables, local_tables, table_layout
from stmg_envs.protocol.vector import JointVectorEnv, Observations

ENGINE_SEEDS = 2**31
"""Engines take seeds below this."""

MAX_LOSSES = 20
"""An environment that is lost so often before one of its episodes ends is given up."""

Make: TypeAlias = Callable[[], ParallelEnv[str, Any, Any]]
"""Makes one environment."""

Command = Literal["reset", "step"]
"""What blocks of environments are told to do: a method of `ParallelBlock`."""


class EngineVectorEnv(JointVectorEnv):
    """B parallel environments of anybody's as tensors, wherever they run.

    Every episode is seeded from its own stream, so that environment b does not depend on the batch around
    it. An episode is over when no agent is left: truncated if one of the last agents was, else terminated.
    Agents that have left see zeros and get nothing. Priority, neighbour graphs and metrics are those of the
    environments if they are `PriorityParallelEnv`s; others have the order of their agents, full graphs, none.

    `step` is `send` and then `receive`; in between, the caller may do something else while the environments
    step, if they run elsewhere.

    Args:
        spaces: agents and spaces.
        num_envs: B.
        device: where the tensors go; the environments run on the CPU.
    """

    keeps_episodes = False
    # In this process none are lost, but what learners write has the same form wherever environments run.
    loses_episodes = True
    game: ParallelSpaces
    tables: Tables
    """What the environments read and write, set by subclasses."""

    def __init__(self, spaces: ParallelSpaces, num_envs: int, device: torch.device | str) -> None:
        self.game = spaces
        self.device = check_device(device)
        self.num_envs = num_envs = check_batch(spaces, num_envs, self.device)
        self._priority = priority_indices(spaces.agents, spaces.default_priority, num_envs, self.device)
        self._streams: Streams | None = None
        self._episode = torch.zeros(num_envs, dtype=torch.int64)
        self._under_way = False
        self._observations: Observations = {}
        self._losses_in_a_row = np.zeros(num_envs, np.int64)

    @property
    def layout(self) -> Layout:
        """What the tables are like."""
        return table_layout(self.game, self.num_envs)

    @abstractmethod
    def _start(self, command: Command) -> None:
        """Have all environments begin something."""

    @abstractmethod
    def _finish(self) -> tuple[list[Metrics], NDArray[np.bool_]]:
        """Wait until it is done; the metrics of each environment, and whose episodes were lost, bool (B,).

        Where an episode was lost, the next one has begun.
        """

    @abstractmethod
    def _abandon(self) -> None:
        """Give up what the environments were told to do, so that they can be told to begin episodes."""

    @property
    def priority(self) -> Tensor:
        return self._priority

    @priority.setter
    def priority(self, priority: object) -> None:
        self._priority = priority_indices(self.agents, priority, self.num_envs, self.device)

    @property
    def episode_streams(self) -> Streams:
        return Streams(self._started().fold(-1, self._episode).keys.to(self.device))

    def neighbors(self) -> Tensor:
        self._started()
        return torch.as_tensor(self.tables["neighbors"].copy(), device=self.device)

    def reset(
        self, seed: Seed = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Start all episodes; a step that is under way is forgotten."""
        if "priority" in (given := require_table("options", options)):
            self.priority = given["priority"]
        if self._under_way:
            self._abandon()
            self._under_way = False
        if seed is not None or self._streams is None:
            self._streams = Streams.from_seeds(seed_tensor(seed, self.num_envs).cpu())
            self._episode = torch.zeros_like(self._episode)
        else:
            self._episode = self._episode + 1
        self._write_seeds(self._streams, self._episode)
        self._tell("reset")
        self._wait()
        self._write_seeds(self._streams, self._episode + 1)
        self._observations = self._read()
        return self._observations, {}

    def step(self, actions: Tensor) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        self.send(actions)
        return self.receive()

    def send(self, actions: Tensor) -> None:
        """Have all environments take a joint step; `receive` says what came of it.

        Args:
            actions: LongTensor (B, n) or float (B, n, action_dim).

        Raises:
            InvalidArgumentError: before the first reset, or while a step is under way.
            InvalidActionError: for actions of another shape or kind.
        """
        self._started()
        table = self.tables["actions"]
        if actions.shape != table.shape or (self.game.discrete and actions.is_floating_point()):
            raise InvalidActionError(
                f"actions have shape {tuple(actions.shape)} and dtype {actions.dtype}; expected "
                f"{'integers' if self.game.discrete else 'floats'} of shape {table.shape}"
            )
        table[:] = actions.cpu().numpy()
        self._tell("step")

    def receive(self) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        """What came of the actions that were sent, as `step` gives it.

        Raises:
            InvalidArgumentError: if none were sent.
            Exception: whatever an environment raised, with its index in the message.
        """
        if not self._under_way:
            raise InvalidArgumentError("no step is under way; call send(actions) first")
        metrics, lost = self._wait()
        ended = self.tables["terminated"] | self.tables["truncated"]
        somebody_ended = np.any(self.tables["terminations"] | self.tables["truncations"], axis=1)
        rewards, terminated, truncated, terminations, truncations = (
            torch.as_tensor(self.tables[name].copy(), device=self.device)
            for name in ("rewards", "terminated", "truncated", "terminations", "truncations")
        )
        final = self._observations = self._read()
        if np.any(somebody_ended):
            final = self._read(np.asarray(somebody_ended))
        if ended.any():
            self._episode[ended] += 1
            self._write_seeds(self._started(), self._episode + 1)
        info = {
            "final": final,
            "terminations": terminations,
            "truncations": truncations,
            "metrics": self._stack(metrics, lost),
            "lost": torch.as_tensor(lost, device=self.device),
        }
        return self._observations, rewards, terminated, truncated, info

    def snapshot(self) -> dict[str, Tensor]:
        return {"keys": self._started().keys, "episode": self._episode, "priority": self._priority}

    def restore(self, snapshot: dict[str, Tensor]) -> Observations:
        self._streams, self._episode = Streams(snapshot["keys"].cpu()), snapshot["episode"].cpu()
        self.priority = snapshot["priority"]
        return self.reset()[0]

    def _started(self) -> Streams:
        """The streams of the episodes, between steps."""
        if self._streams is None:
            raise InvalidArgumentError("the environment has not been started; call reset() first")
        if self._under_way:
            raise InvalidArgumentError("a step is under way; call receive() first")
        return self._streams

    def _tell(self, command: Command) -> None:
        # Before it is: an interrupt may come at any time.
        self._under_way = True
        self._start(command)

    def _wait(self) -> tuple[list[Metrics], NDArray[np.bool_]]:
        """What `_finish` gives; an interrupt leaves the command under way, an error does not."""
        try:
            metrics, lost = self._finish()
        except Exception:
            self._under_way = False
            raise
        self._under_way = False
        return metrics, lost | self._lost_by_engines(metrics)

    def _lost_by_engines(self, metrics: list[Metrics]) -> NDArray[np.bool_]:
        """Whose episodes engines have lost while the process that runs them went on, bool (B,).

        Raises:
            EngineError: if one does so again and again.
        """
        lost = np.array([bool(told.pop(LOST, 0.0)) for told in metrics])
        ended = self.tables["terminated"] | self.tables["truncated"]
        self._losses_in_a_row[ended & ~lost] = 0
        self._losses_in_a_row[lost] += 1
        if self._losses_in_a_row.max() >= MAX_LOSSES:
            index = int(self._losses_in_a_row.argmax())
            raise EngineError(
                f"the engine of environment {index} has lost {MAX_LOSSES} episodes one after another; "
                "expected some that end; see what it writes, and whether it has memory enough"
            )
        return lost

    def _write_seeds(self, streams: Streams, episode: Tensor) -> None:
        self.tables["seeds"][:] = (streams.fold(episode).keys % ENGINE_SEEDS).numpy()

    def _read(self, ended: NDArray[np.bool_] | None = None) -> Observations:
        """The present observations, or the final ones of environments where somebody ended, bool (B,)."""
        seen = {name: table.copy() for name, table in self.tables.items() if FINAL + name in self.tables}
        if ended is not None:
            for name, table in seen.items():
                table[ended] = self.tables[FINAL + name][ended]
        return {name: torch.as_tensor(table, device=self.device) for name, table in seen.items()}

    def _stack(self, metrics: list[Metrics], lost: NDArray[np.bool_]) -> dict[str, Tensor]:
        """Metrics that all environments have, float32 (B,) each, NaN where the episode was lost."""
        known = [found for found, gone in zip(metrics, lost.tolist(), strict=True) if not gone]
        names = [name for name in known[0] if all(name in found for found in known)] if known else []
        return {
            name: torch.tensor(
                [found.get(name, np.nan) for found in metrics], dtype=torch.float32, device=self.device
            )
            for name in names
        }


class ParallelVectorEnv(EngineVectorEnv):
    """B parallel environments of anybody's as tensors, stepped one after another in this process.

    Args:
        make: makes one environment.
        num_envs: B.
        device: where the tensors go; the environments run on the CPU.

    Raises:
        InvalidArgumentError: if the spaces are not supported, or for a batch of none.
    """

    def __init__(self, make: Make, num_envs: int, device: torch.device | str = "cpu") -> None:
        require_count("num_envs", num_envs, 1)
        self.envs = [make() for _ in range(num_envs)]
        super().__init__(ParallelSpaces(self.envs[0]), num_envs, device)
        self.tables = local_tables(self.layout)
        self._block = ParallelBlock(self.envs, self.game, self.tables)
        self._command: Command = "reset"

    def close(self) -> None:
        self._block.close()

    def _start(self, command: Command) -> None:
        self._command = command

    def _abandon(self) -> None:
        """Nothing has begun before somebody waits for it."""

    def _finish(self) -> tuple[list[Metrics], NDArray[np.bool_]]:
        return getattr(self._block, self._command)(), np.zeros(self.num_envs, bool)
