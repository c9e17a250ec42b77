"""Several batches of environments as one, each of which may step while somebody decides for another."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import wait
from typing import Any

import torch
from torch import Tensor

from stmg_envs.arguments import require_table
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol.episodes import Seed, seed_tensor
from stmg_envs.protocol.priority import priority_indices
from stmg_envs.protocol.randomness import Streams
from stmg_envs.protocol.vector import JointVectorEnv, Observations

READY_SECONDS = 10.0
"""How long lanes are looked at before one of them is waited for."""


def interleave(parts: Sequence[Tensor], dim: int = 0) -> Tensor:
    """What lanes have, each of the same shape, as rows of their batch: row b is from lane b mod L."""
    return parts[0] if len(parts) == 1 else torch.stack(list(parts), dim + 1).flatten(dim, dim + 1)


def interleave_named(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors by name of every lane as rows of their batch."""
    return {name: interleave([part[name] for part in parts]) for name in parts[0]}


def next_ready(lanes: Sequence[JointVectorEnv], seconds: float = READY_SECONDS) -> int:
    """The number of the first lane whose `receive` need not wait; if there is none, wait for one.

    After so many seconds it is 0 whatever that lane does: it may hang, which `receive` finds out.
    """
    ready: Sequence[Any] = ()
    while len(lanes) > 1:
        awaited = [lane.awaited(ready) for lane in lanes]
        if [] in awaited:
            return awaited.index([])
        ready = wait([connection for of_lane in awaited for connection in of_lane], seconds)
        if not ready:
            break
    return 0


class InterleavedVectorEnv(JointVectorEnv):
    """L batches of the same environments as one: row b of it is row b // L of lane b mod L.

    It gives the numbers of one batch. With lanes in different processes, a learner that decides for one while
    the others step need not wait for the slowest environment in every timestep.

    Args:
        lanes: batches of the same size, whose snapshots have a row for each environment.

    Raises:
        InvalidArgumentError: for no lanes, or lanes of different sizes.
    """

    def __init__(self, lanes: Sequence[JointVectorEnv]) -> None:
        sizes = [lane.num_envs for lane in lanes]
        if len(set(sizes)) != 1:
            raise InvalidArgumentError(f"lanes have {sizes} environments; expected the same number in each")
        first = lanes[0]
        self._lanes = tuple(lanes)
        self.game = first.game
        self.device = first.device
        self.num_envs = sum(sizes)
        self.keeps_episodes = all(lane.keeps_episodes for lane in lanes)
        self.loses_episodes = any(lane.loses_episodes for lane in lanes)

    @property
    def lanes(self) -> tuple[JointVectorEnv, ...]:
        return self._lanes

    @property
    def priority(self) -> Tensor:
        return interleave([lane.priority for lane in self.lanes])

    @priority.setter
    def priority(self, priority: object) -> None:
        order = priority_indices(self.agents, priority, self.num_envs, self.device)
        for lane, part in zip(self.lanes, self._parts(order), strict=True):
            lane.priority = part

    @property
    def episode_streams(self) -> Streams:
        return Streams(interleave([lane.episode_streams.keys for lane in self.lanes]))

    def neighbors(self) -> Tensor:
        return interleave([lane.neighbors() for lane in self.lanes])

    def reset(
        self, seed: Seed = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        if "priority" in (given := require_table("options", options)):
            self.priority = given["priority"]
        seeds: Sequence[Seed] = [None] * len(self.lanes)
        if seed is not None:
            seeds = self._parts(seed_tensor(seed, self.num_envs))
        started = [lane.reset(part)[0] for lane, part in zip(self.lanes, seeds, strict=True)]
        return interleave_named(started), {}

    def step(self, actions: Tensor) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        self.send(actions)
        return self.receive()

    def send(self, actions: Tensor) -> None:
        for lane, part in zip(self.lanes, self._parts(actions), strict=True):
            lane.send(part)

    def receive(self) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        observations, rewards, terminated, truncated, infos = zip(
            *(self._received(number) for number in range(len(self.lanes))), strict=True
        )
        info: dict[str, Any] = {
            "final": interleave_named([info["final"] for info in infos]),
            **{name: interleave([info[name] for info in infos]) for name in ("terminations", "truncations")},
            "metrics": self._metrics([info["metrics"] for info in infos]),
        }
        if self.loses_episodes:
            info["lost"] = interleave([info["lost"] for info in infos])
        return (
            interleave_named(observations),
            interleave(rewards),
            interleave(terminated),
            interleave(truncated),
            info,
        )

    def snapshot(self) -> dict[str, Tensor]:
        return interleave_named([lane.snapshot() for lane in self.lanes])

    def restore(self, snapshot: dict[str, Tensor]) -> Observations:
        parts = {name: self._parts(x) for name, x in snapshot.items()}
        return interleave_named(
            [lane.restore({name: x[i] for name, x in parts.items()}) for i, lane in enumerate(self.lanes)]
        )

    def close(self) -> None:
        for lane in self.lanes:
            lane.close()

    def _parts(self, rows: Tensor) -> list[Tensor]:
        """Each lane's of the batch's rows."""
        return [rows[number :: len(self.lanes)] for number in range(len(self.lanes))]

    def _received(self, number: int) -> tuple[Observations, Tensor, Tensor, Tensor, dict[str, Any]]:
        """What came of a lane's step; environments that errors name are counted within it."""
        try:
            return self.lanes[number].receive()
        except Exception as error:
            count = len(self.lanes)
            error.add_note(f"in lane {number} of {count}: its environment i is {count} * i + {number} here")
            raise

    def _metrics(self, parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Metrics by name, NaN for lanes that tell nothing as all their episodes were lost."""
        nothing = torch.full((self.num_envs // len(self.lanes),), torch.nan, device=self.device)
        names = dict.fromkeys(name for part in parts for name in part)
        return {name: interleave([part.get(name, nothing) for part in parts]) for name in names}
