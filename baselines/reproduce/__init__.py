"""Experiments that regenerate published tables, cell by cell, and can be stopped at any time."""
