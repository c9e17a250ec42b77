"""B episodes of one native game, run side by side: the engine under every native view."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stmg_envs.arguments import MOST_THREADS, require_count, shown
from stmg_envs.errors import InvalidActionError, InvalidArgumentError
from stmg_envs.protocol.capture import may_ask
from stmg_envs.protocol.game import Game, State
from stmg_envs.protocol.priority import priority_indices
from stmg_envs.protocol.randomness import Streams
from stmg_envs.protocol.resources import check_batch, check_device
from stmg_envs.protocol.threads import with_own_threads

Seed = int | Sequence[int] | Tensor | None


@dataclass(frozen=True)
class Transition:
    """What one joint step of B episodes gave.

    Attributes:
        rewards: float32 (B, n).
        terminated: bool (B,).
        truncated: bool (B,), the time limit was reached and the game had not ended.
        terminations: bool (B, n), agents that acted and have left the game, or whose game has ended.
        truncations: bool (B, n), agents that acted and were cut off.
        metrics: named float32 (B,).
    """

    rewards: Tensor
    terminated: Tensor
    truncated: Tensor
    terminations: Tensor
    truncations: Tensor
    metrics: dict[str, Tensor]

    @property
    def done(self) -> Tensor:
        """Episodes that are over, bool (B,)."""
        return self.terminated | self.truncated


def _select(mask: Tensor, chosen: Tensor, other: Tensor) -> Tensor:
    """Rows of `chosen` where the mask (B,) is set, of `other` elsewhere."""
    return torch.where(mask.view(-1, *([1] * (chosen.dim() - 1))), chosen, other)


def _replaced(values: Tensor, rows: Tensor, fresh: Tensor) -> Tensor:
    """The values with other rows, which lie in memory as they did."""
    return values.clone().index_copy_(0, rows, fresh)


class Episodes:
    """State, clock, seed and priority of B episodes.

    Environment b draws only from its own stream, keyed by (seed, episode, timestep): it does not
    depend on the batch around it.

    Args:
        game: the game.
        batch: B.
        device: where the tensors live.
        threads: of torch, with which they are computed; None takes as many as torch has.
    """

    def __init__(
        self, game: Game, batch: int, device: torch.device | str = "cpu", threads: int | None = None
    ) -> None:
        if threads is not None:
            require_count("threads", threads, 1, MOST_THREADS)
        self.device = check_device(device)
        self.game = game
        self.batch = batch = check_batch(game, batch, self.device)
        self.threads = threads
        order = [game.agents.index(name) for name in game.default_priority]
        self.priority = priority_indices(game.agents, order, batch, self.device)
        # Then agents end with their episode.
        self._nobody_leaves = type(game).alive is Game.alive
        self._streams: Streams | None = None
        self.episode = torch.zeros(batch, dtype=torch.int64, device=self.device)
        self.elapsed = torch.zeros(batch, dtype=torch.int64, device=self.device)
        self._state: State = {}

    @property
    def state(self) -> State:
        """The present state of the game."""
        self.require_start()
        return self._state

    def set_priority(self, priority: object, where: Tensor | None = None) -> None:
        """Set the order of decision, of shape (n,) or (B, n), in all environments or a mask (B,) of them.

        It stays until it is set again.
        """
        order = priority_indices(self.game.agents, priority, self.batch, self.device)
        self.priority = order if where is None else _select(where, order, self.priority)

    @property
    def episode_streams(self) -> Streams:
        """Randomness of the present episodes beyond the game's own (orders of decision, ...)."""
        return self.require_start().fold(-1, self.episode)

    @with_own_threads
    def reset(self, seed: Seed = None) -> None:
        """Start every episode anew.

        Args:
            seed: one int (environment b gets seed + b), B ints, or None to go on to the next
                episode of the present seeds (drawn from the system at first).
        """
        if seed is not None or self._streams is None:
            self._streams = Streams.from_seeds(seed_tensor(seed, self.batch), self.device)
            self.episode = torch.zeros_like(self.episode)
        else:
            self.episode = self.episode + 1
        self.elapsed = torch.zeros_like(self.elapsed)
        self._state = self.game.reset(self._streams.fold(self.episode))

    @with_own_threads
    def restart(self, where: Tensor, seed: Seed = None, rows: Tensor | None = None) -> State:
        """Start an episode in the environments of the mask (B,).

        Args:
            where: bool (B,); the other environments stay as they are.
            seed: as in `reset`; None goes on to the next episode of the present seeds.
            rows: which environments these are, int64 (B',), if that is known.

        Returns:
            The first states of the episodes that start, if it is known which they are, else of all; nothing
            if none starts.
        """
        streams = self.require_start()
        if seed is None:
            self.episode = self.episode + where
        else:
            seeded = Streams.from_seeds(seed_tensor(seed, self.batch), self.device)
            streams = self._streams = Streams(torch.where(where, seeded.keys, streams.keys))
            self.episode = self.episode * ~where
        self.elapsed = self.elapsed * ~where
        streams = streams.fold(self.episode)
        if rows is None and may_ask(self.device):
            rows = where.nonzero().flatten()
        fresh: State = {}
        if rows is None:
            fresh = self.game.reset(streams)
            self._state = {name: _select(where, fresh[name], old) for name, old in self._state.items()}
        elif len(rows):
            fresh = self.game.reset(Streams(streams.keys[rows]))
            self._state = {name: _replaced(old, rows, fresh[name]) for name, old in self._state.items()}
        return fresh

    @with_own_threads
    def step(self, actions: Tensor, where: Tensor | None = None) -> Transition:
        """One joint step.

        Args:
            actions: int64 (B, n) or float32 (B, n, action_dim).
            where: bool (B,); the other environments stay as they are and get zero rewards.
        """
        elapsed = self.elapsed + 1
        streams = self.require_start().fold(self.episode, elapsed)
        acted = self.game.alive(self.state)
        outcome = self.game.step(self.state, actions, streams)
        limit = self.game.max_steps
        if limit is None:
            truncated = torch.zeros_like(outcome.terminated)
        else:
            truncated = (elapsed >= limit) > outcome.terminated  # and not
        rewards, terminated, state = outcome.rewards, outcome.terminated, outcome.state
        if where is not None:
            elapsed = torch.where(where, elapsed, self.elapsed)
            rewards = rewards * where[:, None]
            terminated, truncated = terminated & where, truncated & where
            acted = acted & where[:, None]
            state = {name: _select(where, new, self.state[name]) for name, new in state.items()}
        self.elapsed, self._state = elapsed, state
        if where is None and self._nobody_leaves:
            terminations, truncations = (x[:, None].expand_as(acted) for x in (terminated, truncated))
        else:
            plays_on = self.game.alive(state) > terminated[:, None]
            terminations = acted > plays_on
            truncations = acted & plays_on & truncated[:, None]
        return Transition(rewards, terminated, truncated, terminations, truncations, outcome.metrics)

    @with_own_threads
    def observe(self, present: State | None = None) -> dict[str, Tensor]:
        """Observations of all agents.

        Args:
            present: a state of the game; that of all environments by default.

        Returns:
            observation float32 (B, n, obs_dim); state float32 (B, state_dim) if the game has one;
            action_mask bool (B, n, A) if actions are discrete; alive bool (B, n).
        """
        present = self.state if present is None else present
        view = {"observation": self.game.observe(present), "alive": self.game.alive(present)}
        state = self.game.global_state(present)
        if state is not None:
            view["state"] = state
        mask = self.game.action_mask(present)
        if mask is not None:
            view["action_mask"] = mask
        return view

    def check_actions(self, actions: Tensor) -> Tensor:
        """Validate a joint action and return it in the game's dtype on the game's device.

        Raises:
            InvalidActionError: for a wrong shape or dtype, an index out of range, or NaN.
        """
        game = self.game
        actions = action_tensor(actions, self.device)
        shape = (self.batch, game.n) if game.discrete else (self.batch, game.n, game.action_width)
        if actions.shape != shape or (game.discrete and actions.is_floating_point()):
            raise InvalidActionError(
                f"actions have shape {tuple(actions.shape)} and dtype {actions.dtype}; expected "
                f"{'integers' if game.discrete else 'floats'} of shape {shape}"
            )
        if game.discrete:
            counts = torch.tensor(game.action_counts, device=self.device)
            wrong = (actions < 0) | (actions >= counts)
            expected = f"0..{game.action_width - 1}, counts per agent {game.action_counts}"
        else:
            wrong = ~actions.isfinite()
            expected = "finite numbers"
        if bool(wrong.any()):
            first = tuple(wrong.nonzero()[0].tolist())
            raise InvalidActionError(
                f"actions{list(first)} = {actions[first].item()} is no legal action; expected {expected}"
            )
        return actions.long() if game.discrete else actions.float()

    def snapshot(self) -> dict[str, Tensor]:
        """Everything needed to go on from here, by name."""
        own = {
            "keys": self.require_start().keys,
            "episode": self.episode,
            "elapsed": self.elapsed,
            "priority": self.priority,
        }
        return own | {f"state.{name}": value for name, value in self.state.items()}

    def restore(self, snapshot: dict[str, Tensor]) -> None:
        """Go on from a snapshot."""
        tensors = {name: value.to(self.device) for name, value in snapshot.items()}
        self._streams = Streams(tensors["keys"])
        self.episode, self.elapsed = tensors["episode"], tensors["elapsed"]
        self.priority = tensors["priority"]
        self._state = {
            name.removeprefix("state."): value for name, value in tensors.items() if name.startswith("state.")
        }

    def require_start(self) -> Streams:
        """The streams of the episodes.

        Raises:
            InvalidArgumentError: before the first reset.
        """
        if self._streams is None:
            raise InvalidArgumentError("the environment has not been started; call reset() first")
        return self._streams


SEEDS = 2**63
"""Whole numbers that an int64 tells apart; larger seeds, which Gymnasium takes too, count modulo this."""


def seed_tensor(seed: Seed, batch: int) -> Tensor:
    """One seed per environment, int64 (B,).

    Args:
        seed: one int (environment b gets seed + b), B ints, or None for seeds drawn from the system, also in
            place of one of B ints.
        batch: B.

    Raises:
        InvalidArgumentError: for anything else.
    """
    if seed is None:
        seed = secrets.randbits(31)
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool):
        return torch.tensor([_in_range(int(seed) + b) for b in range(batch)])
    if isinstance(seed, Sequence):
        seed = [
            _in_range(secrets.randbits(31) if one is None else int(one))
            if one is None or (isinstance(one, int | np.integer) and not isinstance(one, bool))
            else one
            for one in seed
        ]
    try:
        seeds = torch.as_tensor(seed)
        valid = seeds.shape == (batch,) and not seeds.is_floating_point()
    except (TypeError, ValueError, RuntimeError):
        valid = False
    if not valid:
        raise InvalidArgumentError(
            f"seed={shown(seed)} seeds no batch; expected one int or {batch} ints, one per environment"
        )
    return seeds.long()


def _in_range(seed: int) -> int:
    """A seed of any size as an int64."""
    return seed if -SEEDS <= seed < SEEDS else seed % SEEDS


def action_tensor(actions: Any, device: torch.device | str = "cpu") -> Tensor:
    """Actions as a tensor.

    Raises:
        InvalidActionError: if they are not an array of numbers.
    """
    try:
        if isinstance(actions, Tensor):
            return actions.to(device)
        return torch.as_tensor(np.asarray(actions), device=device)
    except (TypeError, ValueError, RuntimeError):
        raise InvalidActionError(f"actions={shown(actions)} are no array of numbers") from None
