"""What a game says of itself before anything is played."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from stmg_envs.arguments import shown
from stmg_envs.protocol import Game
from stmg_envs.spec import GameSpec

MODES = ("ansi", "rgb_array")


def declared(game: Game, spec: GameSpec | None = None) -> Iterator[str]:
    """Findings about agents, spaces, time limit and render modes.

    Args:
        game: the game.
        spec: its row, if it has one.
    """
    agents, spaces = getattr(game, "agents", None), getattr(game, "action_spaces", None)
    if not isinstance(agents, tuple) or not agents or not all(isinstance(name, str) for name in agents):
        yield f"agents={shown(agents)} are no names; expected a tuple such as ('agent_0', 'agent_1')"
        return
    if len(set(agents)) < len(agents):
        yield f"agents={shown(agents)} are not distinct"
    if not isinstance(spaces, tuple) or len(spaces) != len(agents):
        yield f"action_spaces={shown(spaces)} are not one for each of {len(agents)} agents; expected a tuple"
        return
    if not (all(map(_counts, spaces)) or all(map(_vector, spaces))):
        yield (
            f"action_spaces={shown(spaces)} are mixed or of another kind; expected Discrete from 0 on for "
            f"all agents, or Box of shape (d,) and float32 for all"
        )
        return
    if spec is not None and game.discrete != (spec.spaces == "discrete"):
        yield f"its row says spaces={spec.spaces!r}, and its action spaces are {shown(spaces)}"
    for name in ("observation_space", "state_space"):
        space = getattr(game, name, None)
        if not (_vector(space) or (name == "state_space" and space is None)):
            yield f"{name}={shown(space)} is no vector; expected a Box of shape (d,) and float32"
    if sorted(map(str, game.default_priority)) != sorted(agents):
        yield f"default_priority={shown(game.default_priority)} is no order of its agents {agents}"
    if game.max_steps is not None and not (isinstance(game.max_steps, int) and game.max_steps > 0):
        yield f"max_steps={shown(game.max_steps)} is no time limit; expected a number from 1 on, or None"
    modes = game.metadata.get("render_modes")
    if not isinstance(modes, list | tuple) or not set(modes) <= set(MODES):
        yield f"render_modes={shown(modes)} in its metadata are unknown; expected some of {list(MODES)} or []"


def _counts(space: object) -> bool:
    return isinstance(space, Discrete) and space.start == 0


def _vector(space: Space[object] | object) -> bool:
    return isinstance(space, Box) and len(space.shape) == 1 and space.dtype == np.float32
