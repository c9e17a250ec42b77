"""MuJoCo's batch of simulations as a pure function: fields of B simulations in, fields of B out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import mujoco
import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

Array = NDArray[np.float64]

Fields = Mapping[str, Array]
"""Arrays of `MjData` by name, each with leading axis B."""

STATE = ("qpos", "qvel", "qacc_warmstart")
"""What the next step depends on, to the last bit, beside the controls; these models keep nothing else."""

CONTACT_FORCES = "cfrc_ext"
"""The one field that `mj_step` leaves to `mj_rnePostConstraint`."""


class Simulation:
    """Steps of one model.

    Nothing lasts between two calls: results do not depend on the batch, on the threads, or on what was
    computed before.

    Args:
        model: the model.
        frame_skip: steps of MuJoCo in one of ours.
        fields: fields of `MjData` to compute beyond `STATE`. As in MuJoCo they belong to the last stage of
            the integrator, not to the positions that it arrives at.
        threads: how many step a batch.
    """

    def __init__(self, model: mujoco.MjModel, frame_skip: int, fields: Collection[str], threads: int) -> None:
        self.model = model
        self.frame_skip = frame_skip
        self.threads = threads
        self._derived = sorted(set(fields) - {*STATE, CONTACT_FORCES})
        self._contacts = CONTACT_FORCES in fields
        self._data = mujoco.MjData(model)
        self._batch: Batch | None = None
        self._live: dict[str, NDArray[Any]] = {}

    def start(self, qpos: Array, qvel: Array) -> dict[str, Array]:
        """Fields of simulations that are set to positions (B, nq) and velocities (B, nv)."""
        fields: dict[str, Array] = {"qpos": qpos, "qvel": qvel, "qacc_warmstart": np.zeros_like(qvel)}
        if self._derived:
            batch, slots = self._load(fields, np.zeros((len(qpos), self.model.nu)))
            batch.forward(slots)
            fields |= {name: self._live[name][: len(qpos)].copy() for name in self._derived}
        if self._contacts:
            fields[CONTACT_FORCES] = np.zeros((len(qpos), self.model.nbody, 6))
        return fields

    def step(self, fields: Fields, controls: Array) -> dict[str, Array]:
        """Fields after one step.

        Args:
            fields: `STATE`, at least.
            controls: of all actuators, (B, nu); MuJoCo clips them to the actuators' ranges.
        """
        size = len(controls)
        batch, slots = self._load(fields, controls)
        batch.step(slots, self.frame_skip)
        moved = {name: self._live[name][:size].copy() for name in (*STATE, *self._derived)}
        if self._contacts:
            moved[CONTACT_FORCES] = self._contact_forces(batch, size)
        return moved

    def __getstate__(self) -> dict[str, Any]:
        # A batch cannot be copied, and nothing of it is needed again.
        return {**vars(self), "_batch": None, "_live": {}}

    def _load(self, fields: Fields, controls: Array) -> tuple[Batch, NDArray[np.int32] | None]:
        """The batch with these states in its first slots, and which slots these are."""
        size = len(controls)
        if self._batch is None or self._batch.nsim < size:
            # Contact forces are computed from what a simulation of its own keeps of its last stage.
            self._batch = Batch(self.model, size, self.threads, persistent=self._contacts)
            names = (*STATE, *self._derived, "ctrl", "ncon")
            self._live = {name: self._batch.bind(name) for name in names}
        for name in STATE:
            self._live[name][:size] = fields[name]
        self._live["ctrl"][:size] = controls
        return self._batch, None if self._batch.nsim == size else np.arange(size, dtype=np.int32)

    def _contact_forces(self, batch: Batch, size: int) -> Array:
        """Forces on every body, (B, nbody, 6): torque, force."""
        forces = np.zeros((size, self.model.nbody, 6))
        for slot in np.flatnonzero(self._live["ncon"][:size]).tolist():
            batch.get_data(slot, self._data)
            mujoco.mj_rnePostConstraint(self.model, self._data)
            forces[slot] = self._data.cfrc_ext
        return forces
