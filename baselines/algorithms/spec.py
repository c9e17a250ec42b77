"""What a table of algorithms says of each: configuration, network, learner."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from baselines.algorithms.config import RunConfig, load_presets
from baselines.algorithms.learner import Learner
from baselines.errors import ConfigError, PairingError
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.training.population import Population
from stmg_envs.arguments import require_text, shown
from stmg_envs.errors import suggestion
from stmg_envs.protocol import JointSpaces

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class AlgorithmSpec:
    """A row of the table.

    Attributes:
        name: registry name.
        summary: one line for people.
        config_class: its dataclass.
        build: makes one policy from a configuration and sizes.
        learner: what updates a population of them.
        sequential: whether agents see their superiors' actions.
        needs_shared_state: whether all agents must know the state alike.
        needs_equal_actions: whether all agents must have the same action space.
        discrete_only: whether actions must be discrete.
        fixed: fields of the configuration that make it a variant of its family.
        presets: configurations by the family of environments, of an algorithm of another package; ours are in
            files beside this one.

    Raises:
        ConfigError: for a row that is none.
    """

    name: str
    summary: str
    config_class: type[RunConfig]
    build: Callable[[Any, PolicySpec], JointPolicy]
    learner: Callable[[Any, Population, int], Learner]
    sequential: bool
    needs_shared_state: bool = False
    needs_equal_actions: bool = False
    discrete_only: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text("name", self.name, "my-algorithm")
        require_text("summary", self.summary, "PPO with something new")
        if not NAME.fullmatch(self.name):
            raise ConfigError(f"name={shown(self.name)} is no name; expected one such as 'my-algorithm'")
        if not (isinstance(self.config_class, type) and issubclass(self.config_class, RunConfig)):
            raise ConfigError(
                f"config_class={shown(self.config_class)} of {self.name} is no configuration; expected a "
                f"frozen dataclass that comes from one of baselines.algorithms.config, such as PPOConfig"
            )
        for name in ("build", "learner"):
            if not callable(getattr(self, name)):
                raise ConfigError(f"{name}={shown(getattr(self, name))} of {self.name} cannot be called")
        known = [each.name for each in fields(self.config_class)]
        for table in (self.fixed, *self.presets.values()):
            for name in table:
                if name not in known:
                    raise ConfigError(
                        f"{name}={shown(table[name])} of {self.name} is no field of "
                        f"{self.config_class.__name__}; {suggestion(name, known)}"
                    )

    @property
    def family(self) -> str:
        """The algorithm that this is a variant of, which names its presets."""
        return self.name.partition("-")[0]

    def all_presets(self) -> dict[str, dict[str, Any]]:
        """The presets by name: those of files, with what the row brings over them."""
        presets = load_presets(self.family, self.config_class)
        for name, values in self.presets.items():
            presets[name] = presets.get(name, {}) | dict(values)
        return presets

    def check(self, game: JointSpaces) -> None:
        """Raise PairingError unless the algorithm can play the game."""
        if self.needs_shared_state and game.state_space is None and not game.fully_observed:
            raise PairingError(
                f"{self.name} needs a state that all agents share, which {type(game).__name__} has not; "
                f"use steer, which needs none"
            )
        if self.needs_equal_actions and any(space != game.action_spaces[0] for space in game.action_spaces):
            raise PairingError(
                f"{self.name} needs equal action spaces, and {type(game).__name__} has {game.action_spaces}; "
                f"use steer, which masks what an agent lacks"
            )
        if self.discrete_only and not game.discrete:
            raise PairingError(
                f"{self.name} needs discrete actions, and {type(game).__name__} has {game.action_spaces[0]}; "
                f"use {self.name.replace('dqn', 'ddpg')}, which takes both"
            )
