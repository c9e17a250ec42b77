"""What the suite asks of a game, as one call for authors of games: `check_game`."""

from stmg_envs.testing.check import ConformanceError, check_game

__all__ = ["ConformanceError", "check_game"]
