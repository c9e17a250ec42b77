"""Whole runs: plan, directory, the training loop, and the functions people call."""
