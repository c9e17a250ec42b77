"""Cooperative Hunting: an attacker catches fast prey, if interceptors pay for holding it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stmg_envs.arguments import require_choice, require_number, require_positive
from stmg_envs.particle.fleeing import flee, headings
from stmg_envs.particle.layout import batch_first, batch_last, joined
from stmg_envs.particle.particle_game import Actions, ParticleGame
from stmg_envs.particle.physics import MPE, NO_CONTACT, Physics, apart_forces, lengths
from stmg_envs.particle.rendering import Body, Picture
from stmg_envs.protocol import Outcome, State, Streams, number

Variant = Literal["I", "II"]

TEAMS: dict[str, tuple[int, int, int]] = {"I": (1, 2, 1), "II": (2, 2, 2)}
"""Attackers, interceptors and prey of each variant."""


class CooperativeHunting(ParticleGame):
    """Attackers and interceptors hunt prey that is faster than they are.

    Attackers can hit prey, but alone they do not reach it; interceptors can hold it where it is, but that
    costs them. Variant "I" has 1 attacker, 2 interceptors and 1 prey, variant "II" 2 of each (DRIMA paper,
    sections 4.2 and B.2.2). The paper gives the roles, the kinds of reward, the 30 steps and fast prey with
    a limited view. It publishes no constant and not what the prey does: both are ours, and all constants
    are arguments here.

    | Space       | Each predator, with n predators and m prey                                     |
    |-------------|--------------------------------------------------------------------------------|
    | Action      | Box(-1, 1, (2,)): push along x and y; or Discrete(5): none, left, right, down, up |
    | Observation | Box(-c, c, (5 (n + m),)), see below; c bounds what can happen in an episode    |
    | State       | Box(-c, c, (5 m + 4 n,)): positions, velocities, and 1 for prey not yet hit    |

    | Observation      | Numbers                                                                   |
    |------------------|---------------------------------------------------------------------------|
    | 0-4              | own position, own velocity, own role (1 attacker, 0 interceptor)          |
    | 5 per other body | its position and velocity from one's own, and 1; all 0 if it is not seen  |

    Other bodies are the predators, attackers first, without oneself, and then the prey. Not seen is what
    is farther than `view`, and prey that has been hit.

    **Dynamics.** MPE's (`stmg_envs.particle.physics`); all bodies push each other apart. Everything
    starts at rest, uniformly in the square of half side `arena`, as in simple_tag. The prey follows a
    rule of ours instead of the paper's pre-trained policy: it flees from the attackers that it sees, to
    the safest place it can reach (`stmg_envs.particle.fleeing`), and not from interceptors, which cannot
    hit it. While an interceptor is within `grip` of it, it collides with prey and holds it: the prey
    stands still. Prey that has been hit stays where it is and is out of the game.

    **Rewards.** Each predator pays its distance to the nearest prey that had not been hit before the
    step, and `boundary_penalty` times simple_tag's penalty for leaving the arena. An attacker gets
    `hit_bonus` for each such prey that it touches, an interceptor pays `collision_penalty` for each that
    it holds, in every step.

    **Dilemma.** That of the paper's table 2: both approach (15, -5), only the attacker approaches (5, 0).
    The prey is so quick that it escapes an attacker alone: somebody has to hold it while the attacker takes
    its last steps. What an early end saves an interceptor in distance is less than what these steps cost
    it, so selfish interceptors stay near the prey, but out of `grip`, and it gets away unless it runs into
    them. The group gains by holding: one hit pays for thirty steps of it.

    **Metrics.** `caught`: 1 once all prey has been hit; at the end of an episode, whether it succeeded.
    `hits`: prey hit so far. `collisions`: steps so far in which interceptors held prey, of all pairs.

    **Episode end.** Terminates when all prey has been hit; truncates after `max_steps`.

    **Neighbours.** Predators within `communication_radius` of each other.

    Args:
        variant: "I" or "II".
        actions: "continuous" or "discrete".
        max_steps: time limit; 30 (section 4.2).
        view: radius within which predators see other bodies, lengths; None, as in simple_tag: all.
        communication_radius: lengths; ours.
        prey_view: radius of the disc in which prey sees attackers, lengths; ours. It is wider than `grip`,
            so that prey has to be held before an attacker is near.
        prey_reach: how far ahead prey looks, lengths; ours. Half the arena: prey that looks only half as far
            runs into corners, where an attacker alone gets it.
        grip: distance within which an interceptor holds prey, lengths; ours.
        hit_bonus: what a hit pays an attacker; ours, the cost of holding prey for 30 steps.
        collision_penalty: what each step of holding prey costs an interceptor; 5, as in table 2.
        boundary_penalty: weight of the penalty for leaving the arena; ours.
        arena: half side of the square, lengths; 1, as in simple_tag.
        predator_radius: lengths; as in simple_tag, as the three that follow.
        predator_acceleration: lengths per second squared.
        predator_max_speed: lengths per second.
        prey_radius: lengths.
        prey_acceleration: lengths per second squared; ours, simple_tag's prey has 4.
        prey_max_speed: lengths per second; ours, simple_tag's prey has 1.3.
        physics: constants of the medium; MPE's.
        trail: how many past positions pictures show.

    Raises:
        InvalidArgumentError: for an argument out of range.

    **Version history.** v0: first version.
    """

    def __init__(
        self,
        variant: Variant = "I",
        actions: Actions = "continuous",
        max_steps: int = 30,
        view: float | None = None,
        communication_radius: float = 1.0,
        prey_view: float = 0.4,
        prey_reach: float = 1.0,
        grip: float = 0.3,
        hit_bonus: float = 150.0,
        collision_penalty: float = 5.0,
        boundary_penalty: float = 1.0,
        arena: float = 1.0,
        predator_radius: float = 0.075,
        predator_acceleration: float = 3.0,
        predator_max_speed: float = 1.0,
        prey_radius: float = 0.05,
        prey_acceleration: float = 15.0,
        prey_max_speed: float = 2.0,
        physics: Physics = MPE,
        trail: int = 5,
    ) -> None:
        require_choice("variant", variant, TEAMS)
        require_positive(
            prey_view=prey_view,
            prey_reach=prey_reach,
            grip=grip,
            predator_radius=predator_radius,
            predator_acceleration=predator_acceleration,
            predator_max_speed=predator_max_speed,
            prey_radius=prey_radius,
            prey_acceleration=prey_acceleration,
            prey_max_speed=prey_max_speed,
        )
        if view is not None:
            require_positive(view=view)
        require_number("hit_bonus", hit_bonus)
        require_number("collision_penalty", collision_penalty)
        attackers, interceptors, prey = TEAMS[variant]
        predators = attackers + interceptors
        super().__init__(
            [
                *(f"attacker_{i}" for i in range(attackers)),
                *(f"interceptor_{i}" for i in range(interceptors)),
            ],
            [predator_radius] * predators + [prey_radius] * prey,
            [predator_acceleration] * predators + [prey_acceleration] * prey,
            [predator_max_speed] * predators + [prey_max_speed] * prey,
            actions,
            max_steps,
            arena,
            boundary_penalty,
            communication_radius,
            physics,
            trail,
        )
        self.attackers = attackers
        self.prey = prey
        self.view = view
        self.prey_view = prey_view
        self.prey_reach = prey_reach
        self.grip = grip
        self.observation_space = self.box(5 * (predators + prey))
        self.state_space = self.box(4 * (predators + prey) + prey)
        touch_distance = [predator_radius + prey_radius] * attackers + [grip] * interceptors
        self._touch_distance = torch.tensor(touch_distance, dtype=torch.float32)[:, None]
        touch_reward = [hit_bonus] * attackers + [-collision_penalty] * interceptors
        self._touch_reward = torch.tensor(touch_reward, dtype=torch.float32)
        # The last number of each body as agents see it, themselves first: their role, or 1.
        self._marks = torch.ones(predators, predators + prey)
        self._marks[attackers:, 0] = 0
        self._ways = prey_reach * headings()
        self._playing = torch.zeros(1, predators, dtype=torch.bool)

    def reset(self, streams: Streams) -> State:
        position = streams.uniform(self.n + self.prey, 2).mul_(2).sub_(1).mul_(self.arena)
        batch = len(position)
        caught = position.new_zeros(batch, self.prey, dtype=torch.bool)
        return {**self.start(position), "caught": batch_last(caught), "collisions": position.new_zeros(batch)}

    def step(self, state: State, actions: Tensor, streams: Streams) -> Outcome:
        self.use(actions.device)
        caught = state["caught"]
        before = batch_last(state["position"])
        predators, prey = before[:, : self.n], before[:, self.n :]
        away = before[:, :, None] - before[:, None]
        distance = lengths(away)
        attackers, of_prey = slice(self.attackers), slice(self.n, None)
        flight = flee(
            prey,
            predators[:, attackers],
            away[:, of_prey, attackers],
            distance[:, of_prey, attackers],
            self.prey_view,
            self.arena,
            self._ways,
        )
        held = (distance[:, of_prey, self.attackers : self.n] < self.grip).any(dim=2)
        flight.masked_fill_((caught | held)[..., None], 0)
        out = self._out(caught)
        # Filling a mask with the batch innermost would give a table with the batch outermost.
        no_contact = number(NO_CONTACT, out.device)
        contact_distance = torch.where(out[:, :, None] | out[:, None], no_contact, self._contact_distance)
        contact = apart_forces(away, distance, contact_distance, self.physics)
        moved = self.advance(state, joined([self.push(actions), flight]), contact)

        predators, prey = moved["position"][:, : self.n], moved["position"][:, self.n :]
        distance = lengths(predators[:, :, None] - prey[:, None])  # (B, n, m)
        distance.masked_fill_(caught[:, None], torch.inf)
        touch = distance < self._touch_distance
        rewards = (touch.sum(dim=-1) * self._touch_reward).sub_(distance.amin(dim=-1))
        rewards.sub_(self.outside(predators))

        caught = caught | touch[:, : self.attackers].any(dim=1)
        holds = touch[:, self.attackers :]
        moved["velocity"][:, self.n :].masked_fill_((caught | holds.any(dim=1))[..., None], 0)
        collisions = state["collisions"] + holds.sum(dim=(1, 2))
        hits, over = caught.sum(dim=-1, dtype=torch.float32), caught.all(dim=-1)
        return Outcome(
            {**moved, "caught": caught, "collisions": collisions},
            batch_first(rewards),
            over,
            {"caught": over.float(), "hits": hits, "collisions": collisions},
        )

    def observe(self, state: State) -> Tensor:
        self.use(state["position"].device)
        position, velocity = state["position"], state["velocity"]
        numbers = position.new_empty(self.n, self.n + self.prey, 5, len(position)).movedim(-1, 0)
        own, others = numbers[:, :, 0], numbers[:, :, 1:]  # (B, n, 5) and (B, n, n + m - 1, 5)
        moving = joined([position.transpose(1, 2), velocity.transpose(1, 2)]).transpose(1, 2)  # (B, n + m, 4)
        own[..., :4], numbers[..., 4] = moving[:, : self.n], self._marks
        torch.sub(moving[:, self._others], moving[:, : self.n, None], out=others[..., :4])
        if self.view is not None:
            near = (lengths(others[..., :2]) <= self.view)[..., None]
            torch.where(near, others, self._zero, out=others)
        hunted = others[:, :, -self.prey :]  # which comes last for everybody
        torch.where(state["caught"][:, None, :, None], self._zero, hunted, out=hunted)
        return batch_first(numbers).flatten(2)

    def global_state(self, state: State) -> Tensor:
        parts = (state["position"].flatten(1), state["velocity"].flatten(1), ~state["caught"])
        return torch.cat([part.t() for part in parts]).t().contiguous()

    def picture(self, state: State) -> Picture:
        out, collisions = self._out(state["caught"])[0].tolist(), int(state["collisions"][0])
        names = [*self.agents, *(f"prey_{i}" for i in range(self.prey))]
        bodies = []
        for index, (name, trail) in enumerate(zip(names, self.trails(state), strict=True)):
            hunted = index >= self.n
            bodies.append(
                Body(
                    name=name,
                    color="prey" if hunted else name.partition("_")[0],
                    radius=float(self._radius[index]),
                    trail=trail,
                    view=self.prey_view if hunted else self.view,
                    faded=out[index],
                )
            )
        return Picture(bodies, f"hit {sum(out)} of {self.prey}, collisions {collisions}")

    def _out(self, caught: Tensor) -> Tensor:
        """Bodies that are out of the game, which only prey can be, bool (B, n + m)."""
        return joined([self._playing.expand(len(caught), -1), caught])
