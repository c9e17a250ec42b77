"""The engine is there: where it may be missing, this is what says how to get it."""

import pytest
from engines import with_engines

import stmg_envs


@pytest.mark.parametrize("id", with_engines(["stmg/Football-v0"]))
def test_the_engine_is_there(id: str) -> None:
    assert stmg_envs.game_spec(id).load().__name__ == "Football"
