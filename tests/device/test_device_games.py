"""Native games play on a device as they do on the CPU."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from games import assert_same, sample_batch
from parity import assert_parity, first_rows
from torch import Tensor

from stmg_envs.protocol import Game, GameVectorEnv, Streams

BATCH, STEPS, LONGEST = 3, 26, 8


def told(env: GameVectorEnv, actions: Tensor) -> dict[str, Any]:
    """Everything that a batch says of a step, and its whole state after it."""
    observations, rewards, terminated, truncated, info = env.step(actions)
    return {
        "observations": observations,
        "rewards": rewards,
        "ends": (terminated, truncated),
        "info": info,
        "neighbors": env.neighbors(),
        "snapshot": env.snapshot(),
    }


def shortened(game: Game) -> Game:
    """The game with episodes that end within a test."""
    game.max_steps = min(game.max_steps or LONGEST, LONGEST)
    return game


def test_every_step_is_that_of_the_cpu(game: Game, device: str) -> None:
    """Each begins with the CPU's state: what is rounded otherwise does not grow from step to step."""
    there = GameVectorEnv(shortened(game), BATCH + 1)
    here = GameVectorEnv(copy.deepcopy(game), BATCH, device)
    assert_parity(here.reset(seed=5)[0], there.reset(seed=5)[0], device)
    rng = np.random.default_rng(0)
    ended = 0
    for step in range(STEPS):
        if step == STEPS // 2:
            there.priority = rng.permutation(game.n)
        here.restore(first_rows(there.snapshot(), BATCH))
        actions = sample_batch(there, rng)
        expected = told(there, actions)
        assert_parity(told(here, actions[:BATCH].to(device)), expected, device, f"step {step}")
        ended += int(sum(over[:BATCH].sum() for over in expected["ends"]))
    assert ended >= BATCH


def test_play_goes_on_by_itself_and_again_from_a_snapshot(game: Game, device: str) -> None:
    env = GameVectorEnv(shortened(game), BATCH, device)
    env.reset(seed=[7, 1, 7])
    actions = [sample_batch(env, np.random.default_rng(seed)) for seed in range(STEPS)]
    for joint in actions[:5]:
        env.step(joint)
    saved = {name: x.clone() for name, x in env.snapshot().items()}
    played = [told(env, joint) for joint in actions[5:]]
    again = GameVectorEnv(game, BATCH, device)
    again.restore(saved)
    assert_same([told(again, joint) for joint in actions[5:]], played)
    assert int(env.snapshot()["episode"].min()) >= 2
    assert all(bool(x.isfinite().all()) for x in played[-1]["observations"].values())


def test_random_numbers_are_those_of_the_cpu(device: str) -> None:
    def drawn(streams: Streams, folded: Tensor) -> dict[str, Tensor]:
        streams = streams.fold(3, folded)
        return {
            "parts": streams.split(3).keys.view(len(folded), 3),
            "bits": streams.bits(100),
            "uniform": streams.uniform(100),
            "doubles": streams.uniform(100, dtype=torch.float64),
            "normal": streams.normal(100),
            "gumbel": streams.gumbel(100),
            "permutation": streams.permutation(9),
        }

    seeds = [0, 1, 2**40, 12345]
    there = drawn(Streams.from_seeds(seeds), torch.arange(4))
    here = drawn(Streams.from_seeds(seeds[:BATCH], device), torch.arange(BATCH, device=device))
    assert_parity(here, there, device)
    # Arithmetic on integers and one rounding: no more than that may differ anywhere.
    for name in ("uniform", "doubles"):
        assert torch.equal(here[name].cpu(), there[name][:BATCH]), name
