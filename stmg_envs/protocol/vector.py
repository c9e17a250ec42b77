"""View 4: a batch of environments as tensors, for learners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch import Tensor

from stmg_envs.arguments import require_flag, require_table
from stmg_envs.protocol.capture import Captured, may_ask
from stmg_envs.protocol.episodes import Episodes, Seed
from stmg_envs.protocol.game import Game
from stmg_envs.protocol.randomness import Streams
from stmg_envs.protocol.spaces import JointSpaces

Observations = dict[str, Tensor]
VectorStep = tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]


class JointVectorEnv(ABC):
    """B environments with per-agent rewards and same-step autoreset.

    Observations are a dict of tensors: `observation` float32 (B, n, obs_dim), `state` float32
    (B, state_dim) if the game has one, `action_mask` bool (B, n, A) if actions are discrete,
    `alive` bool (B, n). Environments that end restart within the same step; the observation of
    the step is then the new episode's, and `info["final"]` holds what was seen before that for every
    environment, from which learners bootstrap where somebody is truncated.

    Agents may end singly, and one may be terminated in the step in which another is truncated: besides
    what became of episodes, `info["terminations"]` and `info["truncations"]`, bool (B, n), say what became
    of each agent that acted. In `final` those who were truncated still see, whoever plays on.

    Attributes:
        game: agents and spaces.
        num_envs: B.
        device: where the tensors live.
        truncates: whether anybody can be cut off; else whatever is bootstrapped from there is of no use.
        keeps_episodes: whether `restore` goes on with the saved episodes; otherwise it begins new ones.
        loses_episodes: whether what computes an episode can be lost. `info["lost"]`, bool (B,), then says
            whose episodes were lost in the step: what came of it is unknown. Such an episode is truncated
            with no reward, its final observation is the last one that was really seen, and its metrics are
            NaN; learners leave the step out and bootstrap the one before from that observation.
    """

    truncates: bool = True
    keeps_episodes: bool = True
    loses_episodes: bool = False
    game: JointSpaces
    num_envs: int
    device: torch.device
    _sent: Tensor

    @property
    def lanes(self) -> tuple[JointVectorEnv, ...]:
        """Parts that step independently of each other: row b of the batch is in lane b mod L."""
        return (self,)

    @property
    def agents(self) -> tuple[str, ...]:
        return self.game.agents

    @property
    @abstractmethod
    def priority(self) -> Tensor:
        """Agent indices in order of decision, LongTensor (B, n)."""

    @priority.setter
    @abstractmethod
    def priority(self, priority: object) -> None: ...

    @property
    @abstractmethod
    def episode_streams(self) -> Streams:
        """Randomness of the present episodes beyond the game's own (orders of decision, ...)."""

    @abstractmethod
    def neighbors(self) -> Tensor:
        """The present neighbour graphs, bool (B, n, n)."""

    @abstractmethod
    def reset(
        self, seed: Seed = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Start all episodes.

        Args:
            seed: one int (environment b gets seed + b), B ints, or None for the next episodes.
            options: `{"priority": ...}`, names or indices of shape (n,) or (B, n).

        Returns:
            Observations and an empty info.
        """

    @abstractmethod
    def step(self, actions: Tensor) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One joint step in every environment.

        Args:
            actions: LongTensor (B, n) or float (B, n, action_dim).

        Returns:
            Observations, rewards float32 (B, n), terminated bool (B,), truncated bool (B,), and
            info with `final` (observations before the autoreset), `terminations` and `truncations`,
            `metrics`, and `lost` where episodes can be lost. An episode that is over is truncated if one of
            its last agents was, else terminated.

        Raises:
            InvalidActionError: for an action of wrong shape, out of range, or not a number.
        """

    def send(self, actions: Tensor) -> None:
        """Have all environments take a joint step, of which `receive` says what came.

        In between the caller may do something else. Environments that run elsewhere step meanwhile; others
        wait for `receive`.

        Args:
            actions: as in `step`.
        """
        self._sent = actions

    def receive(self) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        """What came of the actions that were sent, as `step` gives it."""
        return self.step(self._sent)

    def awaited(self, ready: Collection[Connection] = ()) -> list[Connection]:
        """What has still to tell something before `receive` need not wait; nothing if it need not.

        Args:
            ready: connections that have something to tell; those of these environments are heard first.
        """
        return []

    @abstractmethod
    def snapshot(self) -> dict[str, Tensor]:
        """What can be saved of the present episodes, by name."""

    @abstractmethod
    def restore(self, snapshot: dict[str, Tensor]) -> Observations:
        """Go on from a snapshot; the observations there."""

    def close(self) -> None:  # noqa: B027 (most have nothing to release)
        """Release whatever computes the environments."""


class GameVectorEnv(JointVectorEnv):
    """A batch of one native game, computed at once.

    Args:
        game: the game.
        num_envs: B.
        device: "cpu", "cuda", ...
        validate: check every action; learners whose actions are legal by construction turn it off.
        threads: of torch, with which the batch is computed; None takes as many as torch has.
    """

    game: Game

    def __init__(
        self,
        game: Game,
        num_envs: int,
        device: torch.device | str = "cpu",
        validate: bool = True,
        threads: int | None = None,
    ) -> None:
        require_flag("validate", validate)
        self.game = game
        self.num_envs = num_envs
        self.validate = validate
        self.episodes = Episodes(game, num_envs, device, threads)
        self.device = self.episodes.device
        self.truncates = game.max_steps is not None
        self._captured = Captured(self._played_from, self.device)

    @property
    def priority(self) -> Tensor:
        return self.episodes.priority

    @priority.setter
    def priority(self, priority: object) -> None:
        self.episodes.set_priority(priority)

    @property
    def episode_streams(self) -> Streams:
        return self.episodes.episode_streams

    def neighbors(self) -> Tensor:
        return self.game.neighbors(self.episodes.state)

    def reset(
        self, seed: Seed = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        if "priority" in (given := require_table("options", options)):
            self.episodes.set_priority(given["priority"])
        self.episodes.reset(seed)
        return self.episodes.observe(), {}

    def step(self, actions: Tensor) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        if self.validate:
            actions = self.episodes.check_actions(actions)
        if not self._captured.records:
            return self._play(actions)
        snapshot, played = self._captured(self.episodes.snapshot(), actions)
        self.episodes.restore(snapshot)
        return played

    def _played_from(
        self, snapshot: dict[str, Tensor], actions: Tensor
    ) -> tuple[dict[str, Tensor], VectorStep]:
        """A joint step from a snapshot, and the snapshot after it."""
        self.episodes.restore(snapshot)
        played = self._play(actions)
        return self.episodes.snapshot(), played

    def _play(self, actions: Tensor) -> VectorStep:
        """A joint step with legal actions."""
        transition = self.episodes.step(actions)
        final = observations = self.episodes.observe()
        done = transition.done
        if not may_ask(self.device):
            self.episodes.restart(done)
            observations = self.episodes.observe()
        elif len(rows := done.nonzero().flatten()):
            begun = self.episodes.observe(self.episodes.restart(done, rows=rows))
            observations = {name: seen.index_copy(0, rows, begun[name]) for name, seen in final.items()}
        info = {
            "final": final,
            "terminations": transition.terminations,
            "truncations": transition.truncations,
            "metrics": transition.metrics,
        }
        return observations, transition.rewards, transition.terminated, transition.truncated, info

    def snapshot(self) -> dict[str, Tensor]:
        return self.episodes.snapshot()

    def restore(self, snapshot: dict[str, Tensor]) -> Observations:
        self.episodes.restore(snapshot)
        return self.episodes.observe()
