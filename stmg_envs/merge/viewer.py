"""highway-env's viewer, without a window, that follows the agents and shows ranks and neighbours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pygame
from highway_env.envs.common.graphics import EnvViewer
from numpy.typing import NDArray

from stmg_envs.merge.rendering import MARGIN, NARROWEST
from stmg_envs.merge.roads import RAMP_Y

LABEL, EDGE = (20, 20, 20), (235, 235, 235)
LABEL_SIZE = 20
"""Colours, and the height of letters in pixels."""


class MergeViewer(EnvViewer):
    """A viewer of a scene.

    Args:
        scene: a highway-env environment.
    """

    def __init__(self, scene: Any) -> None:
        driver = os.environ.get("SDL_VIDEODRIVER")
        os.environ["SDL_VIDEODRIVER"] = "dummy"  # pictures need no screen
        try:
            super().__init__(scene)
        finally:
            if driver is None:
                del os.environ["SDL_VIDEODRIVER"]
            else:
                os.environ["SDL_VIDEODRIVER"] = driver
        self.enabled = True  # which highway-env is not with that driver
        self._font = pygame.font.Font(None, LABEL_SIZE)

    def window_position(self) -> NDArray[np.float64]:
        """The middle between the outermost agents."""
        low, high = self._extent()
        return np.array([(low + high) / 2, RAMP_Y / 2])

    def picture(
        self, labels: Sequence[tuple[Any, str]], edges: Sequence[tuple[Any, Any]]
    ) -> NDArray[np.uint8]:
        """The scene as it is now, uint8 (height, width, 3).

        Args:
            labels: vehicles and what to write on them.
            edges: pairs of vehicles to connect.
        """
        low, high = self._extent()
        self.sim_surface.scaling = self.config["screen_width"] / max(high - low + 2 * MARGIN, NARROWEST)
        self.display()
        for pair in edges:
            ends = [self.sim_surface.vec2pix(vehicle.position) for vehicle in pair]
            pygame.draw.aaline(self.sim_surface, EDGE, *ends)
        for vehicle, label in labels:
            text = self._font.render(label, True, LABEL)
            place = text.get_rect(center=self.sim_surface.vec2pix(vehicle.position))
            self.sim_surface.blit(text, place)
        return np.array(self.get_image(), dtype=np.uint8)

    def _extent(self) -> tuple[float, float]:
        places = [float(vehicle.position[0]) for vehicle in self.env.controlled_vehicles]
        return min(places), max(places)
