"""Skirmishes of small armies: SMAC's scenarios as a batched game."""

from stmg_envs.combat.game import Skirmish
from stmg_envs.combat.scenarios import SCENARIOS, Scenario
from stmg_envs.combat.units import UNITS, UnitType

__all__ = ["SCENARIOS", "UNITS", "Scenario", "Skirmish", "UnitType"]
