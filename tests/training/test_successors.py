"""What is bootstrapped from: nothing of those who have ended, and something of everybody else."""

from __future__ import annotations

from typing import Any

import torch
from claims import Claims
from gymnasium.spaces import Discrete

from baselines.training.successors import successor_inputs

NAN = torch.nan
T, F = True, False


class Unequal(Claims):
    """Agents with 2, 3 and 2 actions."""

    action_spaces = (Discrete(2), Discrete(3), Discrete(2))


def successors(terminations: list[list[bool]], **final: Any) -> dict[str, torch.Tensor]:
    """What learners get of two environments."""
    seen = {
        "observation": torch.tensor([[[NAN], [1.0], [2.0]], [[3.0], [4.0], [torch.inf]]]),
        "alive": torch.tensor([[F, T, T], [T, T, T]]),
        "action_mask": torch.tensor([[[F, F, F], [T, F, T], [F, T, F]], [[F, F, F]] * 3]),
        "state": torch.tensor([[NAN], [5.0]]),
    }
    return successor_inputs(Unequal(), {"final": seen | final, "terminations": torch.tensor(terminations)})


def test_those_who_have_ended_are_blank() -> None:
    found = successors([[T, F, F], [F, F, T]])
    assert found["observation"].squeeze(-1).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 0.0]]


def test_the_state_is_blank_where_everybody_has_ended_and_only_there() -> None:
    assert successors([[F, T, T], [F, T, F]])["state"].tolist() == [[0.0], [5.0]]
    assert successors([[F, T, F], [F, T, F]])["state"].isnan().tolist() == [[True], [False]]


def test_an_agent_without_a_mask_has_all_of_its_own_actions() -> None:
    found = successors([[F, F, F], [F, F, F]])["action_mask"]
    assert found[0].tolist() == [[T, T, F], [T, F, T], [F, T, F]]
    assert found[1].tolist() == [[T, T, F], [T, T, T], [T, T, F]]
