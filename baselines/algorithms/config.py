"""Flat configurations: dataclasses whose every field carries its sentence and its range."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from baselines.errors import ConfigError
from stmg_envs.arguments import shown
from stmg_envs.errors import suggestion

LARGEST_FIELD = 2**53
"""Whole numbers up to here are the same in every file and on every machine."""
LONGEST_EPISODE = 10_000
"""Timesteps after which an evaluation takes it that an episode has no end."""


@dataclass(frozen=True)
class RunConfig:
    """Fields of everything that is trained in environments.

    Attributes:
        PRESETS: the file of presets for a class and those that come from it.
    """

    PRESETS: ClassVar[str] = "common"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(allow_inf_nan=False)
    total_steps: Annotated[int, Field(gt=0, description="environment steps per run")] = 1_000_000
    num_envs: Annotated[int, Field(gt=0, description="parallel environments per run")] = 16
    rollout_steps: Annotated[int, Field(gt=0, description="steps of each environment per update")] = 100
    lanes: Annotated[
        int,
        Field(
            gt=0,
            description="parts of an engine's environments that step independently: on-policy learners "
            "decide for one while workers step the others",
        ),
    ] = 1
    learning_rate: Annotated[float, Field(gt=0, description="Adam's step size at the start")] = 5e-4
    learning_rate_decay: Annotated[
        float, Field(ge=0, le=1, description="share of the step size lost by the end, linearly")
    ] = 0.0
    observation_norm: Annotated[
        bool, Field(description="networks normalise each observation over its numbers")
    ] = True
    max_grad_norm: Annotated[float, Field(gt=0, description="gradient norm per run is clipped to this")] = (
        10.0
    )
    eval_interval: Annotated[int, Field(gt=0, description="environment steps between evaluations")] = 10_000
    eval_episodes: Annotated[int, Field(gt=0, description="greedy episodes per evaluation and run")] = 32
    eval_max_steps: Annotated[
        int,
        Field(gt=0, description="timesteps after which a greedy episode without an end is an error"),
    ] = LONGEST_EPISODE
    goal: Annotated[
        str,
        Field(
            pattern=r"^(\w+=-?\d+(\.\d+)?)?$",
            description="metric=value, such as win_rate=0.93: training ends once three evaluations of every "
            "run in a row are at least so",
        ),
    ] = ""

    def __post_init__(self) -> None:
        if self.num_envs % self.lanes:
            raise ConfigError(
                f"lanes={self.lanes} does not divide num_envs={self.num_envs}; expected one that does"
            )

    @property
    def batch(self) -> int:
        """Timesteps per update and run."""
        return self.num_envs * self.rollout_steps

    @property
    def updates(self) -> int:
        """Updates of a whole training."""
        return max(1, self.total_steps // self.batch)

    @property
    def planned_steps(self) -> int:
        """Environment steps per run of a whole training, in full updates."""
        return self.updates * self.batch

    def learning_rate_at(self, progress: float) -> float:
        """Adam's step size when a share of training is done, in [0, 1]."""
        return self.learning_rate * (1.0 - self.learning_rate_decay * progress)


@dataclass(frozen=True)
class TrainingConfig(RunConfig):
    """Fields of every learner that learns from rewards."""

    gamma: Annotated[float, Field(ge=0, le=1, description="discount per timestep")] = 0.99
    reward_interaction: Annotated[
        Literal["own", "sum", "dri", "dri-naive"],
        Field(description="rewards agents learn from: own, all agents' sum, or reshaped by neighbours'"),
    ] = "own"
    average_step_size: Annotated[
        float, Field(gt=0, le=1, description="step size of the average rewards that DRI compares with")
    ] = 0.01
    average_reward: Annotated[
        bool, Field(description="learn rewards above the average reward, as DRI's paper does")
    ] = False


@dataclass(frozen=True)
class OnPolicyConfig(TrainingConfig):
    """Fields of every learner that updates on rollouts of its present policy."""

    epochs: Annotated[int, Field(gt=0, description="passes over a rollout per update")] = 5
    minibatches: Annotated[int, Field(gt=0, description="parts of a rollout per pass")] = 1
    entropy_start: Annotated[float, Field(ge=0, description="entropy coefficient at the start")] = 0.01
    entropy_end: Annotated[float, Field(ge=0, description="entropy coefficient after annealing")] = 0.01
    entropy_anneal: Annotated[
        float, Field(gt=0, le=1, description="share of training over which the entropy coefficient anneals")
    ] = 1.0
    gae_lambda: Annotated[float, Field(ge=0, le=1, description="lambda of the advantage estimate")] = 0.95
    value_coef: Annotated[float, Field(ge=0, description="weight of the value loss")] = 1.0
    huber_delta: Annotated[float, Field(gt=0, description="where the value loss turns linear")] = 10.0
    value_norm_beta: Annotated[
        float, Field(ge=0, lt=1, description="decay of the return statistics per update")
    ] = 0.99999


@dataclass(frozen=True)
class PPOConfig(OnPolicyConfig):
    """Fields of every learner that makes proximal policy updates."""

    clip: Annotated[float, Field(gt=0, description="clip range of probability ratios and values")] = 0.2


Config = TypeVar("Config", bound=RunConfig)


def load_presets(algorithm: str, config_class: type[RunConfig]) -> dict[str, dict[str, Any]]:
    """The presets of an algorithm by name: what concerns it of its family's, with its own over them.

    Args:
        algorithm: the name of its preset file.
        config_class: its dataclass.
    """
    names = {field.name for field in fields(config_class)}
    presets: dict[str, dict[str, Any]] = {}
    for family in reversed(config_class.mro()):
        for preset, values in _preset_file(vars(family).get("PRESETS", "")).items():
            known = {name: value for name, value in values.items() if name in names}
            presets[preset] = presets.get(preset, {}) | known
    for preset, values in _preset_file(algorithm).items():
        presets[preset] = presets.get(preset, {}) | values
    return presets


def _preset_file(name: str) -> dict[str, dict[str, Any]]:
    resource = files("baselines.algorithms") / "presets" / f"{name}.toml"
    return tomllib.loads(resource.read_text(encoding="utf-8")) if resource.is_file() else {}


@dataclass(frozen=True)
class ConfigSources:
    """Where the fields of a configuration come from besides the defaults of their class.

    Attributes:
        preset: the algorithm's preset, by name; no preset if it has none of that name.
        preset_values: fields of the preset.
        fixed: fields that make the variant of the algorithm.
        given: explicit fields.
    """

    preset: str
    preset_values: Mapping[str, Any]
    fixed: Mapping[str, Any]
    given: Mapping[str, Any]

    @property
    def values(self) -> dict[str, Any]:
        """The fields that somebody sets: a preset's, the variant's over them, and explicit ones over all."""
        return {**self.preset_values, **self.fixed, **self.given}

    def of(self, name: str) -> str:
        """Who sets a field."""
        if name in self.given:
            return "given"
        if name in self.fixed:
            return "algorithm"
        return f"preset {self.preset}" if name in self.preset_values else "default"


def config_sources(
    algorithm: str,
    presets: Mapping[str, Mapping[str, Any]],
    fixed: Mapping[str, Any],
    preset: str | None,
    family: str,
    given: Mapping[str, Any],
) -> ConfigSources:
    """Find what sets the fields of a configuration.

    Args:
        algorithm: its name.
        presets: its presets.
        fixed: fields that make the variant of the algorithm.
        preset: preset name; None takes the one of the environment's family, if there is one.
        family: the environment's family in the registry.
        given: explicit fields.

    Raises:
        ConfigError: for an unknown preset.
    """
    if preset is not None and (not isinstance(preset, str) or preset not in presets):
        raise ConfigError(
            f"preset={shown(preset)} is unknown for {algorithm}; expected one of {sorted(presets)}"
        )
    name = preset or family
    return ConfigSources(name, presets.get(name, {}), fixed, given)


def resolve_config(config_class: type[Config], values: Mapping[str, Any]) -> Config:
    """A validated configuration.

    Args:
        config_class: the algorithm's dataclass.
        values: fields that do not have their class's default.

    Raises:
        ConfigError: for an unknown field, or a value of wrong type or range.
    """
    names = [field.name for field in fields(config_class)]
    for name, value in values.items():
        if name not in names:
            hint = suggestion(name, names)
            raise ConfigError(f"{name}={shown(value)} is no field of {config_class.__name__}; {hint}")
        if isinstance(value, int) and abs(value) > LARGEST_FIELD:
            raise ConfigError(f"{name}={value} is not accepted: expected at most {LARGEST_FIELD}")
    try:
        # As JSON, for there strict means that no text and no truth value counts as a number.
        plain = {name: _plain(value) for name, value in values.items()}
        return TypeAdapter(config_class).validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            # Raised by the class itself, about fields that do not go together.
            raise ConfigError(str(first["ctx"]["error"])) from None
        name = str(first["loc"][0])
        raise ConfigError(f"{name}={shown(values[name])} is not accepted: {first['msg']}") from None


def _plain(value: Any) -> Any:
    """A value as JSON has it: numbers of numpy are some of Python, and what no field takes is a list."""
    own = value.item() if isinstance(value, np.generic) else value
    return own if isinstance(own, str | int | float) else []


def config_dict(config: RunConfig) -> dict[str, Any]:
    """The configuration as plain data."""
    return asdict(config)
