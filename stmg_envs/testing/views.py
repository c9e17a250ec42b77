"""What the views on a game do, by the checks of PettingZoo and Gymnasium, and with seeds and orders."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, Space
from gymnasium.utils.env_checker import check_env

from stmg_envs.protocol import PriorityParallelEnv, TurnBasedEnv, TurnStreamEnv

CYCLES = 40
Make = Callable[[str | None], PriorityParallelEnv]
"""Makes a parallel view with a render mode or none."""


def views(make: Make) -> Iterator[str]:
    """Findings about the parallel, turn-based and stream views.

    Args:
        make: makes the parallel view.
    """
    checks: dict[str, Callable[[Make], Iterator[str]]] = {
        "the parallel view": _parallel,
        "the turn-based view": _turns,
        "the stream of turns": _stream,
        "seeds": _seeds,
        "orders of decision": _orders,
        "pictures": _pictures,
    }
    for what, check in checks.items():
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            # Of the libraries, about what they have not met, such as turns within a step.
            warnings.simplefilter("ignore")
            try:
                yield from check(make)
            # Whatever others' code raises, assertions of the libraries included.
            except Exception as error:
                yield f"{what}: {type(error).__name__}: {error}"


def _parallel(make: Make) -> Iterator[str]:
    # PettingZoo's checks import what PettingZoo deprecates.
    from pettingzoo.test import parallel_api_test

    parallel_api_test(make(None), num_cycles=CYCLES)
    return iter(())


def _turns(make: Make) -> Iterator[str]:
    from pettingzoo.test import api_test

    api_test(TurnBasedEnv(make(None)), num_cycles=CYCLES)
    return iter(())


def _stream(make: Make) -> Iterator[str]:
    check_env(TurnStreamEnv(make(None)), skip_render_check=True)
    return iter(())


def _seeds(make: Make) -> Iterator[str]:
    played = [_play(make(None), seed=3) for _ in range(2)]
    if not _equal(*played):
        yield "seeds: two episodes of the same seed differ; expected that all randomness comes from the seed"


def _orders(make: Make) -> Iterator[str]:
    env = make(None)
    turns = TurnBasedEnv(env)
    order = tuple(reversed(env.possible_agents))
    turns.reset(seed=0, options={"priority": list(order)})
    present = tuple(agent for agent in order if agent in turns.agents)
    if turns.agent_selection != present[0]:
        yield f"orders of decision: {turns.agent_selection} is first under {order}; expected {present[0]}"
    graph = env.neighbors()
    n = len(env.possible_agents)
    if graph.shape != (n, n) or graph.dtype != np.bool_:
        yield f"neighbors gives {graph.dtype} {graph.shape}; expected bool {(n, n)}"


def _pictures(make: Make) -> Iterator[str]:
    for mode in make(None).metadata.get("render_modes", ()):
        env = make(mode)
        env.reset(seed=0)
        picture = env.render()
        good = isinstance(picture, str) and picture if mode == "ansi" else _is_picture(picture)
        if not good:
            kind = "text" if mode == "ansi" else "uint8 (H, W, 3)"
            yield f"pictures: render gives {type(picture).__name__} for {mode!r}; expected {kind}"


def _is_picture(picture: Any) -> bool:
    return isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape[2:] == (3,)


def _play(env: PriorityParallelEnv, seed: int) -> list[Any]:
    """What a parallel view tells in random play of some steps."""
    generator = np.random.default_rng(0)
    observations, infos = env.reset(seed=seed)
    told: list[Any] = [observations]
    for _ in range(CYCLES):
        if not env.agents:
            observations, infos = env.reset()
        actions = {agent: _sample(env.action_space(agent), infos[agent], generator) for agent in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        told += [observations, rewards, terminations, truncations]
    return told


def _sample(space: Space[Any], info: dict[str, Any], generator: np.random.Generator) -> Any:
    space.seed(int(generator.integers(2**31)))
    if isinstance(space, Discrete) and "action_mask" in info:
        return space.sample(mask=np.asarray(info["action_mask"], np.int8)[: space.n])
    return space.sample()


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return np.array_equal(one, other, equal_nan=isinstance(one, np.ndarray) and one.dtype.kind == "f")
