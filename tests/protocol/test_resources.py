"""What a machine has no room for is refused before it is tried; devices that are none, too."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from gymnasium.spaces import Box

import baselines
import stmg_envs
from baselines.errors import ConfigError
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import JointSpaces, check_device, require_memory, timestep_bytes

PENALTY = "stmg/Penalty-v0"


@pytest.mark.parametrize(
    "make",
    [
        lambda: stmg_envs.vector_env(PENALTY, 10**11),
        lambda: stmg_envs.vector_turn_stream(PENALTY, 10**11),
        lambda: baselines.train("mappo", PENALTY, num_envs=10**9, out="huge"),
        lambda: baselines.train("mappo", PENALTY, seeds=1000, num_envs=10**7, out="huge"),
    ],
)
def test_too_many_environments_are_refused_at_once(
    make: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = time.perf_counter()
    with pytest.raises(InvalidArgumentError, match=r"num_envs=10{7,11}.* GiB at least, .* at most"):
        make()
    assert time.perf_counter() - started < 5.0
    assert not list(tmp_path.iterdir())


def test_the_least_that_a_timestep_takes() -> None:
    game = stmg_envs.make_game(PENALTY)
    # Of two agents: one number seen, an action and a reward, 4 bytes each, and three flags.
    assert timestep_bytes(game) == 2 * 3 * 4 + 2 * 3
    spaces = JointSpaces()
    spaces.agents, spaces.action_spaces = ("a",), (Box(-1, 1, (2,)),)
    spaces.observation_space, spaces.state_space = Box(0, 1, (5,)), Box(0, 1, (7,))
    assert timestep_bytes(spaces) == 4 * (5 + 2 + 7) + 2


def test_what_there_is_room_for_passes() -> None:
    require_memory("num_envs=2", 2, 2**20, torch.device("cpu"))
    with pytest.raises(InvalidArgumentError, match=r"^many would take .* GiB at least, and cpu has"):
        require_memory("many", 2**40, 2**20, torch.device("cpu"))


@pytest.mark.parametrize("device", ["meta", "nonsense", "cuda:99", None, 3, [], b"cpu"], ids=repr)
def test_devices_that_are_none(device: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"device=.* cannot be used .*; expected cpu or"):
        check_device(device)
    with pytest.raises(InvalidArgumentError, match="device="):
        stmg_envs.vector_env(PENALTY, 2, device)
    with pytest.raises(ConfigError, match="device="):
        baselines.train("mappo", PENALTY, device=device, out="never")
