"""Rewards and ends of episodes: Gymnasium's v5 tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

from stmg_envs.mujoco.simulation import Array, Fields


@dataclass(frozen=True)
class Motion:
    """One joint step of B episodes.

    Attributes:
        model: the model.
        duration: of the step, seconds.
        before: what the reward remembers of the simulation before it.
        after: fields of the simulation after it.
        action: what all actuators were told, (B, nu), not clipped.
    """

    model: mujoco.MjModel
    duration: float
    before: Fields
    after: Fields
    action: Array


class Reward(Protocol):
    """What a step is worth, and when an episode has failed."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of `MjData` that are needed after a step."""

    @property
    def remembered(self) -> tuple[str, ...]:
        """Those that are also needed as they were before it."""

    def __call__(self, motion: Motion) -> tuple[dict[str, Array], NDArray[np.bool_]]:
        """The terms of the reward, whose sum it is, each (B,), and which episodes end here, (B,)."""


Progress = Callable[[mujoco.MjModel, Fields], Array]
"""How far forward a body is, metres, (B,)."""


def root_x(model: mujoco.MjModel, fields: Fields) -> Array:
    """Where the first joint, a slide along x, is."""
    return fields["qpos"][:, 0]


def torso_x(model: mujoco.MjModel, fields: Fields) -> Array:
    """Where the first body is, at the integrator's last stage."""
    return fields["xpos"][:, 1, 0]


def mass_centre_x(model: mujoco.MjModel, fields: Fields) -> Array:
    """Where the centre of all mass is, at the integrator's last stage."""
    moments = np.ascontiguousarray(model.body_mass * fields["xipos"][..., 0])
    return moments.sum(axis=1) / model.body_mass.sum()


def mean_root_x(model: mujoco.MjModel, fields: Fields) -> Array:
    """Where two equal bodies are in the mean."""
    return (fields["qpos"][:, 0] + fields["qpos"][:, model.nq // 2]) / 2


@dataclass(frozen=True)
class Locomotion:
    """Going forward without effort, and, for some, without falling.

    Attributes:
        control_weight: cost of the sum of squared actions.
        forward_weight: worth of a metre per second.
        progress: what is to go forward.
        source: field from which `progress` is computed.
        alive: reward of every step in which the body is healthy.
        healthy: positions that must be in open intervals: index, low, high. An episode ends when one is not.
        magnitude: what all positions but the first two, and velocities, must stay below to be healthy.
        contact_weight: cost of the sum of squared contact forces.
        force_limit: contact forces count up to here.
        contact_limit: the most that contact costs.
    """

    control_weight: float
    forward_weight: float = 1.0
    progress: Progress = root_x
    source: str = "qpos"
    alive: float = 0.0
    healthy: tuple[tuple[int, float, float], ...] = ()
    magnitude: float = np.inf
    contact_weight: float = 0.0
    force_limit: float = np.inf
    contact_limit: float = np.inf

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.source, "cfrc_ext") if self.contact_weight else (self.source,)

    @property
    def remembered(self) -> tuple[str, ...]:
        return (self.source,)

    def __call__(self, motion: Motion) -> tuple[dict[str, Array], NDArray[np.bool_]]:
        before, after = (self.progress(motion.model, fields) for fields in (motion.before, motion.after))
        terms: dict[str, Array] = {
            "reward_forward": self.forward_weight * (after - before) / motion.duration,
            "reward_ctrl": -self.control_weight * _squares(motion.action),
        }
        healthy = self._healthy(motion.after)
        if self.healthy:
            terms["reward_survive"] = self.alive * healthy.astype(np.float64)
        if self.contact_weight:
            forces = np.minimum(np.square(motion.after["cfrc_ext"]), self.force_limit**2)
            cost = self.contact_weight * forces.reshape(len(forces), -1).sum(axis=1)
            terms["reward_contact"] = -np.minimum(cost, self.contact_limit)
        return terms, ~healthy

    def _healthy(self, fields: Fields) -> NDArray[np.bool_]:
        qpos, qvel = fields["qpos"], fields["qvel"]
        healthy = np.ones(len(qpos), dtype=bool)
        for index, low, high in self.healthy:
            healthy &= (low < qpos[:, index]) & (qpos[:, index] < high)
        if self.healthy:
            moving = np.concatenate([qpos[:, 2:], qvel], axis=1)
            healthy &= (np.abs(moving) < self.magnitude).all(axis=1)
        return healthy


@dataclass(frozen=True)
class StandingUp:
    """Getting the torso up: its height over the time of one step of MuJoCo, as Gymnasium has it.

    Attributes:
        control_weight: cost of the sum of squared actions.
        impact_weight: cost of the sum of squared contact forces.
        impact_limit: the most that contact costs.
    """

    control_weight: float = 0.1
    impact_weight: float = 0.5e-6
    impact_limit: float = 10.0
    fields: tuple[str, ...] = ("cfrc_ext",)
    remembered: tuple[str, ...] = ()

    def __call__(self, motion: Motion) -> tuple[dict[str, Array], NDArray[np.bool_]]:
        impact = self.impact_weight * _squares(motion.after["cfrc_ext"])
        height = motion.after["qpos"][:, 2]
        terms = {
            "reward_linup": height / motion.model.opt.timestep,
            "reward_quadctrl": -self.control_weight * _squares(motion.action),
            "reward_impact": -np.minimum(impact, self.impact_limit),
            "reward_alive": np.ones_like(height),
        }
        return terms, np.zeros(len(height), dtype=bool)


@dataclass(frozen=True)
class Reaching:
    """Bringing bodies together without effort.

    Attributes:
        distances: cost of each metre between two bodies: name of the term, bodies, weight.
        control_weight: cost of the sum of squared actions.
    """

    distances: tuple[tuple[str, str, str, float], ...]
    control_weight: float
    fields: tuple[str, ...] = ("xpos",)
    remembered: tuple[str, ...] = ()

    def __call__(self, motion: Motion) -> tuple[dict[str, Array], NDArray[np.bool_]]:
        terms = {}
        for name, one, other, weight in self.distances:
            bodies = [motion.model.body(body).id for body in (one, other)]
            apart = np.subtract(*motion.after["xpos"][:, bodies].swapaxes(0, 1))
            terms[name] = -weight * np.sqrt(_squares(apart))
        terms["reward_ctrl"] = -self.control_weight * _squares(motion.action)
        return terms, np.zeros(len(motion.action), dtype=bool)


def _squares(values: Array) -> Array:
    """Sums of squares of everything but the batch axis, (B,)."""
    return np.square(values).reshape(len(values), -1).sum(axis=1)
