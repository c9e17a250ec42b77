"""What all particle games share: bodies, pushes, contacts, the arena and the communication graph."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor

from stmg_envs.arguments import require_choice, require_count, require_number, require_positive, shown
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.particle.layout import batch_first, batch_last, joined
from stmg_envs.particle.physics import Physics, contact_distances, lengths, move
from stmg_envs.particle.rendering import Picture, Point, draw, write
from stmg_envs.protocol import Game, State

Actions = Literal["continuous", "discrete"]

DISCRETE_PUSHES = ((0.0, 0.0), (-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))
"""Nothing, left, right, down, up: MPE's order."""


class ParticleGame(Game):
    """Bodies in a plane, the first n of which are agents that push themselves.

    The state holds `position` and `velocity`, float32 (B, E, 2), and `trail`, float32 (B, L, E, 2), where
    every body was in the last L steps, the latest first.

    Args:
        agents: names of the n agents.
        radius: of each of the E bodies, lengths.
        acceleration: of each body at full push, lengths per second squared.
        max_speed: of each body, lengths per second.
        actions: "continuous" or "discrete".
        max_steps: time limit, timesteps.
        arena: half the side of the square in which everything starts, lengths.
        boundary_penalty: weight of the penalty for leaving the arena.
        communication_radius: distance within which agents are neighbours, lengths.
        physics: constants of the medium.
        trail: L, for pictures.

    Attributes:
        farthest: a bound of all coordinates and velocities, also of those of one body seen from another.

    Raises:
        InvalidArgumentError: for an argument out of range.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 10}

    def __init__(
        self,
        agents: Sequence[str],
        radius: Sequence[float],
        acceleration: Sequence[float],
        max_speed: Sequence[float],
        actions: Actions,
        max_steps: int,
        arena: float,
        boundary_penalty: float,
        communication_radius: float,
        physics: Physics,
        trail: int,
    ) -> None:
        require_choice("actions", actions, ("continuous", "discrete"))
        if not isinstance(physics, Physics):
            raise InvalidArgumentError(
                f"physics={shown(physics)} is no Physics; expected for instance Physics(dt=0.1)"
            )
        require_count("max_steps", max_steps, low=1)
        require_count("trail", trail, low=0)
        require_positive(arena=arena, communication_radius=communication_radius)
        require_number("boundary_penalty", boundary_penalty)
        self.agents = tuple(agents)
        self.max_steps = max_steps
        self.arena = arena
        self.boundary_penalty = boundary_penalty
        self.farthest = 2 * max(1.0, *max_speed, arena + max_steps * physics.dt * max(max_speed))
        self.communication_radius = communication_radius
        self.physics = physics
        self.trail = trail
        self.action_spaces = (
            tuple(Discrete(len(DISCRETE_PUSHES)) for _ in agents)
            if actions == "discrete"
            else tuple(Box(-1.0, 1.0, (2,), np.float32) for _ in agents)
        )
        self._radius = torch.tensor(radius, dtype=torch.float32)
        self._acceleration = torch.tensor(acceleration, dtype=torch.float32)[:, None]
        self._max_speed = torch.tensor(max_speed, dtype=torch.float32)
        self._contact_distance = contact_distances(self._radius)
        self._zero = torch.zeros(())
        self._pushes = torch.tensor(DISCRETE_PUSHES)
        self._apart = ~torch.eye(self.n, dtype=torch.bool)
        # Row i names the bodies other than agent i, in order.
        self._others = torch.tensor([[j for j in range(len(radius)) if j != i] for i in range(self.n)])

    def box(self, width: int) -> Box:
        """The space of `width` numbers that describe bodies."""
        return Box(-self.farthest, self.farthest, (width,), np.float32)

    def push(self, actions: Tensor) -> Tensor:
        """What agents do as pushes (B, n, 2) in [-1, 1]; 1 is full acceleration."""
        return self._pushes[actions] if self.discrete else actions.clamp(-1, 1)

    def start(self, position: Tensor) -> State:
        """The first state of resting bodies at positions (B, E, 2)."""
        position = batch_last(position)
        trail = position[:, None].expand(-1, self.trail, -1, -1)
        return {"position": position, "velocity": torch.zeros_like(position), "trail": trail}

    def advance(self, state: State, push: Tensor, contact: Tensor) -> State:
        """The state one timestep later.

        Args:
            state: position, velocity and trail.
            push: of every body, (B, E, 2) in [-1, 1].
            contact: forces by which bodies push each other apart, (B, E, 2). It is overwritten.
        """
        position, velocity = batch_last(state["position"]), batch_last(state["velocity"])
        force = contact.add_(push * self._acceleration)
        trail = joined([position[:, None], state["trail"]])[:, : self.trail]
        position, velocity = move(position, velocity, force, self._max_speed, self.physics)
        return {"position": position, "velocity": velocity, "trail": trail}

    def outside(self, position: Tensor) -> Tensor:
        """Penalty of agents at positions (B, n, 2) for leaving the arena, (B, n).

        With x the distance of a coordinate from the centre in units of the arena, each coordinate
        costs 0 up to 0.9, then 10 (x - 0.9) up to 1, then min(exp(2 x - 2), 10), as in simple_tag.
        """
        x = position.abs() / self.arena
        ramp = (x - 0.9).mul_(10).clamp_(0, 10)
        # The ramp is below the exponential up to 1, and above it from there to where both are above 10.
        one, other = ramp.minimum((2 * x - 2).exp_()).unbind(-1)
        return (one + other).mul_(self.boundary_penalty)

    def neighbors(self, state: State) -> Tensor:
        self.use(state["position"].device)
        position = state["position"][:, : self.n]
        distance = lengths(position[:, :, None] - position[:, None])
        return batch_first((distance <= self.communication_radius) & self._apart)

    def use(self, device: torch.device) -> None:
        """Hold all constants on a device."""
        if self._apart.device == device:
            return
        for name, value in list(vars(self).items()):
            if isinstance(value, Tensor):
                setattr(self, name, value.to(device))

    def trails(self, state: State) -> list[list[Point]]:
        """Where each body of the first episode is and was, the present place first."""
        places = torch.cat([state["position"][:, None], state["trail"]], dim=1)[0]
        return [[(x, y) for x, y in trail] for trail in places.transpose(0, 1).tolist()]

    @abstractmethod
    def picture(self, state: State) -> Picture:
        """What there is to see in the first episode of the batch."""

    def render(
        self, state: State, mode: Literal["ansi", "rgb_array"], priority: tuple[int, ...] | None = None
    ) -> str | NDArray[np.uint8]:
        order = tuple(range(self.n)) if priority is None else priority
        first = {name: value[:1] for name, value in state.items()}
        edges = [(int(i), int(j)) for i, j in self.neighbors(first)[0].nonzero() if i < j]
        picture = self.picture(first)
        return write(picture) if mode == "ansi" else draw(picture, self.arena, edges, order)
