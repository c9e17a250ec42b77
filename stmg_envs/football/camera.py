"""The engine's own pictures of a match, without a screen.

Engines that render are slow and there can be only one in a process, so matches are played by engines that do
not, and the moment to be shown is copied to the one that does. It draws through EGL: on the processor with
Mesa's driver, or on a graphics card.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmg_envs.football.match import Match, load_engine

WIDTH, HEIGHT = 640, 360
"""Of pictures, in pixels."""

_cameras: list[Any] = []
"""The engine that renders, once there is one."""


def picture(match: Match) -> NDArray[np.uint8]:
    """The present moment of a match as television shows it, a new uint8 array (HEIGHT, WIDTH, 3)."""
    if not _cameras:
        _cameras.append(_load_camera())
    camera = _cameras[0]
    match.copy_to(camera)
    # The camera follows the ball only from the second picture on.
    for swap in (False, True):
        camera.render(swap)
    planes = np.frombuffer(camera.get_frame(), np.uint8).reshape(-1, 3).T
    return np.ascontiguousarray(planes.reshape(3, HEIGHT, WIDTH).transpose(1, 2, 0)[::-1])


def _load_camera() -> Any:
    # With a display the engine would open a window.
    display = os.environ.pop("DISPLAY", None)
    try:
        return load_engine(render=True, width=WIDTH, height=HEIGHT)
    finally:
        if display is not None:
            os.environ["DISPLAY"] = display
