"""Pictures of a body: MuJoCo's own, without a screen, and text."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from stmg_envs.errors import MissingEngineError
from stmg_envs.mujoco.limbs import Part
from stmg_envs.mujoco.simulation import Fields

HEIGHT, WIDTH = 360, 480
"""Pixels."""

CONTEXTS = {"Linux": "egl", "Darwin": "cgl", "Windows": "glfw"}
"""What makes pictures without a screen, by system."""

COLORS = (
    (0.12, 0.47, 0.71, 1.0),
    (1.00, 0.50, 0.05, 1.0),
    (0.17, 0.63, 0.17, 1.0),
    (0.84, 0.15, 0.16, 1.0),
    (0.58, 0.40, 0.74, 1.0),
    (0.55, 0.34, 0.29, 1.0),
)
"""Of what each agent moves."""


class Picture:
    """Draws states of one model; what an agent moves has the agent's colour.

    Args:
        model: the model.
        parts: joints of each agent.
        distance: of the camera, metres, where the model has none that follows the body.

    Raises:
        MissingEngineError: where there is no OpenGL without a screen.
    """

    def __init__(self, model: mujoco.MjModel, parts: Sequence[Part], distance: float) -> None:
        name = os.environ.get("MUJOCO_GL") or CONTEXTS.get(platform.system(), "glfw")
        try:
            self._context = importlib.import_module(f"mujoco.{name}").GLContext(WIDTH, HEIGHT)
            self._context.make_current()
        except (ImportError, AttributeError, OSError, RuntimeError) as error:
            raise MissingEngineError(
                f"MUJOCO_GL={name!r} draws nothing here ({error}); install EGL (Debian: apt-get install "
                "libegl1 libgl1-mesa-dri), or set MUJOCO_GL to 'osmesa' or 'glfw'"
            ) from error
        self._model = model
        self._data = mujoco.MjData(model)
        self._colors = _colored(model, parts)
        self._scene = mujoco.MjvScene(model, maxgeom=1000)
        self._camera = mujoco.MjvCamera()
        if model.ncam and model.camera(0).name.startswith("track"):
            self._camera.type, self._camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        else:
            mujoco.mjv_defaultFreeCamera(model, self._camera)
            self._camera.distance = distance
        self._gl = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._gl)

    def draw(self, fields: Fields, order: Sequence[int]) -> NDArray[np.uint8]:
        """The first of a batch of simulations, uint8 (360, 480, 3).

        Args:
            fields: of B simulations.
            order: agents in the order of decision, which is written above.
        """
        self._data.qpos[:], self._data.qvel[:] = fields["qpos"][0], fields["qvel"][0]
        mujoco.mj_forward(self._model, self._data)
        self._context.make_current()
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(
            self._model, self._data, mujoco.MjvOption(), None, self._camera, everything, self._scene
        )
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM and geom.objid in self._colors:
                geom.rgba[:], geom.matid = self._colors[geom.objid], -1
        frame = mujoco.MjrRect(0, 0, WIDTH, HEIGHT)
        mujoco.mjr_render(frame, self._scene, self._gl)
        pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, frame, self._gl)
        image = Image.fromarray(np.ascontiguousarray(pixels[::-1]))
        pen = ImageDraw.Draw(image)
        for rank, agent in enumerate(order):
            color = tuple(round(255 * value) for value in COLORS[agent % len(COLORS)][:3])
            pen.rectangle((8 + 24 * rank, 8, 26 + 24 * rank, 26), fill=color)
            pen.text((13 + 24 * rank, 11), str(agent), fill="white")
        return np.asarray(image)


def write(model: mujoco.MjModel, parts: Sequence[Part], fields: Fields, order: Sequence[int]) -> str:
    """The positions of all joints, radians or metres, agent by agent in the order of decision."""
    qpos = fields["qpos"][0]
    places = [{joint: int(model.joint(joint).qposadr[0]) for joint in part} for part in parts]
    moved = {place for part in places for place in part.values()}
    rest = (f"{value:+.2f}" for place, value in enumerate(qpos) if place not in moved)
    lines = ["nobody's  " + " ".join(rest)]
    for agent in order:
        angles = (f"{joint} {qpos[place]:+.2f}" for joint, place in places[agent].items())
        lines.append(f"agent_{agent}   " + "  ".join(angles))
    return "\n".join(lines)


def _colored(model: mujoco.MjModel, parts: Sequence[Part]) -> dict[int, tuple[float, float, float, float]]:
    """Colours of the geoms that agents move: those of the bodies at their joints, up to the next joint."""
    owners: dict[int, int] = {0: -1}
    holder = {joint: agent for agent, part in enumerate(parts) for joint in part}
    for body in range(1, model.nbody):
        first = model.body_jntadr[body]
        joints = [model.joint(first + index).name for index in range(model.body_jntnum[body])]
        own = [holder[joint] for joint in joints if joint in holder]
        owners[body] = own[0] if own else -1 if joints else owners[model.body_parentid[body]]
    return {
        geom: COLORS[owners[body] % len(COLORS)]
        for geom, body in enumerate(model.geom_bodyid)
        if owners[body] >= 0
    }
