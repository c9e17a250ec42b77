"""The engine's own pictures of a match, without a screen.

Engines that render are slow and there can be only one in a process, so matches are played by engines that do
not, and the moment to be shown is copied to the one that does. It draws through EGL: on the processor with
Mesa's driver, or on a graphics card.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmg_envs.football.egl_context import EGLContext
from stmg_envs.football.match import Match, load_engine

WIDTH, HEIGHT = 640, 360
"""Of pictures, in pixels."""


class Camera:
    """The engine that renders, and what it looks at."""

    def __init__(self) -> None:
        self._engine = _load()
        self._context = EGLContext()
        self._match: object = None

    def picture(self, match: Match) -> NDArray[np.uint8]:
        """The present moment of a match, see `picture`."""
        # Others draw in this process too, MuJoCo for one; in their context the engine would crash.
        self._context.make_current()
        if self._match != match.identity:
            match.reset(self._engine)
            match.show(self._engine)
            # The view moves to the ball with the first picture of a match, so that the second is to be shown.
            self._engine.render(False)
            self._match = match.identity
        match.show(self._engine)
        self._engine.render(True)
        planes = np.frombuffer(self._engine.get_frame(), np.uint8).reshape(-1, 3).T
        return np.ascontiguousarray(planes.reshape(3, HEIGHT, WIDTH).transpose(1, 2, 0)[::-1])


def picture(match: Match) -> NDArray[np.uint8]:
    """The present moment of a match as television shows it, a new uint8 array (HEIGHT, WIDTH, 3)."""
    return _camera().picture(match)


@cache
def _camera() -> Camera:
    """The camera of this process."""
    return Camera()


def _load() -> Any:
    # With a display the engine would open a window.
    display = os.environ.pop("DISPLAY", None)
    try:
        return load_engine(render=True, width=WIDTH, height=HEIGHT)
    finally:
        if display is not None:
            os.environ["DISPLAY"] = display
