"""Highway on-ramp merging: connected vehicles find their gaps in mixed traffic."""

from stmg_envs.merge.game import OnRampMerge
from stmg_envs.merge.profiles import PROFILES, Profile
from stmg_envs.merge.supervisor import urgency

__all__ = ["PROFILES", "OnRampMerge", "Profile", "urgency"]
