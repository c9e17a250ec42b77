"""Which simulator the physics follow: highway-env as it is now, or the copy of it that the papers used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Profile:
    """What differs between the two.

    Attributes:
        lane_change_gain: acceleration that a human driver must gain to change lanes, m/s2.
        imposed_braking: braking that a lane change may impose on the vehicle behind, m/s2.
        collisions: "swept" tests the rectangles of vehicles at full size, as they are and as they will be
            a tick later, and pushes them apart; "static" tests them at 0.9 of their size as they are, and
            gives both the smaller of their speeds.
        stops_at_crash: whether a decision ends with the tick in which an agent crashes.
    """

    lane_change_gain: float
    imposed_braking: float
    collisions: Literal["swept", "static"]
    stops_at_crash: bool


PROFILES: Mapping[str, Profile] = {
    "highway-env": Profile(
        lane_change_gain=0.2, imposed_braking=2.0, collisions="swept", stops_at_crash=False
    ),
    "marl_cavs": Profile(lane_change_gain=0.1, imposed_braking=9.0, collisions="static", stops_at_crash=True),
}
"""highway-env 1.12.1, and the fork of it in Chen et al. 2021 ("Deep Multi-agent Reinforcement Learning for
Highway On-Ramp Merging in Mixed Traffic"), which STEER's experiments use too."""
