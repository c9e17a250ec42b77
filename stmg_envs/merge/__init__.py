"""Highway on-ramp merging: connected vehicles find their gaps in mixed traffic."""

from stmg_envs.merge.game import OnRampMerge
from stmg_envs.merge.observations import in_metres
from stmg_envs.merge.profiles import PROFILES, Profile
from stmg_envs.merge.urgency import observed_urgency

__all__ = ["PROFILES", "OnRampMerge", "Profile", "in_metres", "observed_urgency"]
