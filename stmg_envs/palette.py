"""The colours of all games' pictures."""

from __future__ import annotations

INK, MUTED, PALE = "#2b2f36", "#6b7280", "#d3d8df"
"""Of text, of what is said beside, and of lines and grounds."""
BLUE, RED, GREEN, PURPLE = "#2f6f9f", "#b5403a", "#3f8f6b", "#7a4f8c"
