"""What the engine tells of a moment of a match, as plain numbers.

After a step of the engine, which leaves nothing else in the processor's caches, a few dozen calls of numpy on
such small arrays take three times as long as the same in plain Python.

Positions are the engine's: x from -1 (our goal) to 1 (theirs), y from -0.42 (top) to 0.42, z in metres.
"""

from __future__ import annotations

from typing import Any, NamedTuple

NOBODY, LEFT, RIGHT = -1, 0, 1
"""Who has the ball. We are the left team."""

NORMAL, MODES = 0, 7
"""The mode of a match whose ball is in play, and how many there are; the others are set pieces."""

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


TEAM = 11
"""Players of a full team."""


class Player(NamedTuple):
    """A player; the direction is the change of position per step.

    Attributes:
        x: position along the pitch.
        y: position across it.
        direction_x: change of x per step.
        direction_y: change of y per step.
        tiredness: 0 for not at all, 1 at most.
        yellow_card: whether it has one.
        active: whether it has not been sent off.
    """

    x: float
    y: float
    direction_x: float
    direction_y: float
    tiredness: float
    yellow_card: bool
    active: bool


class Snapshot(NamedTuple):
    """A moment of a match.

    Attributes:
        left: our players, at most 11.
        right: theirs.
        ball: position.
        ball_direction: change of position per step.
        owner_team: NOBODY, LEFT or RIGHT.
        owner_player: index of the player that has the ball in its team, or -1.
        mode: NORMAL or another.
        score: our goals and theirs.
        moved: indices in `left` of the players that agents move, -1 for none.
        sticky: which of `STICKY` each agent has on.
    """

    left: list[Player]
    right: list[Player]
    ball: tuple[float, float, float]
    ball_direction: tuple[float, float, float]
    owner_team: int
    owner_player: int
    mode: int
    score: tuple[int, int]
    moved: list[int]
    sticky: list[list[bool]]

    @property
    def goal_difference(self) -> int:
        return self.score[0] - self.score[1]


def read(info: Any, sticky: list[list[bool]]) -> Snapshot:
    """A snapshot from the engine's `SharedInfo`.

    Args:
        info: what the engine's `get_info` gives.
        sticky: which of `STICKY` each agent has on.
    """
    ball, ball_direction, controllers = info.ball_position, info.ball_direction, info.left_controllers
    return Snapshot(
        left=_read_team(info.left_team),
        right=_read_team(info.right_team),
        ball=(ball[0], ball[1], ball[2]),
        ball_direction=(ball_direction[0], ball_direction[1], ball_direction[2]),
        owner_team=info.ball_owned_team,
        owner_player=info.ball_owned_player,
        mode=int(info.game_mode),
        score=(info.left_goals, info.right_goals),
        moved=[controllers[agent].controlled_player for agent in range(len(sticky))],
        sticky=sticky,
    )


def _read_team(team: Any) -> list[Player]:
    # By index: with the engine's iterator a team takes a third longer.
    return [_read_player(team[index]) for index in range(len(team))]


def _read_player(player: Any) -> Player:
    position, direction = player.position, player.direction
    return Player(
        position[0],
        position[1],
        direction[0],
        direction[1],
        player.tired_factor,
        player.has_card,
        player.is_active,
    )
