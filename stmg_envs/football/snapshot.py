"""What the engine tells of a moment of a match, as arrays.

Positions are the engine's: x from -1 (our goal) to 1 (theirs), y from -0.42 (top) to 0.42, z in metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOBODY, LEFT, RIGHT = -1, 0, 1
"""Who has the ball. We are the left team."""

NORMAL = 0
"""The mode of a match whose ball is in play; others are set pieces."""

STICKY = (
    "left",
    "top_left",
    "top",
    "top_right",
    "right",
    "bottom_right",
    "bottom",
    "bottom_left",
    "sprint",
    "dribble",
)
"""Actions that go on until they are released; the first eight are directions, of which at most one is on."""

DIRECTIONS, SPRINT, DRIBBLE = slice(8), 8, 9


class Team:
    """The P players of a team.

    Args:
        table: a row per player: x, y, change of x and of y per step, tiredness in [0, 1], 1 for a yellow
            card, and 1 unless sent off; (P, 7).
    """

    def __init__(self, table: Floats) -> None:
        self.table = table

    @property
    def position(self) -> Floats:
        """(P, 2)."""
        return self.table[:, :2]

    @property
    def direction(self) -> Floats:
        """Change of position per step, (P, 2)."""
        return self.table[:, 2:4]

    @property
    def yellow_cards(self) -> Floats:
        """(P,)."""
        return self.table[:, 5]

    @property
    def active(self) -> NDArray[np.bool_]:
        """Who has not been sent off, (P,)."""
        return self.table[:, 6] > 0


@dataclass(frozen=True)
class Snapshot:
    """A moment of a match.

    Attributes:
        left: our players.
        right: theirs.
        ball: position, (3,).
        ball_direction: change of position per step, (3,).
        owner_team: NOBODY, LEFT or RIGHT.
        owner_player: index of the player that has the ball in its team, or -1.
        mode: NORMAL or another.
        score: goals of left and right.
        player: index in `left` of the player that each of n agents moves, -1 for none, int64 (n,).
        sticky: which of `STICKY` each agent has on, bool (n, 10).
    """

    left: Team
    right: Team
    ball: Floats
    ball_direction: Floats
    owner_team: int
    owner_player: int
    mode: int
    score: tuple[int, int]
    player: NDArray[np.int64]
    sticky: NDArray[np.bool_]

    @property
    def goal_difference(self) -> int:
        return self.score[0] - self.score[1]


def read_team(players: Any) -> Team:
    """A team from the engine's list of players."""
    rows = []
    for player in players:
        position, direction = player.position, player.direction
        rows.append(
            (
                position[0],
                position[1],
                direction[0],
                direction[1],
                player.tired_factor,
                player.has_card,
                player.is_active,
            )
        )
    return Team(np.array(rows, dtype=np.float64))


def read(info: Any, agents: int, sticky: NDArray[np.bool_]) -> Snapshot:
    """A snapshot from the engine's `SharedInfo`.

    Args:
        info: what the engine's `get_info` gives.
        agents: n.
        sticky: bool (n, 10).
    """
    ball, ball_direction = info.ball_position, info.ball_direction
    controllers = info.left_controllers
    return Snapshot(
        left=read_team(info.left_team),
        right=read_team(info.right_team),
        ball=np.array((ball[0], ball[1], ball[2])),
        ball_direction=np.array((ball_direction[0], ball_direction[1], ball_direction[2])),
        owner_team=info.ball_owned_team,
        owner_player=info.ball_owned_player,
        mode=int(info.game_mode),
        score=(info.left_goals, info.right_goals),
        player=np.array([controllers[agent].controlled_player for agent in range(agents)]),
        sticky=sticky,
    )
