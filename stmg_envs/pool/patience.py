"""How long workers are waited for."""

ANSWER_SECONDS = 120.0
"""What a worker gets for one command, unless told otherwise."""
