"""Rewards of a timestep: SMAC's, which all agents share, and DRIMA's, which are each agent's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from stmg_envs.combat.army import Army
from stmg_envs.combat.units import UNITS

RewardKind = Literal["team", "own_health", "own_damage"]


@dataclass(frozen=True)
class RewardScheme:
    """SMAC's settings of rewards.

    Attributes:
        only_positive: whether what befalls the allies counts for nothing.
        negative_scale: weight of what befalls them.
        death_value: for every death.
        win: for the enemies' defeat.
        defeat: against one's own.
        sparse: 1 for a victory and -1 for a defeat alone.
        scale: whether rewards are scaled, so that the most one can get is `scale_rate`.
        scale_rate: that.
        gains: whether health that enemies get back counts as damage, as in SMAC, where its amount is what
            counts; else it counts nothing, as in SMACv2.
    """

    only_positive: bool = True
    negative_scale: float = 0.5
    death_value: float = 10.0
    win: float = 200.0
    defeat: float = 0.0
    sparse: bool = False
    scale: bool = True
    scale_rate: float = 20.0
    gains: bool = True

    def most(self, army: Army) -> float:
        """The most that can be had in an episode, before it is scaled, if nobody gets health back."""
        enemies = sum(UNITS[kind].health + UNITS[kind].shield for kind in army.kinds[army.n :])
        return army.m * self.death_value + self.win + enemies

    def finished(self, rewards: Tensor, won: Tensor, lost: Tensor, kind: RewardKind, n: int) -> Tensor:
        """Rewards (B, n) with what victory and defeat bring; own damage has the agents share them."""
        share = 1 / n if kind == "own_damage" else 1.0
        win, defeat = (1.0, -1.0) if self.sparse else (self.win, self.defeat)
        end = (win * won.float() + defeat * lost.float())[:, None] * share
        return torch.zeros_like(rewards) + end if self.sparse else rewards + end

    def factor(self, army: Army) -> float:
        """By what rewards are multiplied."""
        return self.scale_rate / self.most(army) if self.scale else 1.0


@dataclass(frozen=True)
class Losses:
    """What a timestep has cost the two sides.

    Attributes:
        health: health and shields that were lost, of those who lived before, float32 (B, U); negative if some
            came back.
        deaths: who died, bool (B, U).
    """

    health: Tensor
    deaths: Tensor


def losses(before: Tensor, after: Tensor) -> Losses:
    """The losses between two moments.

    Args:
        before: health and shield together, (B, U), 0 of the dead.
        after: likewise.
    """
    lived = before > 0
    return Losses(torch.where(lived, before - after, 0.0), lived & (after <= 0))


def battle_rewards(lost: Losses, n: int, scheme: RewardScheme) -> Tensor:
    """SMAC's reward of the battle, (B,), neither scaled nor with victory or defeat."""
    blows = _sum(lost.health[:, n:]) + scheme.death_value * _sum(lost.deaths[:, n:])
    if scheme.only_positive:
        return blows.abs() if scheme.gains else blows.clamp(min=0)
    pains = _sum(lost.health[:, :n]) + scheme.death_value * _sum(lost.deaths[:, :n])
    return blows - scheme.negative_scale * pains


def own_rewards(kind: RewardKind, lost: Losses, dealt: Tensor, n: int, scheme: RewardScheme) -> Tensor:
    """DRIMA's rewards of the battle, each agent's own, (B, n), neither scaled nor with victory or defeat.

    The paper (section 4.3) names the parts and publishes no coefficients: they are SMAC's.

    Args:
        kind: "own_health": the enemies' losses, which all share, less one's own health and death;
            "own_damage": what one has dealt and killed, so that agents' rewards add up to the team's while
            nobody gets health back.
        lost: what the timestep has cost.
        dealt: damage and kills of each agent, (B, n).
        n: agents.
        scheme: the coefficients.
    """
    if kind == "own_damage":
        return dealt
    shared = battle_rewards(lost, n, replace(scheme, only_positive=True))
    own = lost.health[:, :n] + scheme.death_value * lost.deaths[:, :n].float()
    return shared[:, None] - scheme.negative_scale * own


def end_codes(health: Tensor, army: Army) -> tuple[Tensor, Tensor, Tensor]:
    """Who has won: whether a battle is over, won, and lost, each bool (B,).

    A side is beaten when only healers of it live, or nobody. Both at once is neither victory nor defeat.
    """
    fights = (health > 0) & (army.heals == 0)
    allies, enemies = fights[:, : army.n].any(dim=1), fights[:, army.n :].any(dim=1)
    return ~allies | ~enemies, allies & ~enemies, ~allies & enemies


def _sum(values: Tensor) -> Tensor:
    return values.float().sum(dim=1)
