"""How prey moves: away from whom it sees, to where it will be safest, and not at all when surrounded."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.particle.physics import SAME_PLACE, lengths
from stmg_envs.protocol import pairwise_sum

HEADINGS = 16


def headings(device: torch.device | str = "cpu") -> Tensor:
    """The directions among which prey chooses, (2, HEADINGS), unit vectors."""
    angles = torch.arange(HEADINGS, device=device) * (2 * math.pi / HEADINGS)
    return torch.stack([angles.cos(), angles.sin()])


def flee(
    prey: Tensor, predators: Tensor, view: float, reach: float, arena: float, directions: Tensor
) -> Tensor:
    """Where prey pushes itself.

    Prey sees the predators within its view. Of the places at distance `reach` in every heading, brought
    back into the arena, it makes for the one whose nearest seen predator is farthest: it runs from a
    single chaser, slides along the boundary and out of corners. It pushes with the strength of the
    squared mean resultant length of the directions away from the seen predators: 1 when they all come
    from one side, 0 when they surround it. Prey that sees nobody does not push.

    Args:
        prey: positions (B, m, 2), lengths.
        predators: positions (B, n, 2) of those from whom it flees, lengths.
        view: radius of the disc that prey sees, lengths.
        reach: how far ahead prey looks, lengths.
        arena: half the side of the square that prey does not want to leave, lengths.
        directions: unit vectors (2, K).

    Returns:
        Pushes (B, m, 2) of length 0 to 1.
    """
    away = prey[:, :, None] - predators[:, None]  # (B, m, n, 2)
    distance = lengths(away)
    seen = distance <= view
    unit = away.mul_((seen / distance.clamp_(min=SAME_PLACE))[..., None])
    agreement = lengths(pairwise_sum(unit, dim=2))
    strength = agreement.div_(seen.sum(dim=-1).clamp_(min=1)).square_()

    x, y = prey.unbind(-1)
    across, up = directions
    place_x = (x[..., None] + reach * across).clamp_(-arena, arena)  # (B, m, K)
    place_y = (y[..., None] + reach * up).clamp_(-arena, arena)
    dx = place_x[:, :, None] - predators[:, None, :, :1]  # (B, m, n, K)
    dy = place_y[:, :, None] - predators[:, None, :, 1:]
    danger = dx.square_().add_(dy.square_()).masked_fill_(~seen[..., None], math.inf)
    best = danger.amin(dim=2).argmax(dim=-1, keepdim=True)
    course = torch.cat([place_x.gather(-1, best), place_y.gather(-1, best)], dim=-1).sub_(prey)
    return course.mul_(strength.div_(lengths(course).clamp_(min=SAME_PLACE))[..., None])
