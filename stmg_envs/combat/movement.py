"""Walking, walls, and units that keep out of each other's way."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.battle import NOBODY, Battle, at
from stmg_envs.combat.fire import TICK
from stmg_envs.combat.scenarios import SIZE
from stmg_envs.protocol import pairwise_sum

PASSES = 2
"""How often in a tick units that overlap are pushed apart."""
EDGE = 1e-3
"""How near the border of the map a unit may come, cells."""
SAME_PLACE = 1e-6
"""Distance below which the direction between two units is no longer theirs."""


class Ground:
    """The ground of a map for the units of an army.

    Args:
        cells: where one may walk, bool (SIZE, SIZE), by x and y.
        army: the units.
    """

    def __init__(self, cells: Tensor, army: Army) -> None:
        self.cells = cells.flatten()
        self.free = army.flying | (army.line > 0)
        self.all_free = bool(self.free.all()) or bool(cells.all())

    def move(self, battle: Battle, dx: Tensor, dy: Tensor) -> None:
        """Move units by (dx, dy), (U, B) each: all the way if that is free, else along a wall, else not."""
        x, y = battle.x + dx, battle.y + dy
        if not self.all_free:
            both, aside, ahead = self._is_free(x, y), self._is_free(x, battle.y), self._is_free(battle.x, y)
            x = torch.where(both | aside, x, battle.x)
            y = torch.where(both | (ahead & ~aside), y, battle.y)
        battle.x, battle.y = x.clamp(EDGE, SIZE - EDGE), y.clamp(EDGE, SIZE - EDGE)

    def _is_free(self, x: Tensor, y: Tensor) -> Tensor:
        """Whether units may be at places, bool (U, B)."""
        column, row = x.long().clamp(0, SIZE - 1), y.long().clamp(0, SIZE - 1)
        return self.cells[column * SIZE + row] | self.free[:, None]


def towards(x: Tensor, y: Tensor, distance: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """A step in the direction of (x, y), whose length is `distance`."""
    share = step / distance.clamp(min=SAME_PLACE)
    return x * share, y * share


def walk(
    battle: Battle,
    army: Army,
    gap: Tensor,
    goal: tuple[Tensor, Tensor, Tensor],
    way: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    """How units would like to move in this tick.

    Args:
        battle: the battles.
        army: their units.
        gap: from edge to edge to their targets, (U, B).
        goal: places to which units are sent, x and y, and who is, each (U, B).
        way: directions in which those go that have neither a target nor a place to go to, x and y, (U, B).

    Returns:
        The way along x and y, (U, B).
    """
    step = (army.speed * TICK)[:, None].expand_as(battle.x)
    dx, dy = way[0] * step, way[1] * step
    has_target = battle.target != NOBODY
    tx, ty = at(battle.x, battle.target) - battle.x, at(battle.y, battle.target) - battle.y
    # No farther than into range.
    short = torch.minimum(step, (gap - army.range[:, None]).clamp(min=0.0))
    chase_x, chase_y = towards(tx, ty, (tx * tx + ty * ty).sqrt(), torch.where(has_target, short, 0.0))
    dx, dy = torch.where(has_target, chase_x, dx), torch.where(has_target, chase_y, dy)
    goal_x, goal_y, sent = goal
    gx, gy = goal_x - battle.x, goal_y - battle.y
    distance = (gx * gx + gy * gy).sqrt()
    sent_x, sent_y = towards(gx, gy, distance, torch.minimum(step, distance))
    dx, dy = torch.where(sent, sent_x, dx), torch.where(sent, sent_y, dy)
    stands = (battle.swing >= 0) | ~battle.alive
    return torch.where(stands, 0.0, dx), torch.where(stands, 0.0, dy)


class Separation:
    """Pushes units apart that overlap; those that fly and those that walk pass each other.

    Args:
        army: the units.
    """

    def __init__(self, army: Army) -> None:
        apart = army.separation[:, None] + army.separation
        same_layer = army.flying[:, None] == army.flying
        not_itself = ~torch.eye(len(apart), dtype=torch.bool, device=apart.device)
        # Below 0 nothing overlaps.
        self.apart = torch.where(same_layer & not_itself, apart, -1.0)[..., None]
        angle = torch.arange(len(apart), device=apart.device) * 2.399963
        # Units on one point leave it in different directions, and of two one goes the other way.
        self.x = (torch.cos(angle)[:, None] - torch.cos(angle))[..., None] + SAME_PLACE
        self.y = (torch.sin(angle)[:, None] - torch.sin(angle))[..., None]
        self.rooted = (army.speed == 0)[:, None]

    def push(self, battle: Battle, ground: Ground) -> None:
        """One pass: half of every overlap each; all of it those that walk past others that fight."""
        alive = battle.alive
        dx = battle.x[:, None] - battle.x
        dy = battle.y[:, None] - battle.y
        distance = (dx * dx + dy * dy).sqrt()
        overlap = (self.apart - distance).clamp_(min=0.0)
        overlap.masked_fill_(~(alive[:, None] & alive), 0.0)
        fights = (battle.swing >= 0) | self.rooted
        # Of two of a kind both give way by half.
        share = 0.5 + 0.5 * (fights.float() - fights[:, None].float())
        share = torch.where(self.rooted[:, None], 0.0, share)
        together = distance < SAME_PLACE
        ux = torch.where(together, self.x, dx / distance.clamp(min=SAME_PLACE))
        uy = torch.where(together, self.y, dy / distance.clamp(min=SAME_PLACE))
        length = overlap * share
        ground.move(battle, pairwise_sum(ux * length, dim=1), pairwise_sum(uy * length, dim=1))
