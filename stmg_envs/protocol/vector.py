"""View 4: a batch of environments as tensors, for learners."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from stmg_envs.protocol.episodes import Episodes, Seed
from stmg_envs.protocol.game import Game

Observations = dict[str, Tensor]


class GameVectorEnv:
    """B environments of one native game with per-agent rewards and same-step autoreset.

    Observations are a dict of tensors: `observation` float32 (B, n, obs_dim), `state` float32
    (B, state_dim) if the game has one, `action_mask` bool (B, n, A) if actions are discrete,
    `alive` bool (B, n). Environments that end restart within the same step; the observation of
    the step is then the new episode's, and `info["final"]` holds that of the episode's true last
    state for every environment, from which learners bootstrap when an episode is truncated.

    Args:
        game: the game.
        num_envs: B.
        device: "cpu", "cuda", ...
        validate: check every action; learners whose actions are legal by construction turn it off.
    """

    def __init__(
        self, game: Game, num_envs: int, device: torch.device | str = "cpu", validate: bool = True
    ) -> None:
        self.game = game
        self.num_envs = num_envs
        self.validate = validate
        self.episodes = Episodes(game, num_envs, device)

    @property
    def agents(self) -> tuple[str, ...]:
        return self.game.agents

    @property
    def device(self) -> torch.device:
        return self.episodes.device

    @property
    def priority(self) -> Tensor:
        """Agent indices in order of decision, LongTensor (B, n)."""
        return self.episodes.priority

    @priority.setter
    def priority(self, priority: object) -> None:
        self.episodes.set_priority(priority)

    def neighbors(self) -> Tensor:
        """The present neighbour graphs, bool (B, n, n)."""
        return self.game.neighbors(self.episodes.state)

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
        if options and "priority" in options:
            self.episodes.set_priority(options["priority"])
        self.episodes.reset(seed)
        return self.episodes.observe(), {}

    def step(self, actions: Tensor) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One joint step in every environment.

        Args:
            actions: LongTensor (B, n) or float (B, n, action_dim).

        Returns:
            Observations, rewards float32 (B, n), terminated bool (B,), truncated bool (B,), and
            info with `final` (observations before the autoreset) and `metrics`.

        Raises:
            InvalidActionError: for an action of wrong shape, out of range, or not a number.
        """
        if self.validate:
            actions = self.episodes.check_actions(actions)
        transition = self.episodes.step(actions)
        final = observations = self.episodes.observe()
        done = transition.done
        # On an accelerator asking whether any episode ended would wait for the device.
        if self.device.type != "cpu" or bool(done.any()):
            self.episodes.restart(done)
            observations = self.episodes.observe()
        info = {"final": final, "metrics": transition.metrics}
        return observations, transition.rewards, transition.terminated, transition.truncated, info
