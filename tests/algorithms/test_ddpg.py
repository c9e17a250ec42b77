"""Deterministic policy gradients: the loss by hand, and whole updates beside plain torch."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import plain
import pytest
import torch
from replays import COUNT, filled, replaying, target_module, timesteps
from rollouts import RUNS, SPEC, N, module_of, population_of
from torch import Tensor

from baselines.algorithms.ddpg import DDPG, DDPGConfig, build_ddpg
from baselines.networks.action_critics import OwnActionCritic
from baselines.networks.deterministic import DeterministicPolicy
from baselines.training.replay import Rows
from stmg_envs.protocol import Streams

LIMIT = 2.5
CONFIG = DDPGConfig(
    gamma=0.5,
    average_reward=False,
    batch_size=5,
    warmup_steps=COUNT,
    gradient_steps=2,
    learning_rate=0.02,
    max_grad_norm=LIMIT,
    target_rate=0.3,
    hidden_size=5,
    hidden_layers=1,
    logit_penalty=0.3,
)
CONTINUOUS = replace(SPEC, discrete=False, action_width=2)


class Taken:
    """Values of taken actions: a critic's number times the action."""

    def map(self, parameters: dict[str, Tensor], inputs: dict[str, Tensor], actions: Tensor) -> Tensor:
        return parameters["critic.c"].view(-1, 1, 1) * actions.squeeze(-1)


class Intended:
    """Values of intended actions, and those: an actor's number times the observation."""

    def map(
        self, parameters: dict[str, Tensor], inputs: dict[str, Tensor], noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        intended = parameters["actor.a"].view(-1, 1, 1, 1) * inputs["observation"]
        return parameters["critic.c"].view(-1, 1, 1) * intended.sum(dim=-1) + noise[..., 0], intended


def by_hand(**changed: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor, Tensor]:
    """The loss of one timestep, its metrics, and its gradients with respect to a = 2 and c = 3.

    Target networks have a = 1 and c = -1. Observations are (1, 1) and (0, -2), those that follow (0, 2) and
    (1, 0), taken actions 1 and -1, rewards 6 and 0.
    """
    population = population_of(partial(build_ddpg, CONFIG, CONTINUOUS))
    learner = DDPG(CONFIG, population, N)
    learner._taken, learner._intended = Taken(), Intended()  # type: ignore[assignment]
    alive = torch.ones(1, 1, 2, dtype=torch.bool)
    rows: Rows = {
        "observation": torch.tensor([[[[1.0, 1.0], [0.0, -2.0]]]]),
        "next.observation": torch.tensor([[[[0.0, 2.0], [1.0, 0.0]]]]),
        "actions": torch.tensor([[[[1.0], [-1.0]]]]),
        "rewards": torch.tensor([[[6.0, 0.0]]]),
        "noise": torch.zeros(1, 1, 2, 2),
        "next.noise": torch.zeros(1, 1, 2, 2),
        "terminated": ~alive,
        "alive": alive,
        "next.alive": alive,
    }
    leaves = {"actor.a": torch.tensor([2.0]), "critic.c": torch.tensor([3.0])}
    leaves = {name: x.requires_grad_() for name, x in leaves.items()}
    targets = {"actor.a": torch.tensor([1.0]), "critic.c": torch.tensor([-1.0])}
    loss, metrics = learner._loss(leaves, targets, rows | changed)
    actor, critic = torch.autograd.grad(loss.sum(), list(leaves.values()))
    return loss, metrics, actor, critic


def test_the_loss_by_hand() -> None:
    loss, metrics, actor, critic = by_hand()
    # What follows is worth -2 and -1: aims 6 - 1 and 0 - 0.5; taken 3 and -3: errors 2 and 2.5.
    assert metrics["value_loss"].tolist() == pytest.approx([(1.5 + 2.0) / 2])
    # Intended (2, 2) and (0, -4) are worth 12 and -12.
    assert metrics["policy_loss"].tolist() == [0.0]
    # Their mean squares are 4 and 8.
    assert loss.tolist() == pytest.approx([1.75 + 0.3 * 6.0])
    assert set(metrics) == set(DDPG.metrics)
    # The critic follows its errors alone: -1 * 1 and -1 * -1.
    assert critic.tolist() == [0.0]
    # The actor's values have slopes 3 * 2 and 3 * -2; its penalty 0.3 * (2 * 2 * 1 + 2 * 2 * 2) / 2.
    assert actor.tolist() == pytest.approx([0.3 * 6.0])


def test_the_dead_do_not_count() -> None:
    loss, metrics, actor, critic = by_hand(alive=torch.tensor([[[True, False]]]))
    assert metrics["value_loss"].tolist() == [1.5]
    assert metrics["policy_loss"].tolist() == [-12.0]
    assert loss.tolist() == pytest.approx([1.5 - 12.0 + 0.3 * 4.0])
    assert critic.tolist() == [-1.0]
    assert actor.tolist() == pytest.approx([-6.0 + 0.3 * 4.0])
    loss, *_ = by_hand(alive=torch.zeros(1, 1, 2, dtype=torch.bool))
    assert loss.tolist() == [0.0]


@pytest.mark.parametrize("name", ["terminated", "next.alive"])
def test_without_a_future_the_reward_is_all(name: str) -> None:
    ended = torch.tensor([[[True, False]]])
    _, metrics, _, _ = by_hand(**{name: ended if name == "terminated" else ~ended})
    # Errors 6 - 3 and 2.5.
    assert metrics["value_loss"].tolist() == pytest.approx([(2.5 + 2.0) / 2])


def test_each_value_has_its_own_noise() -> None:
    noise = torch.zeros(1, 1, 2, 2)
    noise[..., 0] = 1.0
    _, now, _, _ = by_hand(noise=noise)
    assert now["policy_loss"].tolist() == [-1.0]
    assert now["value_loss"].tolist() == pytest.approx([1.75])
    _, then, _, _ = by_hand(**{"next.noise": noise})
    # What follows is worth 1 more each: errors 2.5 and 3.
    assert then["policy_loss"].tolist() == [0.0]
    assert then["value_loss"].tolist() == pytest.approx([(2.0 + 2.5) / 2])


@pytest.mark.parametrize("central", [False, True])
def test_its_networks_have_the_configured_sizes(central: bool) -> None:
    policy = build_ddpg(DDPGConfig(hidden_size=7, hidden_layers=3, central_critic=central), SPEC)
    assert isinstance(policy, DeterministicPolicy)
    assert policy.central == central
    assert sum(p.shape[-2:] == (7, 7) for p in policy.parameters()) == 4


class PlainDDPG:
    """One run's actors and critics, one row and agent at a time."""

    def __init__(self, policy: DeterministicPolicy) -> None:
        self.policy = policy
        self.discrete = policy.spec.discrete

    def value(self, observations: Tensor, joint: list[Tensor], agent: int) -> Tensor:
        """The critic's value of encoded actions, one for each agent."""
        critic = self.policy.critic
        own = torch.cat([observations[agent], joint[agent]])
        if isinstance(critic, OwnActionCritic):
            value: Tensor = critic.network(own.expand(1, N, -1))[0, agent, 0]
            return value
        width = self.policy.spec.action_width
        normal = torch.cat([critic.observation_norm(observations[agent]), joint[agent]])
        first = critic.own.weight[agent] @ normal + critic.own.bias[agent, 0]
        first = first + critic.state(observations.flatten())
        for other in (other for other in range(N) if other != agent):
            first = first + critic.others.weight[:, other * width : (other + 1) * width] @ joint[other]
        hidden = critic.trunk(first.expand(1, N, -1))
        last: Tensor = critic.output(hidden)[0, agent, 0]
        return last

    def raw(self, observations: Tensor) -> Tensor:
        raw: Tensor = self.policy.actor(observations.unsqueeze(0))[0]
        return raw

    def encoded(self, action: Tensor) -> Tensor:
        return torch.eye(SPEC.action_width)[action] if self.discrete else action

    def intended(self, observations: Tensor, mask: Tensor | None, noise: Tensor | None, agent: int) -> Tensor:
        """What the agent intends is worth, where the others do what they would do now."""
        raw = self.raw(observations)
        if mask is None or noise is None:
            means = raw.tanh()
            return self.value(
                observations, [x if other == agent else x.detach() for other, x in enumerate(means)], agent
            )
        logits = raw.masked_fill(~mask, -torch.inf)
        joint = [self.encoded((logits[other] + noise[other]).argmax()) for other in range(N)]
        worth = torch.zeros(())
        for action, chance in enumerate(logits[agent].softmax(dim=-1)):
            joint[agent] = self.encoded(torch.tensor(action))
            worth = worth + chance * self.value(observations, list(joint), agent)
        return worth


@pytest.mark.parametrize("central", [False, True])
@pytest.mark.parametrize("spec", [SPEC, CONTINUOUS], ids=["discrete", "continuous"])
@pytest.mark.parametrize("average_reward", [False, True])
def test_updates_are_those_of_plain_torch(spec: Any, central: bool, average_reward: bool) -> None:
    config = replace(CONFIG, central_critic=central, average_reward=average_reward)
    gamma = 1.0 if average_reward else 0.5
    build = partial(build_ddpg, config, spec)
    population = population_of(build)
    learner = replaying(DDPG, config, population, spec)
    rows = timesteps(spec, seed=1)
    modules = [(module_of(population, build, run), build()) for run in range(RUNS)]
    for run, (_, target) in enumerate(modules):
        target_module(learner, target, run)
    averages = learner._interaction.averages.clone()
    metrics = learner.update(filled(rows), 0.0, Streams.from_seeds([5, 6]))
    for run, (policy, target) in enumerate(modules):
        assert isinstance(policy, DeterministicPolicy) and isinstance(target, DeterministicPolicy)
        now, slow = PlainDDPG(policy), PlainDDPG(target)
        optimizer, streams = plain.adam(policy.parameters(), 0.02), Streams.from_seeds([5 + run])
        found = []
        for _ in range(2):
            chosen = (streams.uniform(5, dtype=torch.float64)[0] * COUNT).floor().long().tolist()
            draws = [streams.gumbel(5, N, 3)[0] if spec.discrete else None for _ in range(2)]
            errors, worths, penalties = [], [], []
            for place, row in enumerate(chosen):
                seen, following = rows["observation"][run, row], rows["next.observation"][run, row]
                masks = [rows[p + "action_mask"][run, row] if spec.discrete else None for p in ("", "next.")]
                noises = [None if draw is None else draw[place] for draw in draws]
                joint = [now.encoded(action) for action in rows["actions"][run, row]]
                for agent in (agent for agent in range(N) if rows["alive"][run, row, agent]):
                    aim = rows["rewards"][run, row, agent] - (averages[run, agent] if average_reward else 0.0)
                    if rows["next.alive"][run, row, agent] and not rows["terminated"][run, row, agent]:
                        with torch.no_grad():
                            aim = aim + gamma * slow.intended(following, masks[1], noises[1], agent)
                    errors.append(plain.huber(aim - now.value(seen, joint, agent), 1.0))
                    worths.append(now.intended(seen, masks[0], noises[0], agent))
                    penalties.append(now.raw(seen)[agent].square().mean())
            terms = {"value_loss": plain.mean(errors), "policy_loss": -plain.mean(worths)}
            optimizer.zero_grad()
            climb = terms["policy_loss"] + 0.3 * plain.mean(penalties)
            climb.backward(inputs=list(policy.actor.parameters()), retain_graph=True)
            terms["value_loss"].backward(inputs=list(policy.critic.parameters()))
            norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), LIMIT)
            optimizer.step()
            found.append({name: x.item() for name, x in terms.items()} | {"grad_norm": norm.item()})
            with torch.no_grad():
                for slowly, fast in zip(target.parameters(), policy.parameters(), strict=True):
                    slowly += 0.3 * (fast - slowly)
        for name, p in policy.named_parameters():
            torch.testing.assert_close(population.parameters[name][run], p, **plain.CLOSE, msg=name)
        for name, p in target.named_parameters():
            torch.testing.assert_close(learner.targets[name][run], p, **plain.CLOSE, msg=name)
        plain.assert_means(metrics, run, found)
