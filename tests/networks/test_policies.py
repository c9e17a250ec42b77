"""What every joint policy must do, and what distinguishes sequential ones."""

from __future__ import annotations

import pytest
import torch
from policies import BATCH, POLICIES, SEQUENTIAL, SPECS, N, make_inputs, make_noise, make_policy

from baselines.networks.policy import JointPolicy, PolicySpec, SequentialPolicy, take_agents


@pytest.fixture(params=SPECS)
def spec(request: pytest.FixtureRequest) -> PolicySpec:
    return SPECS[request.param]


@pytest.fixture(params=POLICIES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def policy(name: str, spec: PolicySpec) -> JointPolicy:
    return make_policy(name, spec)


def test_act_and_evaluate_agree(policy: JointPolicy, spec: PolicySpec) -> None:
    inputs = make_inputs(spec)
    decision = policy.act(inputs, make_noise(spec))
    evaluation = policy.evaluate(inputs, decision.actions)
    torch.testing.assert_close(evaluation.log_probs, decision.log_probs)
    torch.testing.assert_close(evaluation.values, decision.values)


@pytest.mark.parametrize("name", ["steer", "steer, outer gru", "mat"])
def test_cached_decoding_equals_uncached(policy: JointPolicy, spec: PolicySpec, name: str) -> None:
    assert isinstance(policy, SequentialPolicy)
    inputs, noise = make_inputs(spec), make_noise(spec)
    order, mask = inputs["priority"], inputs.get("action_mask")
    actions = torch.zeros_like(policy.act(inputs, noise).actions)
    ordered_noise = take_agents(noise, order)
    for rank in range(N):
        embeddings = policy.embed(inputs, actions)
        legal = None if mask is None else take_agents(mask, order)[:, rank]
        chosen, _ = policy.actor.sample(embeddings[:, rank], ordered_noise[:, rank], legal)
        actions[torch.arange(BATCH), order[:, rank]] = chosen
    torch.testing.assert_close(policy.act(inputs, noise).actions, actions)


@pytest.mark.parametrize("rank", range(N))
def test_leaders_never_see_followers(policy: JointPolicy, spec: PolicySpec, rank: int) -> None:
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


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_followers_see_leaders(policy: JointPolicy, spec: PolicySpec, name: str) -> None:
    inputs = make_inputs(spec)
    actions = policy.act(inputs, make_noise(spec)).actions
    rows, leader, last = torch.arange(BATCH), inputs["priority"][:, 0], inputs["priority"][:, -1]
    changed = actions.clone()
    changed[rows, leader] = (actions[rows, leader] + 1) % 3 if spec.discrete else actions[rows, leader] + 1.0
    before, after = (policy.evaluate(inputs, joint).log_probs[rows, last] for joint in (actions, changed))
    # Not in every row: a follower with a single legal action has probability one whatever leaders do.
    assert (before != after).any()


@pytest.mark.parametrize(("name", "sees"), [("steer", True), ("mat", False)])
def test_only_steers_values_are_of_subgame_states(
    policy: JointPolicy, spec: PolicySpec, name: str, sees: bool
) -> None:
    inputs = make_inputs(spec)
    actions = policy.act(inputs, make_noise(spec)).actions
    rows, leader, last = torch.arange(BATCH), inputs["priority"][:, 0], inputs["priority"][:, -1]
    changed = actions.clone()
    changed[rows, leader] = (actions[rows, leader] + 1) % 3 if spec.discrete else actions[rows, leader] + 1.0
    before, after = (policy.evaluate(inputs, joint).values[rows, last] for joint in (actions, changed))
    assert (before != after).all() if sees else torch.equal(before, after)


def test_zero_noise_is_greedy(policy: JointPolicy, spec: PolicySpec) -> None:
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
def test_illegal_actions_have_no_probability(policy: JointPolicy, spec: PolicySpec) -> None:
    inputs = make_inputs(spec)
    for seed in range(20):
        noise = torch.randn(BATCH, N, 3, generator=torch.Generator().manual_seed(seed)) * 5
        actions = policy.act(inputs, noise).actions
        assert inputs["action_mask"].gather(-1, actions.unsqueeze(-1)).all()
