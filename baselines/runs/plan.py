"""What a run is to do, resolved and validated before any work starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from baselines.algorithms.config import ConfigSources, RunConfig, config_dict, config_sources, resolve_config
from baselines.algorithms.registry import algorithm_spec
from baselines.algorithms.spec import AlgorithmSpec
from baselines.errors import ConfigError
from baselines.evaluation.greedy import episodes_together
from baselines.evaluation.results import task_name
from baselines.networks.policy import PolicySpec
from stmg_envs import game_spec, vector_env
from stmg_envs.arguments import (
    LARGEST,
    require_count,
    require_no_workers,
    require_table,
    require_text,
    shown,
)
from stmg_envs.errors import InvalidPriorityError
from stmg_envs.protocol import (
    Game,
    GameVectorEnv,
    InterleavedVectorEnv,
    JointSpaces,
    JointVectorEnv,
    check_priority,
    missing_device,
    require_memory,
    timestep_bytes,
)
from wrappers import PriorityVectorEnv, external_vector_env, game_of, is_external, random_order

RANDOM_PRIORITY = "random"
MOST_SEEDS = 100_000
"""Of one training; each has networks of its own."""


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
    require_text("env_id", env_id, "stmg/Penalty-v0")
    sources = plan_sources(row, env_id, preset, config or {})
    require_count("workers", workers, 0)
    return RunPlan(
        row,
        env_id,
        dict(require_table("env_args", env_args)),
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
    _require_room(plan, game)
    if isinstance(plan.priority, tuple):
        check_priority(game.agents, plan.priority)
    return plan


def _require_room(plan: RunPlan, game: JointSpaces) -> None:
    """Raise InvalidArgumentError if the machine has no room for what agents see between two updates."""
    config, device, runs = plan.config, torch.device(plan.device), len(plan.seeds)
    each = runs * timestep_bytes(game)
    steps = config.rollout_steps
    require_memory(f"num_envs={config.num_envs} in {steps} steps", config.num_envs, steps * each, device)
    if isinstance(game, Game):
        require_memory(f"eval_episodes={config.eval_episodes}", config.eval_episodes, each, device)


def plan_sources(
    row: AlgorithmSpec, env_id: str, preset: str | None, config: Mapping[str, Any]
) -> ConfigSources:
    """Who sets the fields of a plan's configuration; arguments and errors are those of `make_plan`."""
    presets = row.all_presets()
    if is_external(env_id):
        family = env_id.partition("/")[0]
    else:
        game = game_spec(env_id)
        family = game.family
        known = {field.name for field in fields(row.config_class)}
        for name in ("common", row.family):
            values = {field: value for field, value in game.presets.get(name, {}).items() if field in known}
            presets[family] = presets.get(family, {}) | values
    return config_sources(row.name, presets, row.fixed, preset, family, config)


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    chosen: Sequence[int] = ()
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        chosen = range(min(seeds, MOST_SEEDS + 1))
    elif isinstance(seeds, Sequence) and not isinstance(seeds, str | bytes):
        chosen = seeds
    whole = all(isinstance(s, int) and not isinstance(s, bool) and 0 <= s < LARGEST for s in chosen)
    if not 0 < len(chosen) <= MOST_SEEDS or not whole or len(set(chosen)) < len(chosen):
        raise ConfigError(
            f"seeds={shown(seeds)} is not accepted; expected a number >= 1 (at most {MOST_SEEDS}) or "
            f"distinct integers >= 0 (below {LARGEST})"
        )
    return tuple(chosen)


def _device(device: str) -> str:
    reason = missing_device(device)
    if reason is not None:
        raise ConfigError(
            f"device={shown(device)} cannot be used ({reason}); expected cpu or an available cuda"
        )
    return device


def device_here(device: str) -> str:
    """A device if this machine has it, else the CPU."""
    return "cpu" if missing_device(device) else device


def _priority(priority: Sequence[str] | str | None) -> tuple[str, ...] | str | None:
    if priority is None:
        return None
    if isinstance(priority, str):
        return priority if priority == RANDOM_PRIORITY else tuple(priority.split(","))
    if not isinstance(priority, Sequence):
        raise InvalidPriorityError(
            f"priority={shown(priority)} is no order; expected agent names, {RANDOM_PRIORITY!r}, or None"
        )
    return tuple(priority)
