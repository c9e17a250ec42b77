"""What a run is to do, resolved and validated before any work starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from baselines.algorithms.config import ConfigSources, RunConfig, config_dict, config_sources, resolve_config
from baselines.algorithms.registry import AlgorithmSpec, algorithm_spec
from baselines.errors import ConfigError
from baselines.evaluation.greedy import episodes_together
from baselines.evaluation.results import task_name
from baselines.networks.policy import PolicySpec
from stmg_envs import game_spec, vector_env
from stmg_envs.arguments import require_count, require_no_workers
from stmg_envs.protocol import (
    Game,
    GameVectorEnv,
    InterleavedVectorEnv,
    JointSpaces,
    JointVectorEnv,
    check_priority,
)
from wrappers import PriorityVectorEnv, external_vector_env, game_of, is_external, random_order

RANDOM_PRIORITY = "random"


@dataclass(frozen=True)
class RunPlan:
    """A population of runs of one algorithm on one environment.

    Attributes:
        algorithm: registry row.
        env_id: environment id.
        env_args: arguments of the game.
        seeds: one seed per run, (K,).
        config: the algorithm's configuration.
        device: where everything lives.
        priority: agent names, "random" (per episode), or None for the game's default.
        workers: processes that step an engine's environments; they change no result.
    """

    algorithm: AlgorithmSpec
    env_id: str
    env_args: dict[str, Any]
    seeds: tuple[int, ...]
    config: RunConfig
    device: str
    priority: tuple[str, ...] | str | None
    workers: int = 0

    @property
    def task(self) -> str:
        """Task name in results files."""
        return task_name(self.env_id, self.env_args)

    def game(self) -> JointSpaces:
        """The game's agents and spaces; of a native game, the game itself."""
        return game_of(self.env_id, **self.env_args)

    def policy_spec(self, game: JointSpaces) -> PolicySpec:
        """Sizes for networks."""
        (obs_dim,) = game.observation_space.shape
        state_dim = game.state_space.shape[0] if game.state_space is not None else None
        return PolicySpec(
            game.n,
            obs_dim,
            state_dim,
            game.action_width,
            game.discrete,
            game.fully_observed,
            self.config.observation_norm,
        )

    def environments(self, per_run: int, lanes: int = 1) -> JointVectorEnv:
        """K * per_run environments under the plan's priority.

        Actions come from policies that respect masks, so they are not validated again.

        Args:
            per_run: environments of each run.
            lanes: parts of an engine's environments that step independently of each other.
        """
        if lanes == 1:
            return self._lane(per_run, self.workers)
        shares = [(self.workers + number) // lanes for number in reversed(range(lanes))]
        return InterleavedVectorEnv([self._lane(per_run // lanes, workers) for workers in shares])

    def evaluation_environments(self, episodes: int) -> JointVectorEnv:
        """Environments for so many greedy episodes of each run, see `evaluate_greedy`."""
        return self.environments(episodes_together(self.game(), episodes))

    def _lane(self, per_run: int, workers: int) -> JointVectorEnv:
        """Environments that step together, with a share of the workers."""
        batch, game = len(self.seeds) * per_run, self.game()
        env: JointVectorEnv
        if isinstance(game, Game):
            require_no_workers(self.env_id, workers)
            env = GameVectorEnv(game, batch, self.device, validate=False)
        elif is_external(self.env_id):
            env = external_vector_env(self.env_id, batch, self.device, workers, **self.env_args)
        else:
            env = vector_env(self.env_id, batch, self.device, workers=workers, **self.env_args)
        return self.under_priority(env)

    def under_priority(self, env: JointVectorEnv) -> JointVectorEnv:
        """Environments in which agents decide in the plan's order."""
        if self.priority == RANDOM_PRIORITY:
            return PriorityVectorEnv(env, random_order())  # type: ignore[return-value]
        if self.priority is not None:
            env.priority = self.priority
        return env

    def as_dict(self) -> dict[str, Any]:
        """Plain data from which `make_plan` makes the same plan."""
        return {
            "algorithm": self.algorithm.name,
            "env_id": self.env_id,
            "env_args": {name: _plain(value) for name, value in self.env_args.items()},
            "seeds": list(self.seeds),
            "device": self.device,
            "priority": list(self.priority) if isinstance(self.priority, tuple) else self.priority,
            "workers": self.workers,
            "config": config_dict(self.config),
        }


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def resolve_plan(
    algorithm: str | AlgorithmSpec,
    env_id: str,
    *,
    seeds: int | Sequence[int] = 1,
    env_args: Mapping[str, Any] | None = None,
    device: str = "cpu",
    priority: Sequence[str] | str | None = None,
    workers: int = 0,
    preset: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> RunPlan:
    """Resolve everything a run needs, without its game: what only shows a run needs no engine.

    Args:
        algorithm: registry name, or the row of an algorithm that is not registered.
        env_id: environment id.
        seeds: a number of seeds (0, 1, ...) or the seeds themselves.
        env_args: arguments of the game.
        device: "cpu", "cuda", ...
        priority: agent names, "random", or None.
        workers: processes that step an engine's environments; 0 steps them in this one.
        preset: preset name; by default that of the environment's family.
        config: explicit fields of the configuration.

    Raises:
        UnknownNameError, InvalidArgumentError, ConfigError: for what is wrong with the arguments.
    """
    row = algorithm if isinstance(algorithm, AlgorithmSpec) else algorithm_spec(algorithm)
    sources = plan_sources(row, env_id, preset, config or {})
    require_count("workers", workers, 0)
    return RunPlan(
        row,
        env_id,
        dict(env_args or {}),
        _seeds(seeds),
        resolve_config(row.config_class, sources.values),
        _device(device),
        _priority(priority),
        workers,
    )


def make_plan(algorithm: str | AlgorithmSpec, env_id: str, **arguments: Any) -> RunPlan:
    """Resolve and validate everything a run needs.

    Args:
        algorithm: registry name, or the row of an algorithm that is not registered.
        env_id: environment id.
        **arguments: of `resolve_plan`.

    Raises:
        UnknownNameError, InvalidArgumentError, InvalidPriorityError, MissingEngineError, ConfigError,
        PairingError: for what is wrong with the arguments.
    """
    return check_plan(resolve_plan(algorithm, env_id, **arguments))


def check_plan(plan: RunPlan) -> RunPlan:
    """The plan, if its algorithm can play its game as it says; this makes the game, with its engine.

    Raises:
        InvalidArgumentError, InvalidPriorityError, MissingEngineError, ConfigError, PairingError: if not.
    """
    game = plan.game()
    if isinstance(game, Game):
        require_no_workers(plan.env_id, plan.workers)
        if plan.config.lanes > 1:
            raise ConfigError(
                f"lanes={plan.config.lanes} of {plan.env_id}: a native game is computed at once; expected 1, "
                f"or the backend of an engine"
            )
    plan.algorithm.check(game)
    if isinstance(plan.priority, tuple):
        check_priority(game.agents, plan.priority)
    return plan


def plan_sources(
    row: AlgorithmSpec, env_id: str, preset: str | None, config: Mapping[str, Any]
) -> ConfigSources:
    """Who sets the fields of a plan's configuration; arguments and errors are those of `make_plan`."""
    family = env_id.partition("/")[0] if is_external(env_id) else game_spec(env_id).family
    return config_sources(row.config_class, row.fixed, row.family, preset, family, config)


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen or len(set(chosen)) < len(chosen) or any(not isinstance(s, int) or s < 0 for s in chosen):
        raise ConfigError(
            f"seeds={seeds!r} is not accepted; expected a number >= 1 or distinct integers >= 0"
        )
    return chosen


def _device(device: str) -> str:
    reason = _missing(device)
    if reason is not None:
        raise ConfigError(f"device={device!r} cannot be used ({reason}); expected cpu or an available cuda")
    return device


def device_here(device: str) -> str:
    """A device if this machine has it, else the CPU."""
    return "cpu" if _missing(device) else device


def _missing(device: str) -> str | None:
    """Why a device cannot be used, or None if it can."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        return str(error).splitlines()[0]
    return None


def _priority(priority: Sequence[str] | str | None) -> tuple[str, ...] | str | None:
    if priority is None or priority == RANDOM_PRIORITY:
        return priority
    return tuple(priority.split(",")) if isinstance(priority, str) else tuple(priority)
