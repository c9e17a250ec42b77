"""Baseline learners for games with sequential decisions inside a timestep."""
