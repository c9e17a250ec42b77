"""A moment of a match in one line."""

from __future__ import annotations

from stmg_envs.football.snapshot import LEFT, NOBODY, RIGHT, Snapshot

OWNERS = {NOBODY: "nobody has it", LEFT: "we have it", RIGHT: "they have it"}


def write(snapshot: Snapshot, steps: int) -> str:
    """Score, ball, who has it, and where the players are that agents move."""
    places = [snapshot.left[player] for player in snapshot.moved]
    players = ", ".join(f"agent_{agent} ({own.x:+.2f}, {own.y:+.2f})" for agent, own in enumerate(places))
    x, y, _ = snapshot.ball
    ball = f"ball ({x:+.2f}, {y:+.2f}), {OWNERS[snapshot.owner_team]}"
    return f"step {steps}, {snapshot.score[0]}:{snapshot.score[1]}, {ball}; {players}"
