"""B episodes of one native game, run side by side: the engine under every native view."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stmg_envs.errors import InvalidActionError, InvalidArgumentError
from stmg_envs.protocol.game import Game, State
from stmg_envs.protocol.priority import priority_indices
from stmg_envs.protocol.randomness import Streams

Seed = int | Sequence[int] | Tensor | None


@dataclass(frozen=True)
class Transition:
    """What one joint step of B episodes gave.

    Attributes:
        rewards: float32 (B, n).
        terminated: bool (B,).
        truncated: bool (B,), the time limit was reached and the game had not ended.
        metrics: named float32 (B,).
    """

    rewards: Tensor
    terminated: Tensor
    truncated: Tensor
    metrics: dict[str, Tensor]

    @property
    def done(self) -> Tensor:
        """Episodes that are over, bool (B,)."""
        return self.terminated | self.truncated


def _select(mask: Tensor, chosen: Tensor, other: Tensor) -> Tensor:
    """Rows of `chosen` where the mask (B,) is set, of `other` elsewhere."""
    return torch.where(mask.view(-1, *([1] * (chosen.dim() - 1))), chosen, other)


class Episodes:
    """State, clock, seed and priority of B episodes.

    Environment b draws only from its own stream, keyed by (seed, episode, timestep): it does not
    depend on the batch around it.

    Args:
        game: the game.
        batch: B.
        device: where the tensors live.
    """

    def __init__(self, game: Game, batch: int, device: torch.device | str = "cpu") -> None:
        if batch < 1:
            raise InvalidArgumentError(f"num_envs={batch} is not a batch; expected at least 1")
        self.game = game
        self.batch = batch
        self.device = torch.device(device)
        order = [game.agents.index(name) for name in game.default_priority]
        self.priority = priority_indices(game.agents, order, batch, self.device)
        self._streams: Streams | None = None
        self.episode = torch.zeros(batch, dtype=torch.int64, device=self.device)
        self.elapsed = torch.zeros(batch, dtype=torch.int64, device=self.device)
        self.state: State = {}

    def set_priority(self, priority: object) -> None:
        """Set the order of decision, of shape (n,) or (B, n); it stays until it is set again."""
        self.priority = priority_indices(self.game.agents, priority, self.batch, self.device)

    @property
    def episode_streams(self) -> Streams:
        """Randomness of the present episodes beyond the game's own (orders of decision, ...)."""
        return self._require_streams().fold(-1, self.episode)

    def reset(self, seed: Seed = None) -> None:
        """Start every episode anew.

        Args:
            seed: one int (environment b gets seed + b), B ints, or None to go on to the next
                episode of the present seeds (drawn from the system at first).
        """
        if seed is not None or self._streams is None:
            self._streams = Streams.from_seeds(self._seeds(seed), self.device)
            self.episode.zero_()
        else:
            self.episode = self.episode + 1
        self.elapsed = torch.zeros_like(self.elapsed)
        self.state = self.game.reset(self._streams.fold(self.episode))

    def restart(self, where: Tensor) -> None:
        """Start the next episode in the environments of the mask (B,)."""
        self.episode = self.episode + where
        fresh = self.game.reset(self._require_streams().fold(self.episode))
        self.elapsed = self.elapsed * ~where
        self.state = {name: _select(where, fresh[name], old) for name, old in self.state.items()}

    def step(self, actions: Tensor, where: Tensor | None = None) -> Transition:
        """One joint step.

        Args:
            actions: int64 (B, n) or float32 (B, n, action_dim).
            where: bool (B,); the other environments stay as they are and get zero rewards.
        """
        streams = self._require_streams().fold(self.episode, self.elapsed + 1)
        outcome = self.game.step(self.state, actions, streams)
        elapsed = self.elapsed + 1
        limit = self.game.max_steps
        if limit is None:
            truncated = torch.zeros_like(outcome.terminated)
        else:
            truncated = (elapsed >= limit) & ~outcome.terminated
        rewards, terminated, state = outcome.rewards, outcome.terminated, outcome.state
        if where is not None:
            elapsed = torch.where(where, elapsed, self.elapsed)
            rewards = rewards * where[:, None]
            terminated, truncated = terminated & where, truncated & where
            state = {name: _select(where, new, self.state[name]) for name, new in state.items()}
        self.elapsed, self.state = elapsed, state
        return Transition(rewards, terminated, truncated, outcome.metrics)

    def observe(self) -> dict[str, Tensor]:
        """Observations of all agents.

        Returns:
            observation float32 (B, n, obs_dim); state float32 (B, state_dim) if the game has one;
            action_mask bool (B, n, A) if actions are discrete; alive bool (B, n).
        """
        view = {"observation": self.game.observe(self.state), "alive": self.game.alive(self.state)}
        state = self.game.global_state(self.state)
        if state is not None:
            view["state"] = state
        mask = self.game.action_mask(self.state)
        if mask is not None:
            view["action_mask"] = mask
        return view

    def check_actions(self, actions: Tensor) -> Tensor:
        """Validate a joint action and return it in the game's dtype on the game's device.

        Raises:
            InvalidActionError: for a wrong shape or dtype, an index out of range, or NaN.
        """
        game = self.game
        actions = torch.as_tensor(actions, device=self.device)
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
            "keys": self._require_streams().keys,
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
        self.state = {
            name.removeprefix("state."): value for name, value in tensors.items() if name.startswith("state.")
        }

    def _require_streams(self) -> Streams:
        if self._streams is None:
            raise InvalidArgumentError("the environment has not been started; call reset() before step()")
        return self._streams

    def _seeds(self, seed: Seed) -> Tensor:
        if seed is None:
            seed = secrets.randbits(31)
        if isinstance(seed, int):
            return torch.arange(seed, seed + self.batch)
        seeds = torch.as_tensor(seed)
        if seeds.shape != (self.batch,) or seeds.is_floating_point():
            raise InvalidArgumentError(
                f"seed has shape {tuple(seeds.shape)}; expected one int or "
                f"{self.batch} ints, one per environment"
            )
        return seeds.long()
