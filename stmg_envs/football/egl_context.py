"""The EGL context of this thread: what draws between two pictures may leave another one, or none."""

from __future__ import annotations

import ctypes

DRAW, READ = 0x3059, 0x305A


class EGLContext:
    """The context that is current when this is made, to be made current again."""

    def __init__(self) -> None:
        self._egl = ctypes.CDLL("libEGL.so.1")
        for name in ("eglGetCurrentDisplay", "eglGetCurrentSurface", "eglGetCurrentContext"):
            getattr(self._egl, name).restype = ctypes.c_void_p
        self._handles = [
            ctypes.c_void_p(self._egl.eglGetCurrentDisplay()),
            ctypes.c_void_p(self._egl.eglGetCurrentSurface(DRAW)),
            ctypes.c_void_p(self._egl.eglGetCurrentSurface(READ)),
            ctypes.c_void_p(self._egl.eglGetCurrentContext()),
        ]

    def make_current(self) -> None:
        """Let this context draw from now on."""
        self._egl.eglMakeCurrent(*self._handles)
