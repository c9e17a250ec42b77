"""What a game does with a policy's actions is the failure of that policy alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fragile_game import BREAKS, GOES_ON
from numpy.typing import NDArray

from baselines.policies.failure import PolicyFailureError
from baselines.policies.play import Episodes, Turn
from stmg_envs import vector_env
from wrappers import external_vector_env


class Constant:
    """Decides the same in every turn."""

    def __init__(self, number: float, width: int = 1) -> None:
        self.actions = np.full((1, width), number)

    def act(self, observation: Turn) -> NDArray[Any]:
        return self.actions


def played(number: float) -> Episodes:
    with closing(external_vector_env("gymnasium/fragile_game:Fragile-v0", 1)) as env:
        episodes = Episodes(env)
        episodes.play(Constant(number), torch.zeros(1, dtype=torch.int64))
        return episodes


@pytest.mark.parametrize(
    ("number", "status", "detail"),
    [
        (
            BREAKS,
            "invalid action",
            "the game failed on it: ZeroDivisionError('environment 0: of the engine')",
        ),
        (GOES_ON, "timed out", "an episode goes on after 10000 timesteps"),
        (1e300, "invalid action", "[1e+300] of agent_0; expected finite numbers"),
    ],
)
def test_a_game_that_breaks_is_the_policys_failure(
    number: float, status: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    with pytest.raises(PolicyFailureError) as raised:
        played(number)
    assert (raised.value.status, raised.value.detail) == (status, detail)


def test_other_actions_are_played() -> None:
    assert played(0.0).returns.tolist() == [[1.0]]


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_rewards_that_are_not_finite_are_the_policys_failure() -> None:
    pytest.importorskip("mujoco")
    with closing(vector_env("stmg/MultiAgentMujoco-v0", 1)) as env:
        episodes = Episodes(env)
        with pytest.raises(PolicyFailureError, match="rewards it with numbers that are not finite"):
            episodes.play(Constant(1e20, env.game.action_width), torch.zeros(1, dtype=torch.int64))
        assert episodes.returns.tolist() == [[0.0, 0.0]]
