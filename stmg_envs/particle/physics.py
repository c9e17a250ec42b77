"""Point masses in a plane that brake by themselves and push each other softly apart.

The rules are those of the Multi-Agent Particle Environment (MPE; Lowe et al. 2017, "Multi-agent
actor-critic for mixed cooperative-competitive environments"), here for a batch of worlds at once:
pure functions of tensors, of any float type and on any device. All masses are 1.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from torch import Tensor

from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import pairwise_sum

NO_CONTACT = -math.inf
"""The contact distance of two bodies that pass through each other."""

SAME_PLACE = 1e-9
"""Below this distance two bodies push less and less: at 0 there is no direction to push in."""


NEGLIGIBLE = 50.0
"""Contact margins between two bodies beyond which their contact force is less than any rounding, and 0."""


@dataclass(frozen=True)
class Physics:
    """The constants of the medium; the defaults are MPE's.

    Attributes:
        dt: length of a timestep, seconds.
        damping: share of the velocity that is lost in a timestep.
        contact_force: acceleration per length of overlap, 1 / seconds squared.
        contact_margin: length over which the contact force sets in, small against the bodies.

    Raises:
        InvalidArgumentError: for a number out of range.
    """

    dt: float = 0.1
    damping: float = 0.25
    contact_force: float = 100.0
    contact_margin: float = 1e-3

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            low = 0.0 if name in ("damping", "contact_force") else 1e-6
            high = 1.0 if name == "damping" else 1e6
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InvalidArgumentError(
                    f"{name}={value!r} is no constant of the physics; expected a number from {low:g} to "
                    f"{high:g}, for instance {name}={getattr(type(self), name)}"
                )


MPE = Physics()


def lengths(vectors: Tensor) -> Tensor:
    """Euclidean lengths of vectors (..., 2), shape (...)."""
    x, y = (vectors * vectors).unbind(-1)
    return x.add_(y).sqrt_()


def contact_distances(radius: Tensor) -> Tensor:
    """Distances at which bodies of radii (E,) touch, shape (E, E); nothing touches itself."""
    return (radius[:, None] + radius).fill_diagonal_(NO_CONTACT)


def contact_forces(position: Tensor, contact_distance: Tensor, physics: Physics = MPE) -> Tensor:
    """Forces with which bodies push each other apart.

    Two bodies at distance d whose contact distance is c repel each other with
    `contact_force * contact_margin * log(1 + exp((c - d) / contact_margin))`: `contact_force` times
    their overlap, softened over the margin.

    Args:
        position: (B, E, 2), lengths.
        contact_distance: (E, E) or (B, E, E), `NO_CONTACT` where bodies pass through each other.
        physics: constants.

    Returns:
        The total force on each body, (B, E, 2). Bodies in the very same place do not push.
    """
    away = position[:, :, None] - position[:, None]
    return apart_forces(away, lengths(away), contact_distance, physics)


def apart_forces(away: Tensor, distance: Tensor, contact_distance: Tensor, physics: Physics = MPE) -> Tensor:
    """The same for bodies i that are `away` from bodies j, (B, E, E, 2), and at a `distance`, (B, E, E)."""
    depth = (contact_distance - distance).div_(physics.contact_margin)
    apart = depth < -NEGLIGIBLE
    # log(1 + exp(depth)) without overflow. torch's softplus rounds differently at the end of a tensor, and
    # then a world would depend on its place in the batch.
    overlap = depth.clamp(min=0)
    # Less twice what is positive: minus the absolute value.
    overlap.add_(depth.sub_(overlap, alpha=2).clamp_(min=-NEGLIGIBLE).exp_().log1p_())
    push = overlap.mul_(physics.contact_force * physics.contact_margin).masked_fill_(apart, 0)
    return pairwise_sum(away * push.div_(distance.clamp(min=SAME_PLACE))[..., None], dim=2)


def move(
    position: Tensor, velocity: Tensor, force: Tensor, max_speed: Tensor, physics: Physics = MPE
) -> tuple[Tensor, Tensor]:
    """Move bodies through one timestep.

    As in MPE the position follows the velocity from before the step, so a force shows in the
    position one timestep later.

    Args:
        position: (B, E, 2), lengths.
        velocity: (B, E, 2), lengths per second.
        force: (B, E, 2), lengths per second squared.
        max_speed: (E,), lengths per second; infinity where there is no limit.
        physics: constants.

    Returns:
        Positions and velocities after the step.
    """
    moved = (velocity * physics.dt).add_(position)
    faster = (velocity * (1 - physics.damping)).add_(force * physics.dt)
    return moved, faster.mul_((max_speed / lengths(faster)).clamp_(max=1)[..., None])
