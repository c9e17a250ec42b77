"""Cooperative Collection: six agents share six foods, best if each takes one of its own type."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stmg_envs.arguments import require_number, require_positive
from stmg_envs.particle.layout import batch_first, batch_last
from stmg_envs.particle.particle_game import Actions, ParticleGame
from stmg_envs.particle.physics import MPE, Physics, contact_forces, lengths
from stmg_envs.particle.rendering import Body, Picture
from stmg_envs.protocol import Outcome, State, Streams

COLORS = ("purple", "blue", "green")
"""The types (DRIMA paper, section 4.2)."""

FOOD_RADIUS = 0.05
"""Of pictures only, lengths: foods are places."""

JITTER = 0.6
"""Share of its cell over which a food is spread; foods of neighbouring cells stay 0.4 cells apart."""


class CooperativeCollection(ParticleGame):
    """Agents and foods of three types: occupy as many foods as possible, and foods of your own type.

    There are 2 agents and 2 foods of each type (DRIMA paper, section 4.2). Only one agent can occupy a
    food, agents push each other away, and each sees only what is near, so an agent at a food of another
    type should leave it to one that it suits. The paper gives the numbers of agents and foods and the
    reward's terms; its constants are not published, so all of them are arguments here.

    | Space       | Each agent                                                                     |
    |-------------|--------------------------------------------------------------------------------|
    | Action      | Box(-1, 1, (2,)): push along x and y; or Discrete(5): none, left, right, down, up |
    | Observation | Box(-c, c, (72,)), see below; c bounds what can happen in an episode           |
    | State       | Box(-c, c, (36,)): positions and velocities of agents, positions of foods      |

    | Observation       | Numbers                                                                  |
    |-------------------|--------------------------------------------------------------------------|
    | 0-6               | own position, own velocity, own type (one-hot of 3)                      |
    | 7 per other agent | its position and velocity from one's own, its type                       |
    | 5 per food        | its position from one's own, its type                                    |

    What is farther than `view` is all 0, also its type.

    **Dynamics.** MPE's (`stmg_envs.particle.physics`); agents push each other apart, foods are places.
    Agents start at rest, uniformly in the square of half side `arena`. Foods lie in different cells,
    chosen at random, of a 3 x 3 grid over the square, at random places of their cells: so two
    agents never have to stand in one place.

    **Rewards.** In every step an agent pays its distance to the nearest food and `boundary_penalty`
    times simple_tag's penalty for leaving the arena. The agent nearest to a food occupies it if it is
    within `occupy_radius`, and gets `match_bonus` if the food is of its type, else `occupy_bonus`
    (the better one, if it occupies several).

    **Metrics.** `occupied`: foods that are occupied now. `matches`: those occupied by an agent of their
    type. `collisions`: pairs of agents that touched so far, one per step.

    **Episode end.** Truncates after `max_steps`.

    **Neighbours.** Agents within `communication_radius` of each other.

    Args:
        actions: "continuous" or "discrete".
        max_steps: time limit; 30, as in Cooperative Hunting (section 4.2 gives it for hunting only).
        view: radius within which agents see, lengths; ours.
        communication_radius: lengths; ours.
        occupy_radius: lengths; ours.
        occupy_bonus: 10, the payoff of any food (table 3).
        match_bonus: 20, the payoff of a food of one's type (table 3).
        boundary_penalty: weight of the penalty for leaving the arena; ours.
        arena: half side of the square, lengths; 1, as in simple_tag.
        radius: of agents, lengths; simple_tag's predators, as the two that follow.
        acceleration: lengths per second squared.
        max_speed: lengths per second.
        physics: constants of the medium; MPE's.
        trail: how many past positions pictures show.

    Raises:
        InvalidArgumentError: for an argument out of range.

    **Version history.** v0: first version.
    """

    def __init__(
        self,
        actions: Actions = "continuous",
        max_steps: int = 30,
        view: float = 1.0,
        communication_radius: float = 1.0,
        occupy_radius: float = 0.1,
        occupy_bonus: float = 10.0,
        match_bonus: float = 20.0,
        boundary_penalty: float = 1.0,
        arena: float = 1.0,
        radius: float = 0.075,
        acceleration: float = 3.0,
        max_speed: float = 1.0,
        physics: Physics = MPE,
        trail: int = 5,
    ) -> None:
        require_positive(
            view=view,
            occupy_radius=occupy_radius,
            radius=radius,
            acceleration=acceleration,
            max_speed=max_speed,
        )
        require_number("occupy_bonus", occupy_bonus)
        require_number("match_bonus", match_bonus)
        n = 2 * len(COLORS)
        super().__init__(
            [f"agent_{i}" for i in range(n)],
            [radius] * n,
            [acceleration] * n,
            [max_speed] * n,
            actions,
            max_steps,
            arena,
            boundary_penalty,
            communication_radius,
            physics,
            trail,
        )
        self.view = view
        self.occupy_radius = occupy_radius
        self.colors = tuple(COLORS[i // 2] for i in range(n))
        self.observation_space = self.box(7 * n + 5 * n)
        self.state_space = self.box(6 * n)
        # Agents and foods i are of the same type i // 2.
        self._types = torch.eye(len(COLORS)).repeat_interleave(2, dim=0)
        self._suits = self._types @ self._types.T > 0
        self._bonus = torch.where(self._suits, float(match_bonus), float(occupy_bonus))
        self._side = math.ceil(math.sqrt(n))

    def reset(self, streams: Streams) -> State:
        position = streams.uniform(self.n, 2).mul_(2).sub_(1).mul_(self.arena)
        cells = streams.permutation(self._side**2)[:, : self.n]
        corner = torch.stack([cells % self._side, cells // self._side], dim=-1)
        within = (streams.uniform(self.n, 2) - 0.5) * JITTER + 0.5
        food = ((corner + within) * (2 / self._side) - 1) * self.arena
        return {**self.start(position), "food": batch_last(food), "collisions": food.new_zeros(len(food))}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        self.use(actions.device)
        food = state["food"]
        before = batch_last(state["position"])
        contact = contact_forces(before, self._contact_distance, self.physics)
        moved = self.advance(state, self.push(actions), contact)
        position = moved["position"]
        distance = lengths(position[:, :, None] - food[:, None])  # (B, n, F)
        occupies = (distance <= self.occupy_radius) & (distance == distance.amin(dim=1, keepdim=True))
        rewards = (occupies * self._bonus).amax(dim=-1).sub_(distance.amin(dim=-1))
        rewards.sub_(self.outside(position))
        apart = lengths(position[:, :, None] - position[:, None])
        # Each pair stands there twice.
        collisions = state["collisions"] + (apart < self._contact_distance).sum(dim=(1, 2)) / 2
        return Outcome(
            {**moved, "food": food, "collisions": collisions},
            batch_first(rewards),
            torch.zeros(len(food), dtype=torch.bool, device=food.device),
            {
                "occupied": occupies.any(dim=1).sum(dim=-1, dtype=torch.float32),
                "matches": (occupies & self._suits).any(dim=1).sum(dim=-1, dtype=torch.float32),
                "collisions": collisions,
            },
        )

    def observe(self, state: State) -> Tensor:
        self.use(state["position"].device)
        position, velocity, n = state["position"], state["velocity"], self.n
        numbers = position.new_empty(n, 12 * n, len(position)).movedim(-1, 0)
        agents = numbers[..., : 7 * n].unflatten(-1, (n, 7))
        own, others = agents[:, :, 0], agents[:, :, 1:]  # (B, n, 7) and (B, n, n - 1, 7)
        foods = numbers[..., 7 * n :].unflatten(-1, (n, 5))  # (B, n, F, 5)
        own[..., :2], own[..., 2:4], own[..., 4:] = position, velocity, self._types
        torch.sub(position[:, self._others], position[:, :, None], out=others[..., :2])
        torch.sub(velocity[:, self._others], velocity[:, :, None], out=others[..., 2:4])
        others[..., 4:] = self._types[self._others]
        torch.sub(state["food"][:, None], position[:, :, None], out=foods[..., :2])
        foods[..., 2:] = self._types
        for seen in (others, foods):
            near = (lengths(seen[..., :2]) <= self.view)[..., None]
            torch.where(near, seen, self._zero, out=seen)  # faster than filling
        return batch_first(numbers)

    def global_state(self, state: State) -> Tensor:
        parts = (state[name].flatten(1).t() for name in ("position", "velocity", "food"))
        return torch.cat(list(parts)).t().contiguous()

    def picture(self, state: State) -> Picture:
        position, food = state["position"], state["food"]
        agents = [
            Body(name, color, float(self._radius[0]), trail, self.view)
            for name, color, trail in zip(self.agents, self.colors, self.trails(state), strict=True)
        ]
        foods = [
            Body(f"food_{index}", color, FOOD_RADIUS, [(x, y)], filled=False)
            for index, (color, (x, y)) in enumerate(zip(self.colors, food[0].tolist(), strict=True))
        ]
        distance = lengths(position[0, :, None] - food[0])
        occupied = int((distance.amin(dim=0) <= self.occupy_radius).sum())
        return Picture(agents + foods, f"{occupied} foods occupied, {int(state['collisions'][0])} collisions")
