"""TorchRL on the AEC view: agents decide in turn, and the follower sees what the leader chose.

    python examples/torchrl_turns.py --iterations 25

With `use_mask=True` every agent is a group of its own, and `(agent, "mask")` tells whose turn it is: the
other tensors are placeholders, which a loss must leave out. Rewards come with the last turn of a timestep.
The learner is the policy gradient with the mean return as baseline.
"""

from __future__ import annotations

import argparse

import torch
from tensordict import TensorDictBase
from tensordict.nn import TensorDictModule, TensorDictSequential
from torch import Tensor, nn
from torchrl.envs import ExplorationType, PettingZooWrapper, set_exploration_type
from torchrl.modules import MaskedCategorical, ProbabilisticActor

import stmg_envs


class Head(nn.Module):
    """Logits from the own observation and the superiors' actions."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1 + 2 * 3, 32), nn.Tanh(), nn.Linear(32, 3))

    def forward(self, observation: Tensor, leader_actions: Tensor) -> Tensor:
        return self.layers(torch.cat([observation, leader_actions.flatten(-2)], dim=-1))


def actor(agent: str) -> ProbabilisticActor:
    """The policy of one agent."""
    seen = [(agent, "observation", "observation"), (agent, "observation", "leader_actions")]
    return ProbabilisticActor(
        TensorDictModule(Head(), seen, [(agent, "logits")]),
        in_keys={"logits": (agent, "logits"), "mask": (agent, "action_mask")},
        out_keys=[(agent, "action")],
        distribution_class=MaskedCategorical,
        return_log_prob=True,
        log_prob_key=(agent, "log_prob"),
    )


def returns(data: TensorDictBase, agent: str) -> Tensor:
    """The return of the episode from every step on, (T,)."""
    rewards, done = data["next", agent, "reward"].flatten(), data["next", "done"].flatten()
    ahead = torch.zeros_like(rewards)
    running = torch.zeros(())
    for step in reversed(range(len(rewards))):
        running = rewards[step] + running * ~done[step]
        ahead[step] = running
    return ahead


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--iterations", type=int, default=25, help="rollouts of 128 turns")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    env = PettingZooWrapper(
        stmg_envs.aec_env("stmg/Penalty-v0", k=0), use_mask=True, categorical_actions=True, seed=args.seed
    )
    actors = {agent: actor(agent) for agent in env.group_map}
    policy = TensorDictSequential(*actors.values())
    optimizer = torch.optim.Adam(policy.parameters(), 1e-2)
    for _ in range(args.iterations):
        # TorchRL's rollouts are greedy unless they are told to explore.
        with torch.no_grad(), set_exploration_type(ExplorationType.RANDOM):
            data = env.rollout(128, policy, break_when_any_done=False)
        loss = torch.zeros(())
        for agent, own in actors.items():
            turn = data[agent, "mask"].flatten()
            gain = returns(data, agent)[turn]
            decided = data[turn]
            log_prob = own.get_dist(decided).log_prob(decided[agent, "action"]).flatten()
            loss = loss - (log_prob * (gain - gain.mean())).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad(), set_exploration_type(ExplorationType.DETERMINISTIC):
        played = env.rollout(16, policy, break_when_any_done=False)
    episodes = played["next", "done"].sum()
    print(f"return: {played['next', 'agent_0', 'reward'].sum() / episodes:.2f}")


if __name__ == "__main__":
    main()
