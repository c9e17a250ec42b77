"""Random battles of JaxMARL's SMAX, played for `benchmarks.combat_speed` in an environment that has jaxmarl.

Reads "map environments steps" from the standard input, a line per measurement, and answers with "seconds",
those by the clock and those that it computed. A step is everything a learner asks for: observations,
states, rewards, masks, and the restart of episodes. Agents play uniformly among what is available, enemies
by SMAX's heuristic.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jaxmarl
from jaxmarl.environments.smax import map_name_to_scenario

Carry = tuple[Any, Any]
"""Observations and states."""


def advance(env: Any, num_envs: int, carry: Carry, key: Any) -> tuple[Carry, Any]:
    """One step of a batch."""
    _, state = carry
    drawing, stepping = jax.random.split(key)
    legal = jax.vmap(env.get_avail_actions)(state)
    draws = jax.random.uniform(drawing, (len(legal), num_envs, next(iter(legal.values())).shape[1]))
    actions = {
        agent: jax.numpy.where(legal[agent] > 0, draw, -1.0).argmax(axis=-1)
        for agent, draw in zip(legal, draws, strict=True)
    }
    keys = jax.random.split(stepping, num_envs)
    observations, state, rewards, *_ = jax.vmap(env.step)(keys, state, actions)
    return (observations, state), rewards


@cache
def battles(name: str, num_envs: int, steps: int) -> Callable[[], None]:
    """So many steps of a batch on a map, compiled and played once."""
    env = jaxmarl.make("HeuristicEnemySMAX", scenario=map_name_to_scenario(name))
    step = partial(advance, env, num_envs)
    play = jax.jit(lambda carry, key: jax.lax.scan(step, carry, jax.random.split(key, steps)))
    reset = jax.jit(jax.vmap(env.reset))
    carry = reset(jax.random.split(jax.random.key(0), num_envs))
    keys = iter(jax.random.split(jax.random.key(1), 10_000))

    def advance_all() -> None:
        nonlocal carry
        carry, _ = jax.block_until_ready(play(carry, next(keys)))

    # What comes out has other types than what a reset gives, so it is compiled twice.
    advance_all()
    advance_all()
    return advance_all


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        name, num_envs, steps = line.split()
        play = battles(name, int(num_envs), int(steps))
        start, busy = time.perf_counter(), time.process_time()
        play()
        print("seconds", time.perf_counter() - start, time.process_time() - busy, flush=True)


if __name__ == "__main__":
    main()
