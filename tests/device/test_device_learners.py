"""Every algorithm plays and learns on a device as on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
from parity import assert_parity
from small import SIZES
from torch import Tensor

import baselines
import stmg_envs
from baselines.algorithms.config import OnPolicyConfig
from baselines.algorithms.registry import algorithm_spec
from baselines.errors import PairingError
from baselines.runs.block import DECISIONS, UPDATES, Block
from baselines.runs.plan import make_plan
from baselines.training.replay import ReplayBuffer
from stmg_envs.protocol import Streams

RUNS = 2
ENVS, STEPS = 4, 6
GAMES: dict[str, dict[str, Any]] = {
    "stmg/Cooperation-v0": {},
    # Cut off within a rollout.
    "stmg/CooperativeHunting-v0": {"max_steps": 4},
}
SMALL = "stmg/Cooperation-v0"
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in baselines.list_algorithms()},
    "mappo-recurrent": ("mappo", {"recurrent": True, "chunk_length": 3}),
    "happo-unnormalised": ("happo", {"observation_norm": False}),
    "steer-gru": ("steer", {"outer": "gru", "inner": "mlp"}),
}


def plays(algorithm: str, env_id: str) -> bool:
    try:
        algorithm_spec(algorithm).check(stmg_envs.make_game(env_id))
    except PairingError:
        return False
    return True


PAIRS = [(variant, env_id) for variant in VARIANTS for env_id in GAMES if plays(VARIANTS[variant][0], env_id)]


def config_of(variant: str) -> tuple[str, dict[str, Any]]:
    """An algorithm and its small configuration, whose first update changes parameters."""
    name, chosen = VARIANTS[variant]
    row = algorithm_spec(name)
    sizes = next(size for known, size in SIZES.items() if algorithm_spec(known).family == row.family)
    on_policy = issubclass(row.config_class, OnPolicyConfig)
    learning = {"minibatches": 2} if on_policy else {"warmup_steps": 0, "batch_size": 8, "buffer_size": 20}
    return name, {"num_envs": ENVS, "rollout_steps": STEPS, "eval_episodes": 3} | sizes | learning | chosen


def begun(variant: str, env_id: str, seeds: list[int], device: str) -> Block:
    name, config = config_of(variant)
    arguments = {"seeds": seeds, "env_args": GAMES[env_id], "device": device, "priority": "random"}
    block = Block(make_plan(name, env_id, config=config, **arguments))
    block.begin()
    return block


def state_of(block: Block) -> dict[str, Tensor]:
    """All that a block goes on from but for plain counts, which are on the CPU wherever it is."""
    return {name: x.detach() for name, x in block.state().items() if x.dim()}


def learned(block: Block) -> dict[str, Any]:
    """What a rollout and an update gave."""
    batch, seen = block.collector.collect(block.streams.fold(DECISIONS, 0), 0.0)
    decided = (
        batch.rows["actions"][:, : ENVS * STEPS] if isinstance(batch, ReplayBuffer) else vars(batch).copy()
    )
    metrics = block.learner.update(batch, 0.0, block.streams.fold(UPDATES, 0))
    return {
        "decided": decided,
        "metrics": seen | metrics,
        "parameters": block.population.parameters,
        "state": state_of(block),
    }


@pytest.mark.parametrize(("variant", "env_id"), PAIRS)
def test_a_rollout_and_an_update_are_those_of_the_cpu(variant: str, env_id: str, device: str) -> None:
    # One run more there: on the CPU itself this is a check that runs do not depend on their companions.
    there = begun(variant, env_id, [3, 8, 5], "cpu")
    here = begun(variant, env_id, [3, 8], device)
    before = {name: p.detach().clone() for name, p in here.population.parameters.items()}
    assert_parity(before, there.population.parameters, device)
    found = learned(here)
    assert_parity(found, learned(there), device)
    here.check()
    assert any(bool((p != before[name]).any()) for name, p in found["parameters"].items())
    assert all(bool(p.isfinite().all()) for p in found["parameters"].values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_greedy_play_is_that_of_the_cpu(variant: str, device: str) -> None:
    here, there = (begun(variant, SMALL, seeds, on) for seeds, on in (([3, 8], device), ([3, 8, 5], "cpu")))
    found, expected = here.evaluate(1), there.evaluate(1)
    assert (found.returns == expected.returns[:RUNS]).all()
    assert all((play == expected.actions[run]).all() for run, play in enumerate(found.actions))
    assert found.optimal is not None and expected.optimal is not None
    assert (found.optimal == expected.optimal[:RUNS]).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_block_goes_on_from_its_state(variant: str, device: str) -> None:
    block = begun(variant, SMALL, [3, 8], device)
    block.update()
    other = begun(variant, SMALL, [3, 8], device)
    other.load({name: x.detach().cpu().clone() for name, x in block.state().items()}, block.updates_done)
    block.update()
    other.update()
    assert_parity(state_of(other), {name: x.cpu() for name, x in state_of(block).items()}, device)


def test_streams_of_a_block_are_on_the_device(device: str) -> None:
    streams: Streams = begun("steer", SMALL, [3], device).streams
    assert_parity(streams.keys, Streams.from_seeds([3]).keys, device)
