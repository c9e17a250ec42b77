"""Particle games: round bodies that push and chase each other in a plane."""

from stmg_envs.particle.collection import CooperativeCollection
from stmg_envs.particle.hunting import CooperativeHunting
from stmg_envs.particle.particle_game import ParticleGame
from stmg_envs.particle.physics import MPE, Physics

__all__ = ["MPE", "CooperativeCollection", "CooperativeHunting", "ParticleGame", "Physics"]
