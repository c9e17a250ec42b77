"""Public functions with one argument that is none of theirs: refused before any work."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

import baselines
import stmg_envs
import wrappers
from baselines.algorithms.registry import algorithm_spec
from baselines.runs.api import resume
from fuzz import originals
from fuzz.judge import Case, Kind
from fuzz.mutations import Rng, pick
from fuzz.values import VALUES
from stmg_envs import equilibria
from stmg_envs.errors import MissingEngineError

PENALTY = "stmg/Penalty-v0"
NUMBERS = ("a negative number", "a fraction")
EVERYTHING = tuple(VALUES)


@dataclasses.dataclass(frozen=True)
class Call:
    """A function and how it is called.

    Attributes:
        function: what is called.
        given: arguments that are accepted.
        may_be: for each argument to be made wrong, the names of the values that are accepted of it.
    """

    function: Callable[..., Any]
    given: Mapping[str, Any]
    may_be: Mapping[str, tuple[str, ...]]


def _vector(**arguments: Any) -> Any:
    return stmg_envs.vector_env(**{"id": PENALTY, "num_envs": 2} | arguments)


def _stepped(env: Any, **arguments: Any) -> Any:
    env.reset(seed=0)
    return env.step(**arguments)


def _act(**arguments: Any) -> Any:
    """A trained policy that is asked with observations of which some are others."""
    env = _vector(k=-50)
    observations, _ = env.reset(seed=0)
    return baselines.load_policy(originals.run()).act({**observations, **arguments})


def _priority(priority: object) -> None:
    _vector().priority = priority


VIEW = {"id": (), "priority": ("None",), "backend": ("None",), "k": NUMBERS}
TENSORS = ("a masked array", "a table")

CALLS: dict[str, Call] = {
    "parallel_env": Call(stmg_envs.parallel_env, {"id": PENALTY}, {**VIEW, "render_mode": ("None",)}),
    "aec_env": Call(stmg_envs.aec_env, {"id": PENALTY}, {**VIEW, "render_mode": ("None",)}),
    "turn_stream": Call(stmg_envs.turn_stream, {"id": PENALTY}, {**VIEW, "reward": ()}),
    "vector_env": Call(
        _vector,
        {},
        {
            **VIEW,
            "num_envs": (),
            "device": (),
            "workers": (),
            "threads": ("None",),
            "validate": ("True",),
            "worker_timeout": ("a fraction", "infinity", "a number of 31 digits"),
        },
    ),
    "vector_turn_stream": Call(
        stmg_envs.vector_turn_stream,
        {"id": PENALTY},
        {"id": (), "priority": ("None",), "num_envs": (), "autoreset_mode": (), "reward": ()},
    ),
    "make_game": Call(stmg_envs.make_game, {"id": PENALTY}, {"id": (), "backend": ("None",)}),
    "game_spec": Call(stmg_envs.game_spec, {}, {"id": ()}),
    "reset": Call(
        lambda **arguments: _vector().reset(**arguments),
        {},
        {
            "seed": ("None", "a negative number", "a number of 31 digits", "a list of None"),
            "options": ("None", "a dict of a list"),
        },
    ),
    "priority": Call(_priority, {}, {"priority": ()}),
    "step": Call(lambda actions: _stepped(_vector(), actions=actions), {}, {"actions": TENSORS[1:]}),
    "turn": Call(lambda action: _stepped(stmg_envs.turn_stream(PENALTY), action=action), {}, {"action": ()}),
    "parallel step": Call(
        lambda actions: _stepped(stmg_envs.parallel_env(PENALTY), actions=actions), {}, {"actions": ()}
    ),
    "stackelberg": Call(
        equilibria.stackelberg, {"payoffs": np.ones((2, 2, 2))}, {"payoffs": (), "priority": ("None",)}
    ),
    "pure_nash": Call(equilibria.pure_nash, {}, {"payoffs": ()}),
    "global_optima": Call(equilibria.global_optima, {}, {"payoffs": ()}),
    "spatio_temporal": Call(
        lambda **arguments: wrappers.spatio_temporal(
            **{"parallel_env": stmg_envs.parallel_env(PENALTY)} | arguments
        ),
        {},
        {"parallel_env": (), "priority": ("None",)},
    ),
    "DifferentialReward": Call(
        lambda **arguments: wrappers.DifferentialReward(
            **{"parallel_env": stmg_envs.parallel_env(PENALTY)} | arguments
        ),
        {},
        {"parallel_env": (), "mode": (), "step_size": ("a function", "a type"), "differential": ("True",)},
    ),
    "fixed_order": Call(wrappers.fixed_order, {}, {"order": ()}),
    "by_score": Call(wrappers.by_score, {}, {"score": ("a function", "a type")}),
    "load_policy": Call(
        lambda **arguments: baselines.load_policy(**{"run_dir": originals.run()} | arguments),
        {},
        {"run_dir": (), "seed": ("None", "True"), "device": ("None",), "trust": ("True",)},
    ),
    "act": Call(_act, {}, {"observation": (), "action_mask": ("None",), "alive": ()}),
    "evaluate": Call(
        lambda **arguments: baselines.evaluate(**{"run_dir": originals.run(), "episodes": 1} | arguments),
        {"write": False},
        {"run_dir": (), "episodes": ("True",), "workers": ("None",)},
    ),
    "resume": Call(
        resume,
        {},
        {
            "run_dir": (),
        },
    ),
}


def called(name: str) -> Kind:
    """Cases of one function."""

    def kind(rng: Rng, folder: Path) -> Case:
        call = CALLS[name]
        argument = pick(rng, list(call.may_be))
        value = pick(rng, [value for value in VALUES if value not in call.may_be[argument]])
        return Case(
            f"{name}({argument}={value})",
            lambda: call.function(**{**call.given, argument: VALUES[value]}),
        )

    return kind


def any_call(rng: Rng, folder: Path) -> Case:
    """One of the functions with one wrong argument."""
    return called(pick(rng, list(CALLS)))(rng, folder)


# --- games ---


@functools.cache
def game_arguments() -> list[tuple[str, str, Any]]:
    """Every argument of every game that can be made here, with its default."""
    found = []
    for id in stmg_envs.list_envs():
        try:
            parameters = inspect.signature(stmg_envs.game_spec(id).load()).parameters.values()
        except MissingEngineError:
            continue
        found += [(id, p.name, p.default) for p in parameters if p.name not in ("render_mode", "priority")]
    # What nothing may stand for is of no certain kind.
    return [(id, name, default) for id, name, default in found if default is not None]


ALSO = {"agent_obsk": ("None",), "opponent": ("a type", "a function")}
"""What arguments of games may be beside what their default is."""


def other_kinds(default: Any) -> list[str]:
    """Values that are of another kind than an argument's default."""
    number = isinstance(default, int | float) and not isinstance(default, bool)
    fine = NUMBERS if number else ()
    return [name for name, value in VALUES.items() if name not in fine and type(value) is not type(default)]


def game_argument(rng: Rng, folder: Path) -> Case:
    """A game with one argument of another kind."""
    id, name, default = pick(rng, game_arguments())
    value = pick(rng, [value for value in other_kinds(default) if value not in ALSO.get(name, ())])
    return Case(f"{id}({name}={value})", lambda: stmg_envs.make_game(id, **{name: VALUES[value]}))


# --- trainings ---

TRAINING: dict[str, tuple[str, ...]] = {
    "algorithm": (),
    "env_id": (),
    "seeds": ("True",),
    "env_args": ("None", "an empty list"),
    "device": (),
    "priority": ("None",),
    "workers": (),
    "preset": ("None",),
    "out": ("None", "a word", "half a surrogate pair", "a path"),
    "processes": ("True",),
    "watch": ("None", "a function", "a type"),
    "wandb": ("None",),
}
FIELDS = {bool: ("True",), float: ("a fraction",), int: (), str: ("no text",)}


def training(rng: Rng, folder: Path) -> Case:
    """`train` with one wrong argument or field; nothing may be left of it."""
    config = {field.name: field for field in dataclasses.fields(algorithm_spec("mappo").config_class)}
    fields = bool(rng.integers(2))
    name = pick(rng, list(config if fields else TRAINING))
    fine = FIELDS[type(config[name].default)] if fields else TRAINING[name]
    value = pick(rng, [value for value in VALUES if value not in fine])
    arguments = {"algorithm": "mappo", "env_id": PENALTY, "out": folder / "run", **originals.SETTINGS}

    def call() -> Any:
        try:
            return baselines.train(**{**arguments, name: VALUES[value]})
        finally:
            if (folder / "run").exists():
                raise RuntimeError("something is left of a training that was refused")

    return Case(f"train({name}={value})", call)


ARGUMENTS: dict[str, Kind] = {
    "arguments": any_call,
    "arguments of games": game_argument,
    "arguments of trainings": training,
}
torch.set_num_threads(1)
