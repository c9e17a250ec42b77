"""Stands in for SMAC where StarCraft II cannot run: see `smac.env`."""
