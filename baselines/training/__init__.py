"""Training: populations of seeds, rollouts, advantages, checkpoints, logs."""
