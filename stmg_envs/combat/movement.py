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
AWAY = 1e4
"""How far the dead lie from each other and from all others, cells: nobody touches them."""


class Ground:
    """The ground of a map for the units of an army.

    Args:
        cells: where one may walk, bool (SIZE, SIZE), by x and y.
        army: the units.
    """

    def __init__(self, cells: Tensor, army: Army) -> None:
        free = army.flying | (army.line > 0)
        self.all_free = bool(free.all()) or bool(cells.all())
        # Those that go everywhere look up a second ground, behind the first, without walls.
        self.cells = torch.cat([cells.flatten(), torch.ones_like(cells).flatten()])
        self.first = (free * SIZE * SIZE)[:, None]

    def move(self, battle: Battle, dx: Tensor, dy: Tensor) -> None:
        """Move units by (dx, dy), (U, B) each: all the way if that is free, else along a wall, else not."""
        x = (battle.x + dx).clamp_(EDGE, SIZE - EDGE)
        y = (battle.y + dy).clamp_(EDGE, SIZE - EDGE)
        if not self.all_free:
            column, present_column = (self.first + SIZE * x.long() for x in (x, battle.x))
            row, present_row = y.long(), battle.y.long()
            both, aside = self.cells[column + row], self.cells[column + present_row]
            ahead = self.cells[present_column + row]
            x = torch.where(both | aside, x, battle.x)
            y = torch.where(both | (ahead & ~aside), y, battle.y)
        battle.x, battle.y = x, y


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
        # At 0 nothing overlaps.
        self.apart = torch.where(same_layer & not_itself, apart, 0.0)[..., None]
        # Too little to be seen where units stand apart. On one point they leave it in different directions,
        # and of two one goes the other way.
        angle = torch.arange(len(apart), device=apart.device) * 2.399963
        self.x = SAME_PLACE * (torch.cos(angle)[:, None] - torch.cos(angle) + ~not_itself)[..., None]
        self.y = SAME_PLACE * (torch.sin(angle)[:, None] - torch.sin(angle))[..., None]
        # Far below that, so that no distance is 0.
        self.tiny = torch.tensor(SAME_PLACE**4, device=apart.device)
        self.moves = (army.speed > 0)[:, None]
        self.away = AWAY * torch.arange(1, len(apart) + 1, device=apart.device)[:, None]

    def push(self, battle: Battle, ground: Ground) -> None:
        """One pass: half of every overlap each; all of it those that walk past others that fight."""
        x = torch.where(battle.alive, battle.x, self.away)
        dx, dy = (x[:, None] - x).add_(self.x), (battle.y[:, None] - battle.y).add_(self.y)
        distance = torch.addcmul(self.tiny, dx, dx).addcmul_(dy, dy).sqrt_()
        # The overlap as a share of the distance.
        push = torch.div(self.apart, distance, out=distance).sub_(1.0).clamp_(min=0.0)
        # Of two of a kind both give way by half.
        half = 0.5 * ((battle.swing >= 0) | ~self.moves).float()
        push *= (0.5 + half) - half[:, None]
        wished = (pairwise_sum(offset.mul_(push), dim=1) for offset in (dx, dy))
        ground.move(battle, *(torch.where(self.moves, way, 0.0) for way in wished))
