"""What values of the states that follow are made from, where whatever is there may be seen by nobody."""

from __future__ import annotations

from typing import Any

import torch

from stmg_envs.protocol import JointSpaces, Observations, legal_actions


def successor_inputs(game: JointSpaces, info: dict[str, Any]) -> Observations:
    """The observations before any autoreset, fit to be bootstrapped from.

    Of those who came to their end by the rules environments may show anything, NaN included, and central
    critics and attention would carry it to the others: they see zeros. Where an episode is cut off, nobody
    decides any more and masks are often empty: then an agent has all of its actions.

    Args:
        game: agents and spaces.
        info: of the step, with `final` and `terminations`.
    """
    final: Observations = dict(info["final"])
    ended = info["terminations"].unsqueeze(-1)
    final["observation"] = torch.where(ended, 0.0, final["observation"])
    if "state" in final:
        nobody_left = (info["terminations"] | ~final["alive"]).all(dim=1, keepdim=True)
        final["state"] = torch.where(nobody_left, 0.0, final["state"])
    if game.discrete:
        mask = final["action_mask"]
        own = legal_actions(game.action_counts, mask.device)
        final["action_mask"] = torch.where(mask.any(dim=-1, keepdim=True), mask, own)
    return final
