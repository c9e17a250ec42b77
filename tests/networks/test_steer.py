from __future__ import annotations

import pytest
import torch
from torch import Tensor

from baselines.networks.policy import Inputs, PolicySpec, take_agents
from baselines.networks.steer import SteerNetwork

BATCH, N, OBS_DIM, STATE_DIM = 6, 4, 5, 7

SPECS = {
    "discrete": PolicySpec(N, OBS_DIM, None, 3, discrete=True),
    "discrete with state": PolicySpec(N, OBS_DIM, STATE_DIM, 3, discrete=True),
    "continuous": PolicySpec(N, OBS_DIM, None, 2, discrete=False),
    "continuous with state": PolicySpec(N, OBS_DIM, STATE_DIM, 2, discrete=False),
}


@pytest.fixture(params=SPECS)
def spec(request: pytest.FixtureRequest) -> PolicySpec:
    return SPECS[request.param]


@pytest.fixture
def policy(spec: PolicySpec) -> SteerNetwork:
    torch.manual_seed(0)
    network = SteerNetwork(spec, dim=16, blocks=2, heads=2)
    with torch.no_grad():
        # Far from the nearly uniform initial policy, so that every dependence shows.
        for p in network.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return network


def make_inputs(spec: PolicySpec) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    inputs = {
        "observation": torch.randn(BATCH, N, OBS_DIM, generator=generator),
        "priority": torch.rand(BATCH, N, generator=generator).argsort(dim=-1),
    }
    if spec.state_dim is not None:
        inputs["state"] = torch.randn(BATCH, spec.state_dim, generator=generator)
    if spec.discrete:
        mask = torch.rand(BATCH, N, spec.action_width, generator=generator) < 0.7
        mask[..., 0] = True
        inputs["action_mask"] = mask
    return inputs


def make_noise(spec: PolicySpec) -> Tensor:
    return torch.randn(BATCH, N, spec.action_width, generator=torch.Generator().manual_seed(2))


def test_act_and_evaluate_agree(policy: SteerNetwork, spec: PolicySpec) -> None:
    inputs = make_inputs(spec)
    decision = policy.act(inputs, make_noise(spec))
    evaluation = policy.evaluate(inputs, decision.actions)
    torch.testing.assert_close(evaluation.log_probs, decision.log_probs)
    torch.testing.assert_close(evaluation.values, decision.values)


def test_cached_decoding_equals_uncached(policy: SteerNetwork, spec: PolicySpec) -> None:
    inputs, noise = make_inputs(spec), make_noise(spec)
    order, mask = inputs["priority"], inputs.get("action_mask")
    actions = torch.zeros_like(policy.act(inputs, noise).actions)
    ordered_noise = take_agents(noise, order)
    for rank in range(N):
        embeddings = policy.subgame_embeddings(inputs, actions)
        legal = None if mask is None else take_agents(mask, order)[:, rank]
        chosen, _ = policy.actor.sample(embeddings[:, rank], ordered_noise[:, rank], legal)
        actions[torch.arange(BATCH), order[:, rank]] = chosen
    torch.testing.assert_close(policy.act(inputs, noise).actions, actions)


@pytest.mark.parametrize("rank", range(N))
def test_leaders_never_see_followers(policy: SteerNetwork, spec: PolicySpec, rank: int) -> None:
    inputs = make_inputs(spec)
    actions = policy.act(inputs, make_noise(spec)).actions
    rows, changed = torch.arange(BATCH), actions.clone()
    later = inputs["priority"][:, rank:]
    for agents in later.unbind(dim=1):
        other = (changed[rows, agents] + 1) % 3 if spec.discrete else changed[rows, agents] + 1.0
        changed[rows, agents] = other
    leaders = inputs["priority"][:, : rank + 1]
    before, after = (policy.evaluate(inputs, joint) for joint in (actions, changed))
    # The agent of this rank judges its own changed action, so only its value and entropy stay.
    assert torch.equal(take_agents(before.values, leaders), take_agents(after.values, leaders))
    assert torch.equal(take_agents(before.entropies, leaders), take_agents(after.entropies, leaders))
    above = leaders[:, :rank]
    assert torch.equal(take_agents(before.log_probs, above), take_agents(after.log_probs, above))


def test_followers_see_leaders(policy: SteerNetwork, spec: PolicySpec) -> None:
    inputs = make_inputs(spec)
    actions = policy.act(inputs, make_noise(spec)).actions
    rows, leader, last = torch.arange(BATCH), inputs["priority"][:, 0], inputs["priority"][:, -1]
    changed = actions.clone()
    changed[rows, leader] = (actions[rows, leader] + 1) % 3 if spec.discrete else actions[rows, leader] + 1.0
    before, after = (policy.evaluate(inputs, joint).values[rows, last] for joint in (actions, changed))
    assert (before != after).all()


def test_zero_noise_is_greedy(policy: SteerNetwork, spec: PolicySpec) -> None:
    inputs = make_inputs(spec)
    decision = policy.act(inputs, torch.zeros(BATCH, N, spec.action_width))
    # No other action of one agent is more likely given the same superiors.
    for agent in range(N):
        for other in range(spec.action_width):
            changed = decision.actions.clone()
            changed[:, agent] = other if spec.discrete else changed[:, agent] + 0.1 * (other + 1)
            log_probs = policy.evaluate(inputs, changed).log_probs[:, agent]
            assert (log_probs <= decision.log_probs[:, agent] + 1e-6).all()


@pytest.mark.parametrize("spec", [SPECS["discrete"], SPECS["discrete with state"]])
def test_illegal_actions_have_no_probability(policy: SteerNetwork, spec: PolicySpec) -> None:
    inputs = make_inputs(spec)
    for seed in range(20):
        noise = torch.randn(BATCH, N, 3, generator=torch.Generator().manual_seed(seed)) * 5
        actions = policy.act(inputs, noise).actions
        assert inputs["action_mask"].gather(-1, actions.unsqueeze(-1)).all()


def test_permuting_agents_by_priority_is_what_the_network_sees() -> None:
    """With equal observations only identities distinguish agents: another order, another decision."""
    spec = SPECS["discrete"]
    torch.manual_seed(3)
    network = SteerNetwork(spec, dim=16, blocks=1, heads=1)
    inputs = make_inputs(spec) | {"action_mask": torch.ones(BATCH, N, 3, dtype=torch.bool)}
    actions = torch.zeros(BATCH, N, dtype=torch.int64)
    reverse = inputs | {"priority": inputs["priority"].flip(-1)}
    forward, backward = (network.evaluate(given, actions).values for given in (inputs, reverse))
    assert not torch.equal(forward, backward)


def test_the_initial_policy_is_nearly_uniform() -> None:
    torch.manual_seed(0)
    spec = SPECS["discrete"]
    network = SteerNetwork(spec, dim=64, blocks=1, heads=1)
    inputs = make_inputs(spec) | {"action_mask": torch.ones(BATCH, N, 3, dtype=torch.bool)}
    entropies = network.evaluate(inputs, torch.zeros(BATCH, N, dtype=torch.int64)).entropies
    torch.testing.assert_close(entropies, torch.full_like(entropies, 3.0).log(), atol=1e-3, rtol=0)
