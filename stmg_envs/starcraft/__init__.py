"""The real SMAC and SMACv2 as games: StarCraft II computes their battles, and must be installed."""
