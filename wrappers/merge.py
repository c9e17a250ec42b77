"""The order of decision of on-ramp merging, by who is in need of a gap."""

from __future__ import annotations

from stmg_envs.merge import observed_urgency
from wrappers.priority import PriorityRule, by_score


def merging_order() -> PriorityRule:
    """Agents on the ramp decide before those on the through road, at every timestep.

    There the one nearest to the end of the merge lane decides first, here the one with the smallest headway.
    Agents are judged by what they see, so the rule is for any view of `stmg/OnRampMerge-v0`: with
    `WithPriority` for one environment, with `PriorityVectorEnv` for a batch.
    """
    return by_score(observed_urgency)
