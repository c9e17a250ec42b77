"""Deterministic policies of discrete actions, against sums over all joint actions."""

from __future__ import annotations

import pytest
import torch

from baselines.networks.deterministic import DeterministicPolicy
from baselines.networks.policy import PolicySpec

OBSERVATIONS = torch.tensor([[[0.3, -1.0], [0.8, 0.1]]])


def make(central: bool) -> DeterministicPolicy:
    torch.manual_seed(0)
    spec = PolicySpec(n=2, obs_dim=2, action_width=3, discrete=True, state_dim=None)
    policy = DeterministicPolicy(spec, (8,), central)
    for p in policy.actor.parameters():
        torch.nn.init.normal_(p)
    return policy


@pytest.mark.parametrize("central", [False, True])
def test_intentions_are_worth_the_mean_over_own_actions(central: bool) -> None:
    policy = make(central)
    mask = torch.tensor([[[True, True, True], [True, False, True]]])
    inputs = {"observation": OBSERVATIONS, "action_mask": mask}
    # So much noise that agent 0 draws its action 2 and agent 1 its action 0.
    noise = torch.tensor([[[0.0, 0.0, 1e3], [1e3, 0.0, 0.0]]])
    drawn = [2, 0]
    probs = policy.actor(OBSERVATIONS).masked_fill(~mask, -torch.inf).softmax(dim=-1)[0]
    expected = []
    for agent in range(2):
        value = torch.zeros(())
        for action in range(3):
            joint = torch.tensor([[action if other == agent else drawn[other] for other in range(2)]])
            value = value + probs[agent, action] * policy(inputs, policy.encode(joint))[0, agent]
        expected.append(value)
    torch.testing.assert_close(policy.intended(inputs, noise)[0], torch.stack(expected))


def test_illegal_actions_are_not_explored() -> None:
    policy = make(False)
    batch = 4000
    mask = torch.tensor([[[True, False, True], [True, True, True]]]).expand(batch, -1, -1)
    inputs = {
        "observation": OBSERVATIONS.expand(batch, -1, -1),
        "action_mask": mask,
        "exploration": torch.ones(batch),
    }
    noise = -torch.log(-torch.log(torch.rand(batch, 2, 3, generator=torch.Generator().manual_seed(1))))
    actions = policy.act(inputs, noise).actions
    shares = policy.encode(actions).mean(dim=0)
    torch.testing.assert_close(
        shares, torch.tensor([[0.5, 0.0, 0.5], [1 / 3, 1 / 3, 1 / 3]]), atol=0.04, rtol=0.0
    )


def test_weights_of_central_critics_grow_with_agents_not_with_their_square() -> None:
    counts = []
    for n in (10, 20):
        spec = PolicySpec(n=n, obs_dim=2, action_width=3, discrete=True, state_dim=None)
        counts.append(sum(p.numel() for p in DeterministicPolicy(spec, (8,), True).critic.parameters()))
    assert counts[1] == 2 * counts[0]
    # An agent: 2 and 3 numbers shown to all, 5 and a bias to itself, a layer norm, the output and its bias.
    assert counts[0] == 10 * (8 * (2 + 3) + 8 * (5 + 1) + 2 * 8 + 9)


def test_own_actions_are_judged_beside_what_the_others_do() -> None:
    policy = make(True)
    inputs = {"observation": OBSERVATIONS}
    joint, other = (policy.encode(torch.tensor([pair])) for pair in ([0, 1], [2, 1]))
    own = policy.encode(torch.tensor([[2, 2]]))
    judged = policy.critic(inputs, joint, own)
    # What the joint action says of the judged agent itself does not matter to it.
    torch.testing.assert_close(judged[0, 0], policy.critic(inputs, other, own)[0, 0])
    assert abs(judged[0, 1] - policy.critic(inputs, other, own)[0, 1]) > 0.01
    torch.testing.assert_close(judged[0, 0], policy(inputs, other)[0, 0])
