"""Which of the 19 actions make sense at a moment."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from stmg_envs.football.match import ACTIONS
from stmg_envs.football.snapshot import DIRECTIONS, DRIBBLE, LEFT, RIGHT, SPRINT, Snapshot

REACH = 0.05
"""How near the ball must be to be played: 2.7 m along the pitch, 4.2 m across. A pass may be asked for a
moment before the ball arrives."""


def legal(
    near: bool, ours: bool, theirs: bool, attack: bool, directed: bool, sprints: bool, dribbles: bool
) -> set[str]:
    """The actions that make sense for one player.

    Idling and running always do. The rules of the others:

    | Action                 | Only if                                                                       |
    |------------------------|-------------------------------------------------------------------------------|
    | passes                 | the ball is within `REACH` and they do not have it                            |
    | shot                   | the same, and the ball is in their half                                       |
    | sliding                | the ball is within `REACH` and we do not have it                              |
    | dribble                | the ball is within `REACH`, they do not have it, and one does not dribble yet |
    | release_dribble        | one dribbles                                                                  |
    | sprint                 | one does not sprint yet                                                       |
    | release_sprint         | one sprints                                                                   |
    | release_direction      | one keeps a direction                                                         |

    Args:
        near: whether the ball is within reach.
        ours: whether we have it.
        theirs: whether they have it.
        attack: whether it is in their half.
        directed: whether one keeps a direction.
        sprints: whether one sprints.
        dribbles: whether one dribbles.
    """
    playable = near and not theirs
    rules = {
        "long_pass": playable,
        "high_pass": playable,
        "short_pass": playable,
        "shot": playable and attack,
        "sliding": near and not ours,
        "dribble": playable and not dribbles,
        "release_dribble": dribbles,
        "sprint": not sprints,
        "release_sprint": sprints,
        "release_direction": directed,
    }
    return {action for action in ACTIONS if rules.get(action, True)}


_MASKS = {
    case: np.array([action in allowed for action in ACTIONS], np.int8)
    for case in itertools.product((False, True), repeat=7)
    for allowed in [legal(*case)]
}


def action_masks(snapshot: Snapshot) -> list[NDArray[np.int8]]:
    """For every agent 1 for actions that make sense, see `legal`, int8 (19,) each."""
    (x, y, _), owner = snapshot.ball, snapshot.owner_team
    ball = owner == LEFT, owner == RIGHT, x > 0
    masks = []
    for me, sticky in zip(snapshot.moved, snapshot.sticky, strict=True):
        own = snapshot.left[me]
        near = (own.x - x) ** 2 + (own.y - y) ** 2 < REACH**2
        case = near, *ball, True in sticky[DIRECTIONS], sticky[SPRINT], sticky[DRIBBLE]
        masks.append(_MASKS[case].copy())
    return masks
