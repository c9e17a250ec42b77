"""Tables in memory that processes share."""

from __future__ import annotations

import math
from ctypes import c_byte
from multiprocessing.context import BaseContext
from typing import Any

import numpy as np

from stmg_envs.protocol import Layout, Tables

ALIGNMENT = 64
"""Tables begin at multiples of this, the size of a cache line, so that no two share one."""


class SharedTables:
    """Tables in one piece of shared memory, to be given to processes when they start.

    The memory has no name in the file system: it is gone when the last process that has it ends,
    however that ends.

    Args:
        layout: what the tables are like.
        context: of the processes.
    """

    def __init__(self, layout: Layout, context: BaseContext) -> None:
        self.layout = layout
        self._offsets: dict[str, int] = {}
        size = 0
        for name, (shape, dtype) in layout.items():
            self._offsets[name] = size
            count = math.prod(shape) * np.dtype(dtype).itemsize
            size += math.ceil(count / ALIGNMENT) * ALIGNMENT
        self._memory: Any = context.RawArray(c_byte, max(size, 1))

    def open(self) -> Tables:
        """The tables; what one process writes, all see."""
        return {
            name: np.ndarray(shape, dtype, buffer=self._memory, offset=self._offsets[name])
            for name, (shape, dtype) in self.layout.items()
        }
