"""Grid transport: boxes that are passed on from square to square, and planners that play for all."""

from stmg_envs.transport.exact import exact_plan
from stmg_envs.transport.game import GridTransport
from stmg_envs.transport.greedy import GreedyPlayer

__all__ = ["GreedyPlayer", "GridTransport", "exact_plan"]
