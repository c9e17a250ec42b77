"""The physics against the Multi-Agent Particle Environment, step for step, and against hand calculation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mpe2 import simple_tag_v3
from torch import Tensor

from stmg_envs.errors import InvalidArgumentError
from stmg_envs.particle import Physics
from stmg_envs.particle.layout import batch_first, batch_last
from stmg_envs.particle.physics import contact_distances, contact_forces, lengths, move
from stmg_envs.protocol import pairwise_sum

PREDATORS = 3
RADIUS = torch.tensor([0.075, 0.075, 0.075, 0.05], dtype=torch.float64)
ACCELERATION = torch.tensor([3.0, 3.0, 3.0, 4.0], dtype=torch.float64)
MAX_SPEED = torch.tensor([1.0, 1.0, 1.0, 1.3], dtype=torch.float64)


def tensor_of(entities: list[Any], attribute: str) -> Tensor:
    return torch.tensor(np.stack([getattr(entity.state, attribute) for entity in entities]))[None]


@pytest.mark.parametrize("obstacles", [0, 2])
@pytest.mark.parametrize("seed", range(3))
def test_simple_tag(obstacles: int, seed: int) -> None:
    """Everyone is drawn to one place that moves, so that bodies touch all the time."""
    env = simple_tag_v3.parallel_env(num_obstacles=obstacles, max_cycles=1000, continuous_actions=True)
    env.reset(seed=seed)
    world = env.unwrapped.world
    rng = np.random.default_rng(seed)
    radius = torch.cat([RADIUS, torch.full((obstacles,), 0.2, dtype=torch.float64)])
    distance = contact_distances(radius)
    movable = len(world.agents)
    touching, at_full_speed = 0, 0
    for step in range(400):
        place = 0.6 * np.array([math.cos(step / 20), math.sin(step / 20)])
        push = {
            agent.name: np.clip(2 * (place - agent.state.p_pos) + rng.normal(size=2), -1, 1).astype(
                np.float32
            )
            for agent in world.agents
        }
        position, velocity = tensor_of(world.entities, "p_pos"), tensor_of(world.agents, "p_vel")
        own = torch.tensor(np.stack(list(push.values()))).double() * ACCELERATION[:, None]
        contact = contact_forces(position, distance)[:, :movable]
        moved, faster = move(position[:, :movable], velocity, own + contact, MAX_SPEED)
        env.step({name: halves(both) for name, both in push.items()})
        torch.testing.assert_close(moved, tensor_of(world.agents, "p_pos"), rtol=0, atol=1e-12)
        torch.testing.assert_close(faster, tensor_of(world.agents, "p_vel"), rtol=0, atol=1e-12)
        touching += int((contact.abs() > 1).any())
        at_full_speed += int((lengths(faster) > MAX_SPEED - 1e-9).any())
    assert touching > 100 and at_full_speed > 50, "contacts and limits must happen for this to mean something"


def halves(push: np.ndarray) -> np.ndarray:
    """A push (x, y) as MPE's five numbers: nothing, left, right, down, up."""
    x, y = push
    return np.array([0, max(-x, 0), max(x, 0), max(-y, 0), max(y, 0)], np.float32)


def test_one_step_by_hand() -> None:
    position = torch.tensor([[[0.0, 0.0], [3.0, 4.0]]])
    velocity = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    force = torch.tensor([[[0.0, 5.0], [8.0, 0.0]]])
    moved, faster = move(
        position, velocity, force, torch.tensor([math.inf, 1.0]), Physics(dt=0.5, damping=0.5)
    )
    torch.testing.assert_close(moved, torch.tensor([[[0.5, 0.0], [3.0, 5.0]]]))
    # The second body would have (4, 1), which is cut to length 1.
    torch.testing.assert_close(faster, torch.tensor([[[0.5, 2.5], [4 / math.sqrt(17), 1 / math.sqrt(17)]]]))


def test_contact_by_hand() -> None:
    # A 3-4-5 triangle: the first two touch with overlap 1, the third is far away.
    position = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [100.0, 0.0]]])
    force = contact_forces(position, contact_distances(torch.tensor([2.0, 4.0, 1.0])))
    torch.testing.assert_close(force, torch.tensor([[[-60.0, -80.0], [60.0, 80.0], [0.0, 0.0]]]))
    # At exactly the contact distance what remains is the softening, log 2 margins.
    force = contact_forces(position, contact_distances(torch.tensor([2.0, 3.0, 1.0])))
    assert force[0, 1].norm().item() == pytest.approx(100 * 1e-3 * math.log(2), rel=1e-3)


def test_bodies_in_one_place_do_not_push() -> None:
    position = torch.zeros(1, 2, 2)
    assert not contact_forces(position, contact_distances(torch.tensor([1.0, 1.0]))).any()


def test_bodies_without_contact_pass_through_each_other() -> None:
    position = torch.tensor([[[0.0, 0.0], [0.1, 0.0]]])
    assert not contact_forces(position, torch.full((2, 2), -math.inf)).any()


positions = st.lists(st.floats(-0.25, 0.25, width=32), min_size=10, max_size=10).map(
    lambda numbers: torch.tensor(numbers).view(1, 5, 2)
)


@given(positions)
def test_actio_is_reactio(position: Tensor) -> None:
    force = contact_forces(position.double(), contact_distances(torch.full((5,), 0.1, dtype=torch.float64)))
    torch.testing.assert_close(force.sum(dim=1), torch.zeros(1, 2, dtype=torch.float64), atol=1e-9, rtol=0)


@given(positions, positions, positions)
def test_speed_stays_below_its_maximum(position: Tensor, velocity: Tensor, force: Tensor) -> None:
    _, faster = move(position, velocity, 1000 * force, torch.ones(5))
    assert faster.isfinite().all()
    assert (lengths(faster) <= 1 + 1e-6).all()


@pytest.mark.parametrize("layout", [batch_first, batch_last])
def test_a_world_does_not_depend_on_its_batch(layout: Callable[[Tensor], Tensor]) -> None:
    generator = torch.Generator().manual_seed(0)
    position = torch.rand(1031, 6, 2, generator=generator) * 0.4
    distance = contact_distances(torch.full((6,), 0.1))
    together = contact_forces(layout(position), distance)
    for slot in (0, 1, 7, 500, 1029, 1030):
        assert torch.equal(contact_forces(position[slot : slot + 1], distance)[0], together[slot])
        assert torch.equal(contact_forces(layout(position[slot:]), distance)[0], together[slot])


def test_layouts_hold_the_same_values() -> None:
    values = torch.arange(30).view(5, 3, 2)
    last = batch_last(values)
    assert torch.equal(last, values) and last.stride() == (1, 10, 5)
    assert batch_last(last).data_ptr() == last.data_ptr()
    first = batch_first(last)
    assert torch.equal(first, values) and first.is_contiguous()
    for dim in (0, 1, 2):
        assert torch.equal(pairwise_sum(last, dim), values.sum(dim))


@pytest.mark.parametrize(
    ("name", "value"), [("dt", 0), ("damping", 1.5), ("contact_force", -1.0), ("contact_margin", "thin")]
)
def test_bad_constants(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name}={value!r}"):
        Physics(**{name: value})
