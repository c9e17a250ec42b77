"""Stands in for SMACv2 where StarCraft II cannot run: see `smacv2.env`."""
