"""The batched turn stream: B streams of turns over one native game, as a Gymnasium vector environment."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Dict
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.arguments import require_table, shown
from stmg_envs.errors import InvalidActionError, InvalidArgumentError
from stmg_envs.protocol.episodes import Episodes, action_tensor
from stmg_envs.protocol.game import Game
from stmg_envs.protocol.parallel import GameParallelEnv
from stmg_envs.protocol.stream import RewardMode, check_reward_mode, stream_spaces
from stmg_envs.protocol.turns import TurnSpaces

Arrays = dict[str, NDArray[Any]]


class TurnStreamVectorEnv(VectorEnv[Arrays, NDArray[Any], NDArray[Any]]):
    """B turn streams stepped together; each may be at another rank.

    Sub-environment b behaves like `TurnStreamEnv` seeded with seed + b, under any of Gymnasium's
    three autoreset modes.

    Args:
        game: the game.
        num_envs: B.
        reward: "mean" or "sum" over agents.
        autoreset_mode: NEXT_STEP, SAME_STEP or DISABLED.
        priority: names or indices of shape (n,), or indices (B, n).
        render_mode: a render mode of the game; pictures are of the first sub-environment.
        threads: of torch, with which the batch is computed; None takes as many as torch has.
    """

    def __init__(
        self,
        game: Game,
        num_envs: int = 1,
        reward: RewardMode = "mean",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        priority: object = None,
        render_mode: str | None = None,
        threads: int | None = None,
    ) -> None:
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except (ValueError, RecursionError):
            modes = [mode.value for mode in AutoresetMode]
            raise InvalidArgumentError(
                f"autoreset_mode={shown(autoreset_mode)} is unknown; expected one of {modes}"
            ) from None
        single = GameParallelEnv(game, render_mode)
        self._episodes = Episodes(game, num_envs, threads=threads)
        self.game = game
        self.num_envs = num_envs
        self.reward = check_reward_mode(reward)
        self.render_mode = render_mode
        self.metadata = {**single.metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space, self.single_action_space = stream_spaces(TurnSpaces(single))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        if priority is not None:
            self._episodes.set_priority(priority)
        self._rows = torch.arange(num_envs)
        self._ranks = torch.arange(game.n)
        self._counts = torch.tensor(game.action_counts) if game.discrete else None
        # Of as many numbers as the longest action has, which are an agent's own, (n, width).
        self._own_numbers = torch.arange(game.action_width) < torch.tensor(
            [space.shape[0] if space.shape else 0 for space in game.action_spaces]
        ).unsqueeze(1)
        self._over = torch.zeros(num_envs, dtype=torch.bool)
        self._view: dict[str, Tensor] = {}
        self._rank = torch.zeros(num_envs, dtype=torch.int64)
        self._first_rank = torch.zeros(num_envs, dtype=torch.int64)
        self._metrics: dict[str, Tensor] = {}
        self._measured = torch.zeros(num_envs, dtype=torch.bool)
        nobody = torch.zeros(num_envs, game.n, dtype=torch.bool)
        self._no_ends = {"terminations": nobody, "truncations": nobody}
        self._ends = self._no_ends
        shape = (num_envs, game.n) if game.discrete else (num_envs, game.n, game.action_width)
        self._joint = torch.zeros(shape, dtype=torch.int64 if game.discrete else torch.float32)
        self._leader_actions = torch.zeros(num_envs, game.n, game.action_width)

    @property
    def priority(self) -> NDArray[np.int64]:
        """Agent indices in order of decision, (B, n)."""
        return self._episodes.priority.numpy().copy()

    def neighbors(self) -> NDArray[np.bool_]:
        """The present neighbour graphs, bool (B, n, n)."""
        return self.game.neighbors(self._episodes.state).numpy().copy()

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Arrays, dict[str, Any]]:
        """Start episodes.

        Args:
            seed: one int (sub-environment b gets seed + b), B ints, or None.
            options: `priority`, and in DISABLED mode `reset_mask`, bool (B,): the info is then only
                of the environments in the mask.
        """
        options = dict(require_table("options", options))
        super().reset(seed=seed if isinstance(seed, int) else None)
        mask = options.get("reset_mask")
        begun = torch.as_tensor(np.ones(self.num_envs, dtype=bool) if mask is None else np.asarray(mask))
        if begun.shape != (self.num_envs,) or begun.dtype != torch.bool:
            raise InvalidArgumentError(
                f"reset_mask={mask!r} is no mask; expected bool of shape ({self.num_envs},)"
            )
        if "priority" in options:
            self._episodes.set_priority(options["priority"], begun)
        if mask is None:
            self._episodes.reset(seed)  # type: ignore[arg-type]
        else:
            self._episodes.restart(begun, seed)  # type: ignore[arg-type]
        self._over = self._over & ~begun
        self._begin_episode(begun)
        self._ends = self._no_ends
        zeros = torch.zeros(self.num_envs, self.game.n)
        return self._observe(), self._info(zeros, torch.zeros_like(begun), begun)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Arrays, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        self._episodes.require_start()
        fresh = self._over
        acting = ~fresh
        decisions = self._check(actions, acting)
        if bool(fresh.any()):
            if self.autoreset_mode == AutoresetMode.DISABLED:
                raise InvalidArgumentError(
                    f"sub-environments {fresh.nonzero().flatten().tolist()} are over; reset them with "
                    f"reset(options={{'reset_mask': mask}})"
                )
            self._episodes.restart(fresh)
            self._begin_episode(fresh)
        self._take(decisions, acting)
        complete = acting & (self._rank >= self.game.n)
        zeros = torch.zeros(self.num_envs, self.game.n)
        if not bool(complete.any()):
            self._ends = self._no_ends
            self._over = torch.zeros_like(acting)
            flags = self._over.numpy()
            return (
                self._observe(),
                np.zeros(self.num_envs),
                flags.copy(),
                flags.copy(),
                self._info(zeros, complete),
            )
        transition = self._episodes.step(self._joint, where=complete)
        done = transition.done
        self._ends = {"terminations": transition.terminations, "truncations": transition.truncations}
        self._measure(transition.metrics, complete)
        self._begin_timestep(complete & ~done)
        # After the end, the agent that decided first sees the final state.
        self._rank = torch.where(done, self._first_rank, self._rank)
        totals = transition.rewards.double().sum(dim=1)
        rewards = totals if self.reward == "sum" else totals / self.game.n
        info = self._info(transition.rewards, complete)
        if self.autoreset_mode == AutoresetMode.SAME_STEP:
            if bool(done.any()):
                ended = done.numpy().copy()
                final_observations = _per_environment(self._observe(), ended)
                self._episodes.restart(done)
                self._begin_episode(done)
                self._ends = {name: ends & ~done[:, None] for name, ends in self._ends.items()}
                info = {
                    **self._info(transition.rewards * ~done[:, None], complete & ~done),
                    "final_obs": final_observations,
                    "_final_obs": ended.copy(),
                    "final_info": _only(info, ended),
                    "_final_info": ended.copy(),
                }
        else:
            self._over = done
        return (
            self._observe(),
            rewards.numpy(),
            transition.terminated.numpy().copy(),
            transition.truncated.numpy().copy(),
            info,
        )

    def render(self) -> Any:
        """A picture of each sub-environment, (B,), or None without a render mode."""
        return None if self.render_mode is None else tuple(map(self.picture, range(self.num_envs)))

    def picture(self, index: int) -> Any:
        """A picture of one sub-environment in the render mode, None without one."""
        if self.render_mode is None:
            return None
        state = {name: value[index : index + 1] for name, value in self._episodes.state.items()}
        order = tuple(self._episodes.priority[index].tolist())
        return self.game.render(state, self.render_mode, order)  # type: ignore[arg-type]

    def _check(self, actions: Any, acting: Tensor) -> Tensor:
        """Validate the decisions of the agents whose turn it is."""
        actions = action_tensor(actions)
        expected = self.action_space.shape
        if tuple(actions.shape) != expected or (self.game.discrete and actions.is_floating_point()):
            raise InvalidActionError(
                f"actions have shape {tuple(actions.shape)} and dtype {actions.dtype}; expected "
                f"{'integers' if self.game.discrete else 'floats'} of shape {expected}"
            )
        wrong = (
            ((actions < 0) | (actions >= self.game.action_width))
            if self.game.discrete
            else ~actions.isfinite()
        )
        wrong = wrong & acting.view(-1, *([1] * (wrong.dim() - 1)))
        if bool(wrong.any()):
            first = tuple(wrong.nonzero()[0].tolist())
            expected_values = (
                f"integers in 0..{self.game.action_width - 1}" if self.game.discrete else "finite numbers"
            )
            raise InvalidActionError(
                f"actions{list(first)} = {actions[first].item()} is not legal; expected {expected_values}"
            )
        return actions

    def _take(self, actions: Tensor, acting: Tensor) -> None:
        """Record the decisions of the agents whose turn it is and pass the turn on."""
        rows, rank = self._rows[acting], self._rank[acting]
        agent = self._episodes.priority[rows, rank]
        chosen = actions[acting]
        if self._counts is not None:
            chosen = chosen.long() % self._counts[agent]
            self._leader_actions[rows, rank] = torch.nn.functional.one_hot(
                chosen, self.game.action_width
            ).float()
        else:
            chosen = chosen.float() * self._own_numbers[agent]
            self._leader_actions[rows, rank] = chosen
        self._joint[rows, agent] = chosen.to(self._joint.dtype)
        self._rank = torch.where(acting, self._next_rank(self._rank + 1), self._rank)

    def _begin_episode(self, where: Tensor) -> None:
        self._measured = self._measured & ~where
        self._begin_timestep(where)

    def _begin_timestep(self, where: Tensor) -> None:
        self._view = self._episodes.observe()
        self._leader_actions = self._leader_actions * ~where[:, None, None]
        self._first_rank = torch.where(where, self._next_rank(torch.zeros_like(self._rank)), self._first_rank)
        self._rank = torch.where(where, self._first_rank, self._rank)

    def _measure(self, metrics: dict[str, Tensor], where: Tensor) -> None:
        """Keep the metrics of the last timestep of every environment."""
        self._metrics = {
            name: torch.where(where, value.double(), self._metrics.get(name, torch.zeros(1)))
            for name, value in metrics.items()
        }
        self._measured = self._measured | where

    def _next_rank(self, start: Tensor) -> Tensor:
        """First rank from `start` (B,) on whose agent is alive, n if there is none."""
        alive = self._view["alive"].gather(1, self._episodes.priority)
        candidates = alive & (self._ranks >= start[:, None])
        return torch.where(candidates.any(dim=1), candidates.int().argmax(dim=1), self.game.n)

    def _agent(self) -> Tensor:
        """The agent of every turn, (B,)."""
        return self._episodes.priority[self._rows, self._rank]

    def _observe(self) -> Arrays:
        rank, agent = self._rank, self._agent()
        visible = (self._ranks < rank[:, None]).unsqueeze(-1)
        arrays: Arrays = {"observation": self._view["observation"][self._rows, agent].numpy()}
        if "state" in self._view:
            arrays["state"] = self._view["state"].numpy().copy()
        arrays["leader_actions"] = (self._leader_actions * visible).numpy()
        arrays["rank"] = rank.numpy().copy()
        arrays["agent"] = agent.numpy()
        if "action_mask" in self._view:
            arrays["action_mask"] = self._view["action_mask"][self._rows, agent].numpy().astype(np.int8)
        space = self.single_observation_space
        assert isinstance(space, Dict)
        return {name: arrays[name] for name in space.spaces}

    def _info(self, rewards: Tensor, timestep_end: Tensor, about: Tensor | None = None) -> dict[str, Any]:
        """Gymnasium's form of the infos of the environments in a mask (B,), of all by default."""
        info = {
            "agent": np.array(self.game.agents, dtype=object)[self._agent().numpy()],
            "rewards": rewards.numpy().copy(),
            "timestep_end": timestep_end.numpy().copy(),
            **{name: ends.numpy().copy() for name, ends in self._ends.items()},
        }
        info |= {f"_{name}": np.ones(self.num_envs, dtype=bool) for name in info}
        measured = (self._measured if about is None else self._measured & about).numpy()
        if measured.any():
            for name, value in self._metrics.items():
                info |= {name: value.numpy() * measured, f"_{name}": measured.copy()}
        return info if about is None else _only(info, about.numpy())


def _rows(mask: NDArray[np.bool_], value: NDArray[Any]) -> NDArray[np.bool_]:
    """The mask (B,) with trailing axes to fit a value (B, ...)."""
    return mask.reshape(-1, *([1] * (value.ndim - 1)))


def _only(info: Arrays, which: NDArray[np.bool_]) -> Arrays:
    """Gymnasium's form of an info that only some environments have: zeros (None) elsewhere, and a mask."""
    return {
        name: np.where(_rows(which, value), value, np.full_like(value, None if value.dtype == object else 0))
        for name, value in info.items()
    }


def _per_environment(observations: Arrays, done: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Gymnasium's form of final observations: one dict per ended environment, None elsewhere."""
    result = np.full(len(done), None, dtype=object)
    for index in np.flatnonzero(done):
        result[index] = {name: value[index] for name, value in observations.items()}
    return result
