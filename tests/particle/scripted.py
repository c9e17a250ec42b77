"""Scripted players of the particle games, and how well they do."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from stmg_envs.particle import CooperativeCollection, CooperativeHunting, ParticleGame
from stmg_envs.particle.physics import lengths
from stmg_envs.protocol import GameVectorEnv, State

Player = Callable[[State], Tensor]
"""From a state to actions (B, n, 2)."""


def play(game: ParticleGame, player: Player, episodes: int, seed: int = 0) -> dict[str, Tensor]:
    """One episode in each of many environments: returns (B, n), and metrics (B,) at the end."""
    env = GameVectorEnv(game, episodes)
    env.reset(seed=seed)
    running = torch.ones(episodes, dtype=torch.bool)
    result = {"returns": torch.zeros(episodes, game.n)}
    while running.any():
        _, rewards, terminated, truncated, info = env.step(player(env.episodes.state))
        result["returns"] += rewards * running[:, None]
        for name, value in info["metrics"].items():
            result[name] = torch.where(running, value, result.get(name, value))
        running &= ~(terminated | truncated)
    return result


def towards(goal: Tensor, state: State) -> Tensor:
    """Pushes of agents (B, n, 2) that bring them to goals (B, n, 2), braking in time."""
    n = goal.shape[1]
    push = 6 * (goal - state["position"][:, :n]) - state["velocity"][:, :n]
    return push / push.abs().amax(dim=-1, keepdim=True).clamp(min=1)


def random_player(game: ParticleGame, seed: int = 0) -> Player:
    generator = torch.Generator().manual_seed(seed)
    return lambda state: torch.rand(len(state["position"]), game.n, 2, generator=generator) * 2 - 1


def chase(state: State) -> Tensor:
    """Everybody (in variant I) runs straight to the prey."""
    position = state["position"]
    return towards(position[:, -1:].expand(-1, position.shape[1] - 1, -1), state)


def chase_alone(state: State) -> Tensor:
    """The attacker runs straight to the prey, the interceptors run away from both."""
    push = chase(state)
    push[:, 1:] *= -1
    return push


class KeepOff:
    """The attacker runs straight to the prey; the interceptors follow it, but do not touch it.

    Args:
        game: variant I.
        margin: how far outside their grip they stay, lengths.
    """

    def __init__(self, game: CooperativeHunting, margin: float = 0.2) -> None:
        self.ring = game.grip + margin

    def __call__(self, state: State) -> Tensor:
        prey = state["position"][:, -1:]
        away = state["position"][:, :-1] - prey
        goal = prey + self.ring * away / lengths(away)[..., None]
        goal[:, 0] = prey[:, 0]
        return towards(goal, state)


class Surround:
    """Three predators (in variant I) take places around the prey, out of its view, until two close in.

    Args:
        game: variant I.
        outside: how far outside the prey's view the places are, lengths.
        aligned: largest 1 - cos of the angle by which a predator may miss its place when two close in.
        near: largest distance beyond the places.
    """

    def __init__(
        self, game: CooperativeHunting, outside: float = 0.1, aligned: float = 1.8, near: float = 0.3
    ) -> None:
        self.ring = game.prey_view + outside
        self.aligned = aligned
        self.near = near
        self.closing: Tensor | None = None

    def __call__(self, state: State) -> Tensor:
        prey = state["position"][:, 3:]
        away = state["position"][:, :3] - prey
        distance = lengths(away)[..., None]
        bearing = away / distance
        place = self._places(bearing, distance)
        missed = 1 - (place * bearing).sum(dim=-1)
        ready = (missed.amax(dim=1) < self.aligned) & (distance.amax(dim=(1, 2)) < self.ring + self.near)
        self.closing = ready if self.closing is None else self.closing | ready
        # Around the prey, not through its view.
        way = bearing + 0.6 * place
        before = prey + self.ring * way / lengths(way)[..., None]
        after = prey + place * (distance - 0.15).clamp(0, 0.15)
        after[:, 0] = prey[:, 0]
        # One interceptor is enough to hold it; the other bars the way.
        nearest = torch.arange(2) == distance[:, 1:, 0].argmin(dim=1, keepdim=True)
        closes = self.closing[:, None] & torch.cat([torch.ones_like(nearest[:, :1]), nearest], dim=1)
        return towards(torch.where(closes[..., None], after, before), state)

    def _places(self, bearing: Tensor, distance: Tensor) -> Tensor:
        """Directions 120 degrees apart: the attacker's own, then the interceptors', as near as may be."""
        angle = torch.atan2(bearing[:, :1, 1], bearing[:, :1, 0])
        third = 2 * math.pi / 3
        orders = [torch.cat([angle, angle + turn * third, angle - turn * third], dim=1) for turn in (1, -1)]
        one, other = (torch.stack([angles.cos(), angles.sin()], dim=-1) for angles in orders)
        misses = [
            lengths(self.ring * place - bearing * distance)[:, 1:].amax(dim=1) for place in (one, other)
        ]
        return torch.where((misses[0] < misses[1])[:, None, None], one, other)


class Share:
    """Every agent goes to a food of its own type, the two of a type by the shorter assignment."""

    def __init__(self, game: CooperativeCollection) -> None:
        self.swaps = torch.tensor(
            [[i ^ s for i, s in zip(range(6), swap, strict=True)] for swap in self._swaps()]
        )

    @staticmethod
    def _swaps() -> list[list[int]]:
        return [[a, a, b, b, c, c] for a, b, c in itertools.product((0, 1), repeat=3)]

    def __call__(self, state: State) -> Tensor:
        goals = state["food"][:, self.swaps]  # (B, 8, 6, 2)
        cost = lengths(goals - state["position"][:, None]).sum(dim=-1)
        best = cost.argmin(dim=1)
        return towards(goals[torch.arange(len(best)), best], state)
