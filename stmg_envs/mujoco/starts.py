"""First positions and velocities: Gymnasium's distributions, drawn from our streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import mujoco
import numpy as np
import torch
from numpy.typing import NDArray

from stmg_envs.mujoco.simulation import Array
from stmg_envs.protocol import Streams

Start = Callable[[mujoco.MjModel, Streams], tuple[Array, Array]]
"""Positions (B, nq) and velocities (B, nv) of B episodes."""

CANDIDATES = 64
"""Places drawn at once, of which the first that is allowed counts; all are refused once in 1e27 draws."""


@dataclass(frozen=True)
class NearRest:
    """Positions near the model's, and small velocities.

    Attributes:
        scale: half the width of uniform noise, or the deviation of normal noise.
        velocity: how velocities are distributed; positions are uniform.
    """

    scale: float
    velocity: Literal["uniform", "normal"] = "uniform"

    def __call__(self, model: mujoco.MjModel, streams: Streams) -> tuple[Array, Array]:
        qpos = model.qpos0 + _uniform(streams, self.scale, model.nq)
        if self.velocity == "uniform":
            return qpos, _uniform(streams, self.scale, model.nv)
        return qpos, self.scale * streams.normal(model.nv).double().cpu().numpy()


def reacher(model: mujoco.MjModel, streams: Streams) -> tuple[Array, Array]:
    """Angles within 0.1, velocities within 0.005, the target at rest in a disc of radius 0.2."""
    qpos, qvel = model.qpos0 + _uniform(streams, 0.1, model.nq), _uniform(streams, 0.005, model.nv)
    places = _uniform(streams, 0.2, CANDIDATES, 2)
    qpos[:, -2:] = _first(places, np.linalg.norm(places, axis=-1) < 0.2)
    qvel[:, -2:] = 0
    return qpos, qvel


def pusher(model: mujoco.MjModel, streams: Streams) -> tuple[Array, Array]:
    """The arm as in the model, velocities within 0.005, the object at rest more than 0.17 from the goal."""
    qpos = np.repeat(model.qpos0[None], len(streams.keys), axis=0)
    qvel = _uniform(streams, 0.005, model.nv)
    places = _uniform(streams, 1, CANDIDATES, 2) * [0.15, 0.2] - [0.15, 0]
    qpos[:, -4:-2] = _first(places, np.linalg.norm(places, axis=-1) > 0.17)
    qpos[:, -2:] = 0
    qvel[:, -4:] = 0
    return qpos, qvel


def _uniform(streams: Streams, scale: float, *shape: int) -> Array:
    """Uniform on (-scale, scale), (B, *shape)."""
    draws = streams.uniform(*shape, dtype=torch.float64).cpu().numpy()
    return scale * (2 * draws - 1)


def _first(places: Array, allowed: NDArray[np.bool_]) -> Array:
    """The first allowed place of each row, (B, 2)."""
    return places[np.arange(len(places)), allowed.argmax(axis=1)]
