"""States of particle games made by hand, one episode each."""

from __future__ import annotations

import torch
from torch import Tensor

from stmg_envs.particle import CooperativeCollection, CooperativeHunting
from stmg_envs.protocol import State, Streams

Places = list[tuple[float, float]]


def streams(batch: int = 1) -> Streams:
    return Streams.from_seeds(range(batch))


def still(game: CooperativeHunting | CooperativeCollection, batch: int = 1) -> Tensor:
    """The actions of agents that do nothing."""
    if game.discrete:
        return torch.zeros(batch, game.n, dtype=torch.int64)
    return torch.zeros(batch, game.n, 2)


def hunting_state(game: CooperativeHunting, places: Places, velocities: Places | None = None) -> State:
    """Predators, attackers first, then prey."""
    start = game.start(torch.tensor([places]))
    if velocities is not None:
        start["velocity"] = torch.tensor([velocities])
    return {
        **start,
        "caught": torch.zeros(1, game.prey, dtype=torch.bool),
        "collisions": torch.zeros(1),
    }


def collection_state(game: CooperativeCollection, agents: Places, foods: Places) -> State:
    return {
        **game.start(torch.tensor([agents])),
        "food": torch.tensor([foods]),
        "collisions": torch.zeros(1),
    }
