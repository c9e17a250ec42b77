"""A safety supervisor: it looks ahead and replaces actions that would crash.

After Chen et al. 2021, section V: vehicles are checked in order of urgency, each with the actions of those
before it as corrected. What is ours: the prediction is the simulator itself, the human drivers' noise
left out, and the room of an action is the least distance along the road to what is in the agent's way.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.merge.observations import VIEW
from stmg_envs.merge.profiles import Profile
from stmg_envs.merge.rewards import headways
from stmg_envs.merge.roads import OBSTACLE, roads
from stmg_envs.merge.simulation import ACTIONS, IDLE, action_mask, advance
from stmg_envs.merge.urgency import urgency
from stmg_envs.merge.vehicles import WIDTH, Vehicles

LOOK_AHEAD = 15
"""Ticks."""

IN_THE_WAY = WIDTH + 1.0
"""Vehicles whose centres are farther apart than this across the road pass each other, metres."""


def supervise(vehicles: Vehicles, actions: Tensor, profile: Profile) -> Tensor:
    """The actions that agents may carry out, int64 (n, B).

    Args:
        vehicles: the vehicles.
        actions: what agents want to do, int64 (n, B).
        profile: which simulator to follow.
    """
    n, choices = len(actions), len(ACTIONS)
    on_ramp = ~roads(actions.device).through[vehicles.lane[:n]]
    headway = headways(vehicles.lane, vehicles.x - vehicles.x[:n, None])
    order = urgency(on_ramp, vehicles.x[:n], headway).argsort(dim=0, descending=True, stable=True)
    available = action_mask(vehicles, n)
    # The same roads once for every action, side by side: (V, A * B).
    copies = Vehicles(**{name: value.repeat(1, choices) for name, value in vehicles.tensors().items()})
    tried = torch.arange(choices, device=actions.device)[:, None].expand(choices, actions.shape[1])
    for agent in order[:, None].unbind(0):  # (1, B) each
        joint = actions.repeat(1, choices)
        joint.scatter_(0, agent.repeat(1, choices), tried.reshape(1, -1))
        room, crash = _foresee(copies, joint, agent.repeat(1, choices), profile)
        room, crash = room.view(choices, -1), crash.view(choices, -1)
        allowed = available.gather(1, agent.expand(choices, 1, -1))[:, 0]
        best = torch.where(allowed, room - crash * 2 * VIEW, -torch.inf).max(dim=0).indices
        wanted = actions.gather(0, agent)
        doomed = crash.gather(0, wanted)
        actions = actions.scatter(0, agent, torch.where(doomed, best[None], wanted))
    return actions


def _foresee(vehicles: Vehicles, actions: Tensor, agent: Tensor, profile: Profile) -> tuple[Tensor, Tensor]:
    """The least room of an agent (1, B) in the time to come, metres (B,), and whether it crashes."""
    room = vehicles.x.new_full(agent.shape, VIEW)
    for tick in range(LOOK_AHEAD):
        vehicles = advance(vehicles, actions, profile, ticks=1)
        actions = torch.full_like(actions, IDLE) if tick == 0 else actions
        room = torch.minimum(room, _room(vehicles, agent))
    return room[0], vehicles.crashed.gather(0, agent)[0]


def _room(vehicles: Vehicles, agent: Tensor) -> Tensor:
    """Metres along the road between an agent (1, B) and the nearest body in its way, (1, B)."""
    x, y = (
        torch.cat([places, places.new_full((1, places.shape[1]), place)])
        for places, place in zip((vehicles.x, vehicles.y), OBSTACLE, strict=True)
    )
    along, across = (x - x.gather(0, agent)).abs(), (y - y.gather(0, agent)).abs()
    return torch.where(across < IN_THE_WAY, along, VIEW).scatter(0, agent, VIEW).amin(dim=0, keepdim=True)
