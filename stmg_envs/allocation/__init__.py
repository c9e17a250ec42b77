"""Resource allocation: agents that take from one stock whose worth depends on their sum alone."""

from stmg_envs.allocation.game import Credit, ResourceAllocation
from stmg_envs.allocation.scripted import in_turns, next_share, shared_out
from stmg_envs.allocation.worth import best_total, random_worth, worth

__all__ = [
    "Credit",
    "ResourceAllocation",
    "best_total",
    "in_turns",
    "next_share",
    "random_worth",
    "shared_out",
    "worth",
]
