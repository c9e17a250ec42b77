"""What agents see of a match, for all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stmg_envs.football.snapshot import DIRECTIONS, LEFT, NOBODY, NORMAL, RIGHT, Snapshot

Features = NDArray[np.float32]
Representation = Literal["compact", "simple115v2"]

TEAM = 11
"""Players of a full team: what smaller teams lack is zeros, in simple115v2 -1."""

SPEED_SCALE = 100.0
"""Brings players' changes of position per step, at most about 0.01, to the size of positions."""

BALL_SPEED_SCALE = np.array([20.0, 20.0, 1.0])
"""The same for the ball; its height is in metres."""

COMPACT = 118
SIMPLE115 = 115
STATE = 104
"""How many numbers there are."""

# x and y of the direction that each agent's player keeps, from the sticky actions.
_HEADINGS = np.array([(-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1)], np.float64)
_OTHERS = np.array([[j for j in range(TEAM) if j != i] for i in range(TEAM)])
_ROWS = np.arange(TEAM)


def compact(snapshot: Snapshot) -> Features:
    """The compact observation, float32 (n, COMPACT).

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
    | 34-73   | up to 10 team-mates in the engine's order: position from one's own, direction                |
    | 74-117  | up to 11 opponents, likewise                                                                 |

    Directions are changes of position per step times `SPEED_SCALE`, the ball's times `BALL_SPEED_SCALE`. Who
    is not there, or has been sent off, is zeros.
    """
    player, players = snapshot.player, len(snapshot.left.table)
    rows = _ROWS[: len(player)]
    table = np.concatenate([snapshot.left.table, snapshot.right.table])
    own = table[player]
    # Of everybody from everybody's view: position from one's own, direction, distance; (n, P + Q, 5).
    view = np.empty((len(player), len(table), 5))
    np.subtract(table[:, :2], own[:, None, :2], out=view[..., :2])
    np.multiply(table[:, 2:4], SPEED_SCALE, out=view[..., 2:4])
    np.hypot(view[..., 0], view[..., 1], out=view[..., 4])
    absent = table[:, 6] == 0
    view[:, absent] = 0
    distance = view[..., 4].copy()
    distance[:, absent] = np.inf
    distance[rows, player] = np.inf
    mate = distance[:, :players].argmin(axis=1)
    opponent = players + distance[:, players:].argmin(axis=1)

    seen = np.zeros((len(player), COMPACT), np.float32)
    seen[:, 0:2] = own[:, :2]
    seen[:, 2:4] = own[:, 2:4] * SPEED_SCALE
    seen[:, 4] = np.hypot(seen[:, 2], seen[:, 3])
    seen[:, 5] = own[:, 4]
    seen[:, 6:8] = snapshot.sticky[:, DIRECTIONS] @ _HEADINGS
    seen[:, 8:10] = snapshot.sticky[:, 8:]
    seen[:, 10:13] = snapshot.ball
    seen[:, 13:15] = snapshot.ball[:2] - own[:, :2]
    seen[:, 15] = np.hypot(seen[:, 13], seen[:, 14])
    seen[:, 16:19] = snapshot.ball_direction * BALL_SPEED_SCALE
    seen[:, 19 + (NOBODY, LEFT, RIGHT).index(snapshot.owner_team)] = 1
    seen[:, 22] = (player == snapshot.owner_player) & (snapshot.owner_team == LEFT)
    seen[:, 23] = snapshot.mode == NORMAL
    # Where there is no other, an absent one is nearest, or oneself: zeros.
    seen[:, 24:29] = view[rows, mate]
    seen[:, 29:34] = view[rows, opponent]
    others = view[rows[:, None], _OTHERS[player, : players - 1], :4]
    seen[:, 34 : 34 + 4 * (players - 1)] = others.reshape(len(player), -1)
    opponents = view[:, players:, :4].reshape(len(player), -1)
    seen[:, 74 : 74 + opponents.shape[1]] = opponents
    seen[player < 0] = 0
    return seen


def simple115v2(snapshot: Snapshot) -> Features:
    """The observation that gfootball calls "simple115v2", float32 (n, 115).

    Positions and directions of our players, then of theirs, 22 numbers each, -1 where there are fewer
    players; position and direction of the ball; who has it (nobody, we, they), which player one moves (11)
    and the mode of the match (7), all three one-hot.
    """
    seen = np.zeros((len(snapshot.player), SIMPLE115), np.float32)
    parts = match_state(snapshot)
    seen[:, :97] = parts[:97]
    moves = snapshot.player >= 0
    seen[moves, 97 + snapshot.player[moves]] = 1
    seen[:, 108:] = parts[97:]
    return seen


def match_state(snapshot: Snapshot) -> Features:
    """The whole match: simple115v2 without the player that one moves, float32 (104,)."""
    state = np.full(STATE, -1, np.float32)
    for index, team in enumerate((snapshot.left, snapshot.right)):
        width = 2 * len(team.table)
        state[44 * index : 44 * index + width] = team.position.reshape(-1)
        state[44 * index + 22 : 44 * index + 22 + width] = team.direction.reshape(-1)
    state[88:91] = snapshot.ball
    state[91:94] = snapshot.ball_direction
    state[94:] = 0
    state[94 + (NOBODY, LEFT, RIGHT).index(snapshot.owner_team)] = 1
    state[97 + snapshot.mode] = 1
    return state


OBSERVATIONS: dict[str, tuple[int, Callable[[Snapshot], Features]]] = {
    "compact": (COMPACT, compact),
    "simple115v2": (SIMPLE115, simple115v2),
}
"""Numbers of each representation, and what computes it."""
