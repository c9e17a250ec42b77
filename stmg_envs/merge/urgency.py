"""Who should decide first when roads merge."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.merge.observations import in_metres
from stmg_envs.merge.rewards import FARTHEST_HEADWAY
from stmg_envs.merge.roads import LANE_WIDTH, MERGE_END


def urgency(on_ramp: Tensor, x: Tensor, headway: Tensor) -> Tensor:
    """Scores by which the most urgent vehicle goes first, of any shape.

    Vehicles of the ramp before those of the through road, there the one nearest to the end of the merge
    lane, here the one with the smallest headway.

    Args:
        on_ramp: whether a vehicle is on the ramp or the merge lane, bool.
        x: along the road, metres.
        headway: to the vehicle ahead, at most 60 metres.
    """
    return torch.where(on_ramp, 2 - (MERGE_END - x) / MERGE_END, 1 - headway / FARTHEST_HEADWAY)


def observed_urgency(observations: Tensor) -> Tensor:
    """The urgency of agents as they see themselves, (B, n), from observations (B, n, obs_dim)."""
    rows = in_metres(observations)
    x, y = rows[..., 0, 1], rows[..., 0, 2]
    there, ahead, across = rows[..., 1:, 0] > 0, rows[..., 1:, 1], rows[..., 1:, 2]
    leads = there & (ahead > 0) & (across.abs() < LANE_WIDTH / 2)
    headway = torch.where(leads, ahead, FARTHEST_HEADWAY).amin(dim=-1).clamp(max=FARTHEST_HEADWAY)
    return urgency(y > LANE_WIDTH / 2, x, headway)
