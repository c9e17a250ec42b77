"""What a batch of engines' environments reads and writes: named arrays with a row for each environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stmg_envs.protocol.parallel_spaces import ParallelSpaces

Tables = dict[str, NDArray[Any]]
"""Arrays by name, each with leading axis B."""

Layout = dict[str, tuple[tuple[int, ...], DTypeLike]]
"""Shape and dtype of every table."""

FINAL = "final."
"""Before the names of observations: what agents saw of a step in which some of them ended."""


def observation_layout(spaces: ParallelSpaces, num_envs: int) -> Layout:
    """The tables of what is observed.

    | Table         | Type    | Shape           | Holds                                        |
    |---------------|---------|-----------------|----------------------------------------------|
    | `observation` | float32 | (B, n, obs_dim) | own observations                             |
    | `alive`       | bool    | (B, n)          | agents that decide                           |
    | `action_mask` | bool    | (B, n, A)       | legal actions; only if actions are discrete  |
    | `state`       | float32 | (B, state_dim)  | global state; only if there is one           |
    """
    layout: Layout = {
        "observation": ((num_envs, spaces.n, *spaces.observation_space.shape), np.float32),
        "alive": ((num_envs, spaces.n), np.bool_),
    }
    if spaces.discrete:
        layout["action_mask"] = ((num_envs, spaces.n, spaces.action_width), np.bool_)
    if spaces.state_space is not None:
        layout["state"] = ((num_envs, *spaces.state_space.shape), np.float32)
    return layout


def table_layout(spaces: ParallelSpaces, num_envs: int) -> Layout:
    """All tables: the present observations, `final.<name>` of steps in which somebody ended, and these.

    | Table          | Type             | Shape           | Holds                                     |
    |----------------|------------------|-----------------|-------------------------------------------|
    | `actions`      | int64 or float32 | (B, n[, dim])   | joint actions of the step                 |
    | `seeds`        | int64            | (B,)            | of the episodes to be begun next          |
    | `rewards`      | float32          | (B, n)          | of the step                               |
    | `terminated`   | bool             | (B,)            | episodes that the step has ended by rules |
    | `truncated`    | bool             | (B,)            | episodes that it has cut off              |
    | `terminations` | bool             | (B, n)          | agents whom it has ended by rules         |
    | `truncations`  | bool             | (B, n)          | agents whom it has cut off                |
    | `neighbors`    | bool             | (B, n, n)       | present neighbour graphs                  |
    """
    seen = observation_layout(spaces, num_envs)
    joint = (num_envs, spaces.n)
    return {
        **seen,
        **{FINAL + name: form for name, form in seen.items()},
        "actions": (joint, np.int64) if spaces.discrete else ((*joint, spaces.action_width), np.float32),
        "seeds": ((num_envs,), np.int64),
        "rewards": (joint, np.float32),
        "terminated": ((num_envs,), np.bool_),
        "truncated": ((num_envs,), np.bool_),
        "terminations": (joint, np.bool_),
        "truncations": (joint, np.bool_),
        "neighbors": ((*joint, spaces.n), np.bool_),
    }


def local_tables(layout: Layout) -> Tables:
    """Tables of this process alone."""
    return {name: np.zeros(shape, dtype) for name, (shape, dtype) in layout.items()}


def rows_of_tables(tables: Tables, rows: slice) -> Tables:
    """Some environments' part of every table."""
    return {name: table[rows] for name, table in tables.items()}
