"""What the package brings to the leaderboard."""

from __future__ import annotations

from baselines.leaderboard.suites import Suite

SUITE = Suite("my-suite", "My games", "Who goes first.", ("my/game(n=3)",))
