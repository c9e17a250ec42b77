"""What agents see of a match."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import hypot, inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stmg_envs.football.snapshot import (
    DIRECTIONS,
    DRIBBLE,
    LEFT,
    MODES,
    NOBODY,
    NORMAL,
    RIGHT,
    SPRINT,
    TEAM,
    Player,
    Snapshot,
)

Features = NDArray[np.float32]
Representation = Literal["compact", "simple115v2"]

SPEED_SCALE = 100.0
"""Brings players' changes of position per step, at most about 0.01, to the size of positions."""

BALL_SPEED_SCALE = 20.0
"""The same for the ball along x and y. Its height is in metres and changes by metres per step."""

COMPACT, SIMPLE115, STATE = 122, 115, 104
"""How many numbers there are."""

HEADINGS = ((-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1))
"""x and y of the sticky directions."""

_NOTHING = (0.0, 0.0, 0.0, 0.0)


def compact(snapshot: Snapshot) -> Features:
    """The compact observation, float32 (n, 122).

    | Numbers | Meaning                                                                                      |
    |---------|----------------------------------------------------------------------------------------------|
    | 0-4     | own position, direction and speed                                                            |
    | 5       | tiredness in [0, 1]                                                                          |
    | 6-9     | direction that is kept (-1, 0 or 1 along x and y), 1 if sprinting, 1 if dribbling            |
    | 10-12   | position of the ball                                                                         |
    | 13-15   | ball from oneself along x and y, and distance                                                |
    | 16-18   | direction of the ball                                                                        |
    | 19-22   | 1 if nobody, we, they have the ball; 1 if one has it oneself                                 |
    | 23      | 1 if the ball is in play, 0 before a set piece                                               |
    | 24-28   | nearest team-mate: position from one's own, direction, distance                              |
    | 29-33   | nearest opponent, likewise                                                                   |
    | 34-77   | our 11 players in the engine's order: position from one's own, direction; oneself zeros      |
    | 78-121  | their 11, likewise                                                                           |

    Directions are changes of position per step times `SPEED_SCALE`, the ball's times `BALL_SPEED_SCALE`. Who
    is not there, or has been sent off, is zeros, and so is everything for an agent that has no player at the
    moment.
    """
    x, y, z = snapshot.ball
    direction_x, direction_y, direction_z = snapshot.ball_direction
    towards = BALL_SPEED_SCALE * direction_x, BALL_SPEED_SCALE * direction_y, direction_z
    owner = [snapshot.owner_team == team for team in (NOBODY, LEFT, RIGHT)]
    seen: list[float] = []
    for me, sticky in zip(snapshot.moved, snapshot.sticky, strict=True):
        if me < 0:
            seen += [0.0] * COMPACT
            continue
        own = snapshot.left[me]
        move_x, move_y = SPEED_SCALE * own.direction_x, SPEED_SCALE * own.direction_y
        directions = sticky[DIRECTIONS]
        heading = HEADINGS[directions.index(True)] if True in directions else (0, 0)
        away_x, away_y = x - own.x, y - own.y
        mates, mate = _others(snapshot.left, own)
        opponents, opponent = _others(snapshot.right, own)
        seen += own.x, own.y, move_x, move_y, hypot(move_x, move_y), own.tiredness
        seen += *heading, sticky[SPRINT], sticky[DRIBBLE]
        seen += x, y, z, away_x, away_y, hypot(away_x, away_y)
        seen += towards
        seen += *owner, owner[1] and snapshot.owner_player == me, snapshot.mode == NORMAL
        seen += mate
        seen += opponent
        seen += mates
        seen += opponents
    return _packed(seen).reshape(-1, COMPACT)


def _others(team: list[Player], own: Player) -> tuple[list[float], tuple[float, ...]]:
    """Of a team's players position from one's own and direction; the same and the distance of the nearest.

    Args:
        team: at most 11 players.
        own: one's own player, which is none of the others.
    """
    own_x, own_y = own.x, own.y
    numbers: list[float] = []
    nearest, least = (*_NOTHING, 0.0), inf
    for player in team:
        x, y, direction_x, direction_y, _, _, active = player
        if not active or player is own:
            numbers += _NOTHING
            continue
        seen = x - own_x, y - own_y, SPEED_SCALE * direction_x, SPEED_SCALE * direction_y
        numbers += seen
        distance = hypot(seen[0], seen[1])
        if distance < least:
            nearest, least = (*seen, distance), distance
    return numbers + [0.0] * (4 * TEAM - len(numbers)), nearest


def simple115v2(snapshot: Snapshot) -> Features:
    """The observation that gfootball calls "simple115v2", float32 (n, 115).

    Positions and directions of our players, then of theirs, 22 numbers each, -1 where there are fewer
    players; position and direction of the ball; who has it (nobody, we, they), which player one moves (11)
    and the mode of the match (7), all three one-hot.
    """
    state = match_state(snapshot)
    seen = np.zeros((len(snapshot.moved), SIMPLE115), np.float32)
    seen[:, :97] = state[:97]
    seen[:, 108:] = state[97:]
    for row, me in zip(seen, snapshot.moved, strict=True):
        if me >= 0:
            row[97 + me] = 1
    return seen


def match_state(snapshot: Snapshot) -> Features:
    """The whole match: simple115v2 without the player that one moves, float32 (104,)."""
    numbers: list[float] = []
    for team in (snapshot.left, snapshot.right):
        nobody = [-1.0] * (2 * (TEAM - len(team)))
        numbers += [number for player in team for number in player[:2]] + nobody
        numbers += [number for player in team for number in player[2:4]] + nobody
    numbers += (*snapshot.ball, *snapshot.ball_direction)
    numbers += [snapshot.owner_team == team for team in (NOBODY, LEFT, RIGHT)]
    numbers += [snapshot.mode == mode for mode in range(MODES)]
    return _packed(numbers)


def _packed(numbers: list[float]) -> Features:
    """As float32, by `struct`: `np.array` takes half as long again for so short a list."""
    return np.frombuffer(bytearray(struct.pack(f"{len(numbers)}f", *numbers)), np.float32)


OBSERVATIONS: dict[str, tuple[int, Callable[[Snapshot], Features]]] = {
    "compact": (COMPACT, compact),
    "simple115v2": (SIMPLE115, simple115v2),
}
"""Numbers of each representation, and what computes it."""
