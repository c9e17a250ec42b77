"""Football: attackers of one team on the engine of Google Research Football, which must be installed."""

from stmg_envs.football.game import Football

__all__ = ["Football"]
