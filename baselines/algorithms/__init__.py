"""Algorithms: one file each, with its loss, its update and its configuration."""
