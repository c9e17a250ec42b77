"""What can be seen of a simulation, and which of it each agent sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

from stmg_envs.mujoco.limbs import Limbs, Part
from stmg_envs.mujoco.simulation import Array, Fields

Extent = slice | str | int
"""Elements of a feature by their place in it, or all of a body by its name or number."""


@dataclass(frozen=True)
class Feature:
    """Numbers computed from fields of `MjData`.

    Attributes:
        fields: what it is computed from.
        compute: from these fields, (B, ...).
        of: what its first axis after B counts: positions, velocities or bodies of the model; "whole" if
            it belongs to nothing in particular.
    """

    fields: tuple[str, ...]
    compute: Callable[..., Array]
    of: Literal["position", "velocity", "body", "whole"]


def _same(values: Array) -> Array:
    return values


def _pull(sites: Array) -> Array:
    """How a tendon between two sites lengthens as each moves along x and z, (B, 4)."""
    between = sites[:, 1] - sites[:, 0]
    along = (between / np.linalg.norm(between, axis=-1, keepdims=True))[:, [0, 2]]
    return np.concatenate([-along, along], axis=-1)


FINGERTIP, TARGET = 3, 4
"""Bodies of the reacher."""

FEATURES: Mapping[str, Feature] = {
    "qpos": Feature(("qpos",), _same, "position"),
    "sin": Feature(("qpos",), np.sin, "position"),
    "cos": Feature(("qpos",), np.cos, "position"),
    "qvel": Feature(("qvel",), _same, "velocity"),
    "clipped qvel": Feature(("qvel",), lambda qvel: np.clip(qvel, -10, 10), "velocity"),
    "qfrc_actuator": Feature(("qfrc_actuator",), _same, "velocity"),
    "cinert": Feature(("cinert",), _same, "body"),
    "cvel": Feature(("cvel",), _same, "body"),
    "cfrc_ext": Feature(("cfrc_ext",), _same, "body"),
    "clipped cfrc_ext": Feature(("cfrc_ext",), lambda forces: np.clip(forces, -1, 1), "body"),
    "xpos": Feature(("xpos",), _same, "body"),
    "miss": Feature(("xpos",), lambda xpos: xpos[:, FINGERTIP] - xpos[:, TARGET], "whole"),
    "tendon pull": Feature(("site_xpos",), _pull, "whole"),
    "ten_length": Feature(("ten_length",), _same, "whole"),
    "ten_velocity": Feature(("ten_velocity",), _same, "whole"),
}
"""All features, named as the fields of `MjData` that they show."""


@dataclass(frozen=True)
class View:
    """What agents see of a body.

    Attributes:
        own: features of an agent's own joints, joint by joint.
        state: the global state: features, and which elements of them.
        shared: what every agent sees at the end of its own observation.
        others: features of joints further away.
        extras: features of single joints that only the agent sees whose they are.
        bodies: bodies at each joint; an agent sees each only once.
        velocities: the velocities of a joint, where it has others than its own.
    """

    own: tuple[str, ...]
    state: tuple[tuple[str, Extent], ...]
    shared: tuple[tuple[str, Extent], ...]
    others: tuple[str, ...] = ("qpos",)
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bodies: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    velocities: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        """All features that are seen by anybody."""
        named = [*self.own, *self.others, *(name for extra in self.extras.values() for name in extra)]
        return tuple(dict.fromkeys([*named, *(name for name, _ in (*self.state, *self.shared))]))

    @property
    def fields(self) -> set[str]:
        """Fields of `MjData` that these are computed from."""
        return {source for name in self.features for source in FEATURES[name].fields}


class Layout:
    """All features of a view in one row, and where what is seen stands in it.

    The first two columns are the constants 0 and 1, for padding and for one-hot ids.

    Args:
        model: the model.
        view: what agents see.
        fields: fields of a simulation, of which only the shapes count.
    """

    def __init__(self, model: mujoco.MjModel, view: View, fields: Fields) -> None:
        self.model = model
        self.view = view
        self._features = view.features
        self._starts: dict[str, int] = {}
        self._widths: dict[str, int] = {}
        self._strides: dict[str, int] = {}
        end = 2
        for name in self._features:
            shape = self._compute(name, fields).shape[1:]
            self._starts[name], self._widths[name] = end, int(np.prod(shape))
            self._strides[name] = int(np.prod(shape[1:]))
            end += self._widths[name]
        self._end = end

    def row(self, fields: Fields) -> NDArray[np.float32]:
        """All numbers that anybody sees, (B, columns)."""
        row = np.empty((len(fields["qpos"]), self._end), np.float32)
        row[:, 0], row[:, 1] = 0, 1
        for name in self._features:
            start = self._starts[name]
            row[:, start : start + self._widths[name]] = self._compute(name, fields).reshape(len(row), -1)
        return row

    def state(self) -> NDArray[np.intp]:
        """Columns of the global state."""
        return self._columns(self.view.state)

    def whole(self, n: int) -> NDArray[np.intp]:
        """Columns of n observations that are the whole state and a one-hot id, (n, width)."""
        return np.stack([np.concatenate([self.state(), row]) for row in np.eye(n, dtype=np.intp)])

    def local(self, limbs: Limbs, parts: Sequence[Part], hops: int) -> NDArray[np.intp]:
        """Columns of observations of what is within so many hops, zeros at the end, (n, width)."""
        shared = self._columns(self.view.shared)
        seen = []
        for part in parts:
            columns: list[int] = []
            own, *rings = limbs.within(part, hops)
            for joint in own:
                for name in (*self.view.own, *self.view.extras.get(joint, ())):
                    columns += [column for column in self._of_joint(name, joint) if column not in columns]
            for joint in (joint for ring in rings for joint in ring):
                columns += [column for name in self.view.others for column in self._of_joint(name, joint)]
            seen.append(np.concatenate([np.array(columns, dtype=np.intp), shared]))
        table = np.zeros((len(parts), max(map(len, seen))), dtype=np.intp)
        for row, known in zip(table, seen, strict=True):
            row[: len(known)] = known
        return table

    def _compute(self, name: str, fields: Fields) -> Array:
        feature = FEATURES[name]
        return feature.compute(*(fields[source] for source in feature.fields))

    def _columns(self, extents: Sequence[tuple[str, Extent]]) -> NDArray[np.intp]:
        columns = [column for name, extent in extents for column in self._extent(name, extent)]
        return np.array(columns, dtype=np.intp)

    def _extent(self, name: str, extent: Extent) -> NDArray[np.intp]:
        columns = self._starts[name] + np.arange(self._widths[name])
        if isinstance(extent, slice):
            return columns[extent]
        body, stride = self.model.body(extent).id, self._strides[name]
        return columns[body * stride : (body + 1) * stride]

    def _of_joint(self, name: str, joint: str) -> list[int]:
        """Columns of a feature that belong to a joint."""
        start = self._starts[name]
        match FEATURES[name].of:
            case "position":
                return [start + int(self.model.joint(joint).qposadr[0])]
            case "velocity":
                velocities = self.view.velocities.get(joint, (int(self.model.joint(joint).dofadr[0]),))
                return [start + velocity for velocity in velocities]
            case "body":
                bodies = self.view.bodies[joint]
                return [int(column) for body in bodies for column in self._extent(name, body)]
            case "whole":
                return [start + element for element in range(self._widths[name])]
