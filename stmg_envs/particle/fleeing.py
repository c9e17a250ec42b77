"""How prey moves: away from whom it sees, to where it will be safest, and not at all when surrounded."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.particle.physics import SAME_PLACE, lengths
from stmg_envs.protocol import number, pairwise_sum

HEADINGS = 16


def headings(device: torch.device | str = "cpu") -> Tensor:
    """The directions among which prey chooses, (2, HEADINGS), unit vectors."""
    angles = torch.arange(HEADINGS, device=device) * (2 * math.pi / HEADINGS)
    return torch.stack([angles.cos(), angles.sin()])


def flee(
    prey: Tensor,
    predators: Tensor,
    away: Tensor,
    distance: Tensor,
    view: float,
    arena: float,
    ways: Tensor,
) -> Tensor:
    """Where prey pushes itself.

    Prey sees the predators within its view. Of the places that all `ways` lead to, brought back into
    the arena, it makes for the one whose nearest seen predator is farthest: it runs from a
    single chaser, slides along the boundary and out of corners. It pushes with the strength of the
    squared mean resultant length of the directions away from the seen predators: 1 when they all come
    from one side, 0 when they surround it. Prey that sees nobody does not push.

    Args:
        prey: positions (B, m, 2), lengths.
        predators: positions (B, n, 2) of those from whom it flees, lengths.
        away: from predators to prey, (B, m, n, 2), lengths.
        distance: the same, (B, m, n).
        view: radius of the disc that prey sees, lengths.
        arena: half the side of the square that prey does not want to leave, lengths.
        ways: where prey may go from where it is, (2, K), lengths.

    Returns:
        Pushes (B, m, 2) of length 0 to 1.
    """
    seen = distance <= view
    unit = away * (seen / distance.clamp(min=SAME_PLACE))[..., None]
    agreement = lengths(pairwise_sum(unit, dim=2))
    strength = agreement.div_(seen.sum(dim=-1).clamp_(min=1)).square_()

    places = (prey[..., None] + ways).clamp_(-arena, arena)  # (B, m, 2, K)
    dx, dy = (places[:, :, None] - predators[:, None, ..., None]).square_().unbind(3)
    danger = torch.where(seen[..., None], dx.add_(dy), number(math.inf, prey.device))  # (B, m, n, K)
    best = danger.amin(dim=2).argmax(dim=-1)
    course = places.gather(-1, best[..., None, None].expand(-1, -1, 2, 1))[..., 0].sub_(prey)
    return course.mul_(strength.div_(lengths(course).clamp_(min=SAME_PLACE))[..., None])
