"""Whether a device computes what a CPU computes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from baselines.algorithms.registry import ALGORITHMS
from benchmarks.gpu.setting import GAMES, Row, Setting, random_actions, started_block, started_game


def largest_difference(one: object, other: object) -> float:
    """Over all tensors of two nested structures; infinite if they have not the same ones."""
    ours, theirs = pytree.tree_leaves(one), pytree.tree_leaves(other)
    if len(ours) != len(theirs):
        return torch.inf
    return max((_difference(a, b) for a, b in zip(ours, theirs, strict=True) if isinstance(a, Tensor)))


def _difference(one: Tensor, other: Tensor) -> float:
    a, b = one.detach().cpu().double(), other.detach().cpu().double()
    apart = (a - b).abs()
    # The same infinity, or nothing on both sides, is no difference.
    apart = torch.where((a == b) | (a.isnan() & b.isnan()), 0.0, apart)
    return float(apart.max()) if apart.numel() else 0.0


def games(setting: Setting) -> Iterator[Row]:
    """The same seeds and actions on both devices: the largest difference of anything that a step gives."""
    for name in GAMES:
        steps = 5 if setting.quick else 60
        here, there = (started_game(name, 64, device) for device in (torch.device("cpu"), setting.device))
        worst = 0.0
        for number in range(steps):
            # From the same state, so that what is rounded otherwise does not grow from step to step.
            there.restore(here.snapshot())
            ours, theirs = (env.step(random_actions(env, number)) for env in (here, there))
            worst = max(worst, largest_difference(ours, theirs))
        yield {"game": name, "steps": steps, "largest difference": worst}


def learners(setting: Setting) -> Iterator[Row]:
    """One rollout and one update of two runs on both devices."""
    for name in ALGORITHMS:
        config = {"warmup_steps": 1} if name.startswith(("dqn", "ddpg")) else {}
        actions, parameters = [], []
        for device in (torch.device("cpu"), setting.device):
            block = started_block(name, "stmg/Penalty-v0", 2, device, None, **config)
            metrics = block.update()
            actions.append(metrics)
            parameters.append({key: p.detach().cpu() for key, p in block.population.parameters.items()})
        yield {
            "algorithm": name,
            "metrics, largest difference": largest_difference(*actions),
            "parameters, largest difference": largest_difference(*parameters),
        }
