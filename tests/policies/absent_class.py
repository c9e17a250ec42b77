"""Has a class for whoever reads it, and none when it is imported."""

from __future__ import annotations

import os

if "HOME_OF_NOBODY" in os.environ:

    class Absent:
        def act(self, observation: object) -> int:
            return 0
