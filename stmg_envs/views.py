"""The four views of a game by its id."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, get_type_hints

import gymnasium
import torch

from stmg_envs.arguments import (
    MOST_THREADS,
    require_count,
    require_flag,
    require_no_workers,
    require_positive,
    require_text,
    shown,
)
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.pool import ANSWER_SECONDS
from stmg_envs.protocol.aec import TurnBasedEnv
from stmg_envs.protocol.game import Game
from stmg_envs.protocol.parallel import GameParallelEnv, PriorityParallelEnv
from stmg_envs.protocol.parallel_spaces import ParallelSpaces
from stmg_envs.protocol.spaces import JointSpaces
from stmg_envs.protocol.stream import RewardMode, TurnStreamEnv
from stmg_envs.protocol.threads import default_threads
from stmg_envs.protocol.vector import GameVectorEnv, JointVectorEnv
from stmg_envs.protocol.vector_stream import TurnStreamVectorEnv
from stmg_envs.registry import game_spec

VIEW_ARGUMENTS = ("render_mode", "priority")
"""What the constructors of engines' environments take beside the arguments of the game."""


def _game(id: str, backend: str | None, kwargs: dict[str, Any]) -> Game | None:
    """The game of an id, or None if an engine computes it; either has the arguments."""
    factory = game_spec(id).load(backend)
    accepted = [name for name in inspect.signature(factory).parameters if name not in VIEW_ARGUMENTS]
    for name in kwargs:
        if name not in accepted:
            raise InvalidArgumentError(
                f"{name}={shown(kwargs[name])} is no argument of {id}; expected one of {accepted or 'none'}"
            )
    _require_kinds(factory, kwargs)
    return factory(**kwargs) if isinstance(factory, type) and issubclass(factory, Game) else None


def _require_kinds(factory: Callable[..., Any], kwargs: dict[str, Any]) -> None:
    """Raise InvalidArgumentError where a flag or a text is something else; numbers are a game's business."""
    for name, kind in get_type_hints(factory.__init__).items():
        if name in kwargs and kind is bool:
            require_flag(name, kwargs[name])
        elif name in kwargs and kind is str:
            require_text(name, kwargs[name], str(inspect.signature(factory).parameters[name].default))


def make_game(id: str, *, backend: str | None = None, **kwargs: Any) -> Game:
    """The game of an id, without a view.

    Raises:
        UnknownNameError: for an unknown id.
        MissingEngineError: if the game's engine is not installed.
        InvalidArgumentError: for an argument the game does not have or does not accept, or a backend that
            is an engine.
    """
    game = _game(id, backend, kwargs)
    if game is None:
        name = backend or next(iter(game_spec(id).backends))
        raise InvalidArgumentError(
            f"backend={name!r} of {id} is an engine and has no native game; use parallel_env or vector_env"
        )
    return game


def joint_spaces(id: str, *, backend: str | None = None, **kwargs: Any) -> JointSpaces:
    """Agents and spaces of an id: the game itself, or what an engine's environment says of itself.

    Raises:
        UnknownNameError, MissingEngineError, InvalidArgumentError: see `make_game`.
    """
    game = _game(id, backend, kwargs)
    return ParallelSpaces(parallel_env(id, backend=backend, **kwargs)) if game is None else game


def parallel_env(
    id: str,
    *,
    render_mode: str | None = None,
    priority: object = None,
    backend: str | None = None,
    **kwargs: Any,
) -> PriorityParallelEnv:
    """View 1: a PettingZoo parallel environment, the joint step.

    Args:
        id: environment id.
        render_mode: a render mode of the game, or None.
        priority: agent names, first to decide first; the game's default by default.
        backend: what computes the game, "native" or the name of an engine; the row's first by default.
        **kwargs: arguments of the game.

    Raises:
        UnknownNameError, MissingEngineError, InvalidArgumentError: see `make_game`.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    game = _game(id, backend, kwargs)
    if game is not None:
        return GameParallelEnv(game, render_mode, priority)
    engine: Callable[..., Any] = game_spec(id).load(backend)
    env: PriorityParallelEnv = engine(render_mode=render_mode, priority=priority, **kwargs)
    return env


def aec_env(
    id: str,
    *,
    render_mode: str | None = None,
    priority: object = None,
    backend: str | None = None,
    **kwargs: Any,
) -> TurnBasedEnv:
    """View 2: a PettingZoo AEC environment, agents selected in priority order.

    Arguments and errors are those of `parallel_env`.
    """
    return TurnBasedEnv(
        parallel_env(id, render_mode=render_mode, priority=priority, backend=backend, **kwargs)
    )


def turn_stream(
    id: str,
    *,
    render_mode: str | None = None,
    priority: object = None,
    reward: RewardMode = "mean",
    backend: str | None = None,
    **kwargs: Any,
) -> TurnStreamEnv:
    """View 3: one stream of turns; what `gymnasium.make(id)` makes, without its wrappers.

    Arguments and errors are those of `parallel_env`, and `reward`, "mean" or "sum" over agents.
    """
    return TurnStreamEnv(
        parallel_env(id, render_mode=render_mode, priority=priority, backend=backend, **kwargs), reward
    )


def vector_env(
    id: str,
    num_envs: int,
    device: torch.device | str = "cpu",
    *,
    validate: bool = True,
    priority: object = None,
    backend: str | None = None,
    workers: int = 0,
    worker_timeout: float = ANSWER_SECONDS,
    threads: int | None = None,
    **kwargs: Any,
) -> JointVectorEnv:
    """View 4: a batch of environments as tensors, with per-agent rewards.

    Native games are computed at once; an engine's environments are stepped one after another, by this process
    or by workers, which changes no number.

    Args:
        id: environment id.
        num_envs: B.
        device: "cpu", "cuda", ...
        validate: check every action of a native game.
        priority: names or indices of shape (n,), or indices (B, n).
        backend: what computes the game, "native" or the name of an engine; the row's first by default.
        workers: processes that step an engine's environments (`stmg_envs.pool.PoolVectorEnv`); 0 steps them
            in this one. More than the machine has cores are of no use.
        worker_timeout: seconds for a step, after which a worker that does not answer counts as lost.
        threads: with which a native batch is computed, whatever else torch computes with; by default one, or
            what OMP_NUM_THREADS says. More serve batches of many thousands on cores with nothing else to do.
        **kwargs: arguments of the game.

    Raises:
        UnknownNameError, MissingEngineError, InvalidArgumentError: see `make_game`.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    require_positive(worker_timeout=worker_timeout)
    arguments = kwargs if threads is None else kwargs | _given_threads(id, threads, backend)
    game = _game(id, backend, arguments)
    env: JointVectorEnv
    if game is None:
        if threads is not None:
            raise InvalidArgumentError(
                f"threads={threads!r} of {id}: an engine's environments are stepped one after another; "
                f"expected workers, or the native backend"
            )
        # Here, for only engines need processes, which are slow to import.
        from stmg_envs.pool import engine_batch

        # The class and not the id, which workers know only of games of installed packages.
        engine: Callable[..., Any] = game_spec(id).load(backend)
        make = partial(engine, render_mode=None, priority=None, **kwargs)
        env = engine_batch(make, num_envs, device, workers, worker_timeout)
    else:
        require_no_workers(id, workers)
        env = GameVectorEnv(game, num_envs, device, validate, threads or default_threads())
    if priority is not None:
        env.priority = priority
    return env


def vector_turn_stream(
    id: str,
    num_envs: int = 1,
    *,
    render_mode: str | None = None,
    priority: object = None,
    reward: RewardMode = "mean",
    autoreset_mode: gymnasium.vector.AutoresetMode | str = gymnasium.vector.AutoresetMode.NEXT_STEP,
    threads: int | None = None,
    **kwargs: Any,
) -> TurnStreamVectorEnv:
    """The batched form of view 3 of native games; what `gymnasium.make_vec(id)` makes.

    Arguments and errors are those of `turn_stream`, with `num_envs`, `autoreset_mode` and `threads`, which is
    that of `vector_env`.
    """
    arguments = kwargs | ({} if threads is None else _given_threads(id, threads))
    game = _game(id, arguments.pop("backend", None), arguments)
    if game is None:
        raise InvalidArgumentError(
            f"{id} with {shown(kwargs)} runs on an engine, which has no batch; use gymnasium.make_vec with "
            f"vectorization_mode='sync' or 'async', or vector_env"
        )
    return TurnStreamVectorEnv(
        game,
        num_envs,
        reward,
        autoreset_mode,
        priority,
        render_mode,
        threads or default_threads(),
    )


def _given_threads(id: str, threads: int, backend: str | None = None) -> dict[str, Any]:
    """Threads as an argument of the game if it computes with threads of its own, as MuJoCo does."""
    require_count("threads", threads, 1, MOST_THREADS)
    accepted = inspect.signature(game_spec(id).load(backend)).parameters
    return {"threads": threads} if "threads" in accepted else {}
