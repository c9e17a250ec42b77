"""Pictures of an episode that was written down, where its game can be made here."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from PIL import Image

from baselines.errors import TranscriptError
from baselines.llm.setup import Setup
from stmg_envs import parallel_env
from stmg_envs.errors import InvalidActionError, MissingEngineError


def pictures(setup: Setup, seed: int, joint_actions: Sequence[Sequence[int]]) -> list[str]:
    """What is seen before each step and at the end, as addresses of PNG pictures.

    Nothing where the game cannot be drawn here, for instance because its engine is missing.

    Args:
        setup: of the run.
        seed: of the episode.
        joint_actions: as they were played, each (n,).

    Raises:
        TranscriptError: if they cannot have been played.
    """
    # A module that somebody's transcript names is not imported for pictures.
    if setup.is_external:
        return []
    try:
        env = parallel_env(setup.env_id, render_mode="rgb_array", **setup.env_args)
    except MissingEngineError:
        return []
    with closing(env):
        env.reset(seed=seed)
        try:
            drawn = [_address(env.render())]
        except NotImplementedError:
            return []
        n = len(env.possible_agents)
        for timestep, actions in enumerate(joint_actions):
            where = f"joint_action={list(actions)!r:.80} in timestep {timestep} of the episode of seed {seed}"
            if len(actions) != n or not env.agents:
                raise TranscriptError(f"{where} cannot have been played; expected {n} actions before its end")
            told = dict(zip(env.possible_agents, actions, strict=True))
            try:
                env.step({agent: told[agent] for agent in env.agents})
            except InvalidActionError as error:
                raise TranscriptError(f"{where} cannot have been played: {error}") from None
            drawn.append(_address(env.render()))
    return drawn


def _address(pixels: Any) -> str:
    """A picture as an address that needs no file."""
    file = io.BytesIO()
    # Few colours are drawn; a palette makes pages a third of the size.
    Image.fromarray(pixels).quantize(64).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
