"""A side of a battle: what it sees, may do and is paid, each unit of it an agent."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.layout import NO_OP, STOP, Layout, Sighting
from stmg_envs.combat.rewards import Losses, RewardKind, RewardScheme, battle_rewards, own_rewards
from stmg_envs.combat.scenarios import Scenario
from stmg_envs.combat.units import LOOPS_PER_SECOND
from stmg_envs.protocol import State


def turned(scenario: Scenario) -> Scenario:
    """The same map as the enemies have it, whose own units are their allies."""
    return replace(
        scenario,
        allies=scenario.enemies,
        enemies=scenario.allies,
        kinds=scenario.enemy_kinds,
        enemy_kinds=scenario.kinds,
    )


class Team:
    """One of the two sides.

    Args:
        layout: its view, in which its own units are the first.
        behind: whether its units stand behind the other side's in states.
    """

    def __init__(self, layout: Layout, behind: bool) -> None:
        self.layout, self.behind = layout, behind

    @property
    def army(self) -> Army:
        """The units, its own first."""
        return self.layout.army

    @property
    def members(self) -> slice:
        """Its units among all of a state."""
        return slice(self.army.m, None) if self.behind else slice(0, self.army.n)

    def mask(self, state: State) -> Tensor:
        """What its agents may do, bool (B, n, actions)."""
        return self.layout.mask(self.sighting(state))

    def observe(self, state: State, mask: Tensor) -> Tensor:
        """Their observations, float32 (B, n, obs_size)."""
        return self.layout.observe(self.sighting(state), mask)

    def state(self, state: State, mask: Tensor) -> Tensor:
        """The global state as they have it, float32 (B, state_size)."""
        if self.layout.flags.obs_instead_of_state:
            return self.observe(state, mask).flatten(1)
        return self.layout.state(self.sighting(state))

    def allowed(self, state: State, mask: Tensor, actions: Tensor) -> Tensor:
        """Their actions (B, n): a stop is what is not allowed, and the dead do nothing."""
        legal = mask.gather(2, actions[..., None])[..., 0]
        living = state["health"][:, self.members] > 0
        return torch.where(living, torch.where(legal, actions, STOP), NO_OP)

    def sighting(self, state: State) -> Sighting:
        """What there is to be seen, its own units first."""
        x, y, health, shield = (self._own_first(state[name]) for name in ("x", "y", "health", "shield"))
        loops = state["cooldown"][:, self.members].clamp(min=0) * LOOPS_PER_SECOND
        charge = torch.where(self.layout.healers, state["energy"][:, self.members], loops)
        return Sighting(x, y, health, shield, charge, state["last_action"][:, self.members], state["elapsed"])

    def rewards(
        self,
        kind: RewardKind,
        scheme: RewardScheme,
        lost: Losses,
        dealt: Tensor,
        over: tuple[Tensor, Tensor],
    ) -> Tensor:
        """What its agents get for a timestep, float32 (B, n).

        Args:
            kind: whose rewards they are.
            scheme: the coefficients.
            lost: what the timestep has cost the units (B, U).
            dealt: damage and kills of every unit, (B, U).
            over: whether the allies have won and whether the enemies have, bool (B,).
        """
        n = self.army.n
        lost = Losses(self._own_first(lost.health), self._own_first(lost.deaths))
        if kind == "team":
            rewards = battle_rewards(lost, n, scheme)[:, None].expand(-1, n)
        else:
            rewards = own_rewards(kind, lost, dealt[:, self.members], n, scheme)
        won, beaten = over[::-1] if self.behind else over
        return scheme.finished(rewards, won, beaten, kind, n) * scheme.factor(self.army)

    def _own_first(self, values: Tensor) -> Tensor:
        """Values (B, U) of all units, its own first."""
        others = self.army.m
        return torch.cat([values[:, others:], values[:, :others]], dim=1) if self.behind else values
