"""Skirmishes of small armies: SMAC's scenarios as a batched game."""
