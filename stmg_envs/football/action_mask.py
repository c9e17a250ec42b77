"""Which of the 19 actions make sense at a moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stmg_envs.football.match import ACTIONS
from stmg_envs.football.snapshot import DIRECTIONS, DRIBBLE, LEFT, RIGHT, SPRINT, Snapshot

REACH = 0.05
"""How near the ball must be to be played: 2.7 m along the pitch, 4.2 m across. A pass may be asked for a
moment before the ball arrives."""

_INDEX = {name: index for index, name in enumerate(ACTIONS)}
_PASSES = [_INDEX[name] for name in ("long_pass", "high_pass", "short_pass")]


def action_mask(snapshot: Snapshot) -> NDArray[np.int8]:
    """1 for actions that make sense, int8 (n, 19).

    Idling and running are always there. The rules of the others:

    | Action                 | Only if                                                                      |
    |------------------------|------------------------------------------------------------------------------|
    | passes                 | the ball is within `REACH` and they do not have it                           |
    | shot                   | the same, and the ball is in their half                                      |
    | sliding                | the ball is within `REACH` and we do not have it                             |
    | dribble                | the ball is within `REACH`, they do not have it, and one does not dribble yet |
    | release dribble        | one dribbles                                                                 |
    | sprint                 | one does not sprint yet                                                      |
    | release sprint         | one sprints                                                                  |
    | release direction      | one keeps a direction                                                        |
    """
    own = snapshot.left.position[snapshot.player]
    x, y = snapshot.ball[0] - own[:, 0], snapshot.ball[1] - own[:, 1]
    near = x * x + y * y < REACH * REACH
    playable = near & (snapshot.owner_team != RIGHT)
    sprints, dribbles = snapshot.sticky[:, SPRINT], snapshot.sticky[:, DRIBBLE]
    mask = np.ones((len(own), len(ACTIONS)), np.int8)
    mask[:, _PASSES] = playable[:, None]
    mask[:, _INDEX["shot"]] = playable & (snapshot.ball[0] > 0)
    mask[:, _INDEX["sliding"]] = near & (snapshot.owner_team != LEFT)
    mask[:, _INDEX["dribble"]] = playable & ~dribbles
    mask[:, _INDEX["release_dribble"]] = dribbles
    mask[:, _INDEX["sprint"]] = ~sprints
    mask[:, _INDEX["release_sprint"]] = sprints
    mask[:, _INDEX["release_direction"]] = snapshot.sticky[:, DIRECTIONS].any(axis=1)
    return mask
