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
        before: fields of the simulation before it.
        after: and after it.
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
        """Fields of `MjData` that are needed."""

    def terms(self, motion: Motion) -> dict[str, Array]:
        """The parts of the reward, each (B,); the reward is their sum."""

    def failed(self, fields: Fields) -> NDArray[np.bool_]:
        """Episodes that end here, (B,)."""


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
        sources: fields that `progress` needs beside the positions.
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
    sources: tuple[str, ...] = ()
    alive: float = 0.0
    healthy: tuple[tuple[int, float, float], ...] = ()
    magnitude: float = np.inf
    contact_weight: float = 0.0
    force_limit: float = np.inf
    contact_limit: float = np.inf

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.sources, "cfrc_ext") if self.contact_weight else self.sources

    def terms(self, motion: Motion) -> dict[str, Array]:
        before, after = (self.progress(motion.model, fields) for fields in (motion.before, motion.after))
        terms: dict[str, Array] = {
            "reward_forward": self.forward_weight * (after - before) / motion.duration,
            "reward_ctrl": -self.control_weight * _squares(motion.action),
        }
        if self.alive:
            terms["reward_survive"] = np.where(self.failed(motion.after), 0, self.alive)
        if self.contact_weight:
            forces = np.clip(motion.after["cfrc_ext"], -self.force_limit, self.force_limit)
            terms["reward_contact"] = -np.minimum(self.contact_weight * _squares(forces), self.contact_limit)
        return terms

    def failed(self, fields: Fields) -> NDArray[np.bool_]:
        qpos = fields["qpos"]
        failed = np.zeros(len(qpos), dtype=bool)
        if not self.healthy:
            return failed
        for index, low, high in self.healthy:
            failed |= ~((low < qpos[:, index]) & (qpos[:, index] < high))
        for values in (qpos[:, 2:], fields["qvel"]):
            failed |= ~(np.abs(values) < self.magnitude).all(axis=1)
        return failed


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

    def terms(self, motion: Motion) -> dict[str, Array]:
        impact = self.impact_weight * _squares(motion.after["cfrc_ext"])
        height = motion.after["qpos"][:, 2]
        return {
            "reward_linup": height / motion.model.opt.timestep,
            "reward_quadctrl": -self.control_weight * _squares(motion.action),
            "reward_impact": -np.minimum(impact, self.impact_limit),
            "reward_alive": np.ones_like(height),
        }

    def failed(self, fields: Fields) -> NDArray[np.bool_]:
        return np.zeros(len(fields["qpos"]), dtype=bool)


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

    def terms(self, motion: Motion) -> dict[str, Array]:
        terms = {}
        for name, one, other, weight in self.distances:
            bodies = [motion.model.body(body).id for body in (one, other)]
            apart = np.subtract(*motion.after["xpos"][:, bodies].swapaxes(0, 1))
            terms[name] = -weight * np.sqrt(_squares(apart))
        return {**terms, "reward_ctrl": -self.control_weight * _squares(motion.action)}

    def failed(self, fields: Fields) -> NDArray[np.bool_]:
        return np.zeros(len(fields["qpos"]), dtype=bool)


def _squares(values: Array) -> Array:
    """Sums of squares of everything but the batch axis, (B,)."""
    return np.square(values).reshape(len(values), -1).sum(axis=1)
