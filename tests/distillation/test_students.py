"""Students decide on their own observations, and on nothing else."""

from __future__ import annotations

import pytest
import torch

from baselines.networks.policy import PolicySpec
from baselines.networks.students import Students

BATCH, N, OBS_DIM, STATE_DIM = 6, 3, 4, 5
SPECS = {
    "discrete": PolicySpec(N, OBS_DIM, STATE_DIM, 3, discrete=True),
    "continuous": PolicySpec(N, OBS_DIM, STATE_DIM, 2, discrete=False),
}


@pytest.fixture(params=SPECS)
def spec(request: pytest.FixtureRequest) -> PolicySpec:
    return SPECS[request.param]


@pytest.fixture
def students(spec: PolicySpec) -> Students:
    torch.manual_seed(0)
    network = Students(spec, (8,))
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return network


def inputs_of(seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "observation": torch.randn(BATCH, N, OBS_DIM, generator=generator),
        "state": torch.randn(BATCH, STATE_DIM, generator=generator),
        "priority": torch.rand(BATCH, N, generator=generator).argsort(dim=-1),
    }


def test_nothing_but_the_own_observation_changes_a_decision(students: Students, spec: PolicySpec) -> None:
    noise = torch.randn(BATCH, N, spec.action_width)
    here, elsewhere = inputs_of(1), inputs_of(2)
    before = students.act(here, noise)
    # Another state and another order, and for agent 1 other observations of the other agents.
    elsewhere["observation"][:, 1] = here["observation"][:, 1]
    after = students.act(elsewhere, noise)
    assert torch.equal(before.actions[:, 1], after.actions[:, 1])
    assert torch.equal(before.log_probs[:, 1], after.log_probs[:, 1])
    assert not torch.equal(before.actions[:, 0], after.actions[:, 0])


def test_what_superiors_do_changes_no_judgement(students: Students, spec: PolicySpec) -> None:
    inputs = inputs_of(1)
    actions = students.act(inputs, torch.randn(BATCH, N, spec.action_width)).actions
    other = actions.clone()
    other[:, :2] = (other[:, :2] + 1) % 3 if spec.discrete else other[:, :2] + 1.0
    before, after = (students.evaluate(inputs, joint) for joint in (actions, other))
    assert torch.equal(before.log_probs[:, 2], after.log_probs[:, 2])
    assert torch.equal(before.entropies, after.entropies)


def test_students_share_no_parameters(students: Students, spec: PolicySpec) -> None:
    assert all(len(p) == N for p in students.parameters())
    same = {"observation": torch.randn(1, 1, OBS_DIM).expand(1, N, OBS_DIM)}
    decision = students.act(same, torch.zeros(1, N, spec.action_width))
    said = decision.log_probs if spec.discrete else decision.actions[..., 0]
    assert len(set(said[0].tolist())) == N
