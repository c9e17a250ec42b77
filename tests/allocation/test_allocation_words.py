"""Resource allocation in words."""

from __future__ import annotations

import torch

from stmg_envs.allocation import ResourceAllocation
from stmg_envs.protocol import Streams


def test_rules_name_what_is_known() -> None:
    text = ResourceAllocation(5).text()
    assert text.rules.startswith("5 agents take shares of one stock. Each takes a whole number from 0 to 9;")
    assert "where mu = 15 and sigma = 5" in text.rules
    hidden = ResourceAllocation(5, rounds=3, hidden=True).text().rules
    assert "mu = " not in hidden and "mu is not known" in hidden and "This is done 3 times." in hidden
    assert text.actions(0)[7] == "7" and len(text.actions(0)) == 10


def test_the_last_round_is_told_and_mu_never() -> None:
    game = ResourceAllocation(3, rounds=2, hidden=True)
    streams = Streams.from_seeds([0])
    state = game.reset(streams)
    text = game.text()
    assert text.scene(state) == "Round 1 of 2: nothing has been taken yet."
    after = game.step(state, torch.tensor([[1, 2, 4]]), streams).state
    assert text.view(after, 0) == "Round 2 of 2: in the last round the shares [1, 2, 4] made x = 7."
