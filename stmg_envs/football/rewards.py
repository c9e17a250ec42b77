"""What the team is paid for a step, the same for every agent.

The shaped reward is that of MAT's football experiments (Wen et al. 2022, "Multi-Agent Reinforcement Learning
is a Sequence Modeling Problem"), which STEER's take over.
"""

from __future__ import annotations

from math import hypot
from typing import Literal

from stmg_envs.football.snapshot import LEFT, Snapshot

RewardMode = Literal["scoring", "shaped"]

WIN, SCORE, ZONE, DISTANCE = 5.0, 5.0, 0.003, 0.003
"""Weights of winning, of a goal, of the ball's zone, and of our distance to a ball that we do not have."""

MIDDLE_X, BOX_X, END_X = 0.2, 0.64, 1.0
BOX_Y, END_Y = 0.27, 0.42
"""Where zones end, on either side."""


def scoring(before: Snapshot, after: Snapshot, over: bool) -> float:
    """Goals that we scored in this step less goals that they scored."""
    return float(after.goal_difference - before.goal_difference)


def shaped(before: Snapshot, after: Snapshot, over: bool) -> float:
    """Win, goals, zone of the ball, yellow cards, and distance to the ball, weighted.

    Args:
        before: the moment before the step.
        after: the moment after it.
        over: whether the episode ends with it.
    """
    reward = SCORE * scoring(before, after, over) + ZONE * zone(*after.ball[:2])
    reward += WIN * (over and after.goal_difference > 0)
    reward += _cards(after) - _cards(before)
    if after.owner_team != LEFT:
        reward -= DISTANCE * _distance(after)
    return reward


def zone(x: float, y: float) -> int:
    """-2 in our box, -1 in the rest of our part, 0 in the middle, 1 in their part, 2 in their box."""
    if not (MIDDLE_X < abs(x) <= END_X and abs(y) <= END_Y):
        return 0
    depth = 2 if abs(x) > BOX_X and abs(y) < BOX_Y else 1
    return depth if x > 0 else -depth


def _cards(snapshot: Snapshot) -> int:
    """Yellow cards of theirs less ours."""
    theirs, ours = (sum(player.yellow_card for player in team) for team in (snapshot.right, snapshot.left))
    return theirs - ours


def _distance(snapshot: Snapshot) -> float:
    """From the ball to our nearest player, in the engine's coordinates."""
    x, y, _ = snapshot.ball
    return min(hypot(player.x - x, player.y - y) for player in snapshot.left if player.active)


REWARDS = {"scoring": scoring, "shaped": shaped}
