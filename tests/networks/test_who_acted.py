"""Under every order a sequential network tells who did what; under the agents' own order it costs nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from policies import BATCH, POLICIES, SEQUENTIAL, SPECS, N, make_inputs, make_noise, make_policy
from torch import Tensor

from baselines.networks.displacement import Displacement, Order
from baselines.networks.policy import Inputs, PolicySpec
from baselines.networks.steer import SteerNetwork

A, B = 0, 1
SPEC = PolicySpec(3, 5, 7, 2, discrete=True)


def equal_inputs(order: list[int]) -> Inputs:
    """One row in which all agents see the same, under an order."""
    return {
        "observation": torch.full((1, 3, 5), 0.5),
        "state": torch.linspace(-1, 1, 7).unsqueeze(0),
        "priority": torch.tensor([order]),
    }


def of_the_last(name: str, order: list[int], actions: list[int]) -> Tensor:
    """Log-probability of an action, and value, of agent 2 after the actions of agents 0 and 1."""
    judged = make_policy(name, SPEC).evaluate(equal_inputs(order), torch.tensor([[*actions, 0]]))
    return torch.stack([judged.log_probs[0, 2], judged.values[0, 2]])


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_the_same_actions_of_other_agents_are_another_subgame(name: str) -> None:
    # Ranks 0 and 1 do A and B in both: by agents 0 and 1, or by agents 1 and 0.
    difference = (of_the_last(name, [0, 1, 2], [A, B]) - of_the_last(name, [1, 0, 2], [B, A])).abs()
    assert difference[0] > 1e-3
    # MAT's values know orders only.
    assert difference[1] > 1e-3


def test_a_network_that_has_learned_nothing_tells_them_apart_as_well() -> None:
    torch.manual_seed(0)
    policy = SteerNetwork(SPEC, dim=64, blocks=1, heads=1)
    first, second = (
        policy.embed(equal_inputs(order), torch.tensor([actions]))[0, 2]
        for order, actions in (([0, 1, 2], [A, B, 0]), ([1, 0, 2], [B, A, 0]))
    )
    assert (first - second).norm() > 1.0


def test_step_knows_superiors_by_name_and_not_by_their_order() -> None:
    # Whoever came first, agent 0 did A and agent 1 did B.
    assert torch.equal(of_the_last("step", [0, 1, 2], [A, B]), of_the_last("step", [1, 0, 2], [A, B]))


@pytest.mark.parametrize("name", ["steer", "mat"])
def test_the_order_of_those_who_follow_is_known_to_who_decides_first(name: str) -> None:
    policy = make_policy(name, SPEC)
    actions = torch.zeros(1, 3, dtype=torch.int64)
    first, second = (policy.evaluate(equal_inputs(order), actions).values for order in ([0, 1, 2], [0, 2, 1]))
    assert (first - second)[0, 0].abs() > 1e-3


def test_a_displacement_is_the_difference_of_agents_and_ranks() -> None:
    displacement = Displacement(3, 2)
    with torch.no_grad():
        displacement.weight.copy_(torch.tensor([[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]]))
    told = displacement(Order(torch.tensor([[0, 1, 2], [2, 0, 1]]), dim=2))
    assert told.tolist() == [[[0, 0], [0, 0], [0, 0]], [[3, 30], [-1, -10], [-2, -20]]]


@pytest.mark.parametrize("name", [name for name in SEQUENTIAL if name != "step"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_under_the_agents_own_order_who_acted_changes_no_bit_and_learns_nothing(
    name: str, spec: PolicySpec
) -> None:
    policy = make_policy(name, spec)
    identities = {key: p for key, p in policy.named_parameters() if "identity" in key}
    assert len(identities) == 2
    inputs = make_inputs(spec) | {"priority": torch.arange(N).repeat(BATCH, 1)}
    decision = policy.act(inputs, make_noise(spec))
    judged = policy.evaluate(inputs, decision.actions.detach())
    (judged.log_probs.sum() + judged.values.sum()).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and not p.grad.any() for p in identities.values())
    with torch.no_grad():
        for p in identities.values():
            p.mul_(-7.0)
    assert torch.equal(policy.act(inputs, make_noise(spec)).values, decision.values)
    assert torch.equal(policy.evaluate(inputs, decision.actions.detach()).log_probs, judged.log_probs)


@pytest.mark.parametrize("gain", [0.0, 1.0])
def test_a_follower_hears_the_leader_through_the_recurrent_network_from_the_start(gain: float) -> None:
    torch.manual_seed(0)
    policy = POLICIES["steer, outer gru"](replace(SPEC, state_dim=None))
    out = dict(policy.named_parameters())["outer.out.weight"]
    torch.testing.assert_close(out @ out.T, torch.eye(len(out)))
    with torch.no_grad():
        out.mul_(gain)
    first, second = (
        policy.evaluate(equal_inputs([0, 1, 2]), torch.tensor([[action, 0, 0]])).values for action in (A, B)
    )
    assert bool((first - second)[0, 1].abs() > 1e-4) == bool(gain)
