"""A player that merges with care: everybody lets everybody ahead go first, on both roads alike."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.merge import in_metres
from stmg_envs.merge.simulation import FASTER, IDLE, LEFT, SLOWER


def cautious(observations: Tensor, headway: float = 1.1, gap: float = 8.0, zone: float = 150.0) -> Tensor:
    """Actions (B, n) from observations (B, n, obs_dim).

    Args:
        observations: what agents see.
        headway: wanted to whoever is ahead, s.
        gap: that must be free beside one who changes lanes, m.
        zone: where agents begin to care for the other road, x in m.
    """
    rows = in_metres(observations)
    x, y, speed = rows[..., 0, 1], rows[..., 0, 2], rows[..., 0, 3]
    there, along, across, closing = (
        rows[..., 1:, 0] > 0,
        rows[..., 1:, 1],
        rows[..., 1:, 2],
        -rows[..., 1:, 3],
    )
    same_lane = across.abs() < 3
    minds = same_lane | ((x > zone) & (x < 420))[..., None]
    ahead = torch.where(there & minds & (along > 0), along - 2 * closing.clamp(min=0), torch.inf).amin(-1)
    merging = (x >= 320) & (y > 2)
    ahead = torch.where((x > 250) & (x < 420) & (y > 2), ahead.minimum((420 - x - 8) * 1.2), ahead)
    beside = there & ((across + y[..., None]).abs() < 3)
    clear = along - 0.8 * closing
    free = ~(beside & (torch.minimum(along.abs(), clear.abs()) < gap)).any(-1)
    free &= ~(beside & (along * clear < 0)).any(-1)
    wish = torch.full_like(x, IDLE, dtype=torch.int64)
    wish = torch.where(ahead < headway * speed, SLOWER, wish)
    wish = torch.where(ahead > headway * (speed + 6), FASTER, wish)
    return torch.where(merging & free, LEFT, wish)
