"""Moments of a match by hand."""

from __future__ import annotations

from typing import Any

from stmg_envs.football.snapshot import NOBODY, NORMAL, STICKY, Player, Snapshot


def player(x: float, y: float, direction: tuple[float, float] = (0, 0), **changes: Any) -> Player:
    return Player(x, y, *direction, tiredness=0.25, yellow_card=False, active=True)._replace(**changes)


def moment(**changes: Any) -> Snapshot:
    """Our keeper and two attackers against a keeper and a defender; agents move the attackers."""
    return Snapshot(
        left=[player(-1, 0), player(0.5, 0.25, (0.01, -0.005)), player(0.75, -0.125)],
        right=[player(1, 0, (0, 0.001)), player(0.625, 0.25)],
        ball=(0.53, 0.29, 0.125),
        ball_direction=(0.02, -0.01, 0.5),
        owner_team=NOBODY,
        owner_player=-1,
        mode=NORMAL,
        score=(0, 0),
        moved=[1, 2],
        sticky=[on("top_right", "sprint"), on()],
    )._replace(**changes)


def on(*names: str) -> list[bool]:
    """Sticky actions that are on."""
    return [name in names for name in STICKY]
