"""PPO in one file, on the vectorised stream of turns; needs nothing but torch and Gymnasium.

    python examples/plain_ppo.py --id stmg/Penalty-v0 --total-steps 16000

Episodes end in the same step in which the next begin (`AutoresetMode.SAME_STEP`). Where a time limit cut an
episode off, the value of its final observation is added to the last reward; otherwise nothing follows.
"""

from __future__ import annotations

import argparse
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor, nn
from torch.distributions import Categorical

import stmg_envs  # noqa: F401 - registers the ids

Observations = dict[str, np.ndarray[Any, Any]]

NUM_ENVS = 16
LENGTH = 32  # turns of a rollout
EPOCHS = 4
MINIBATCHES = 4
GAMMA = 1.0  # per turn, of which a timestep has one for every agent
TRACE = 0.95
CLIP = 0.2
ENTROPY = 0.01
LEARNING_RATE = 1e-3


class Agent(nn.Module):
    """One policy and value function for all agents, told whose turn it is."""

    def __init__(self, size: int, actions: int) -> None:
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(size, 64), nn.Tanh(), nn.Linear(64, actions))
        self.critic = nn.Sequential(nn.Linear(size, 64), nn.Tanh(), nn.Linear(64, 1))

    def decide(self, inputs: Tensor, masks: Tensor) -> Categorical:
        return Categorical(logits=self.actor(inputs).masked_fill(~masks, -1e9))

    def value(self, inputs: Tensor) -> Tensor:
        return self.critic(inputs).squeeze(-1)


def features(observations: Observations, n: int) -> Tensor:
    """Observation, superiors' actions, and one-hot agent and rank, (B, size)."""
    one_hot = np.eye(n, dtype=np.float32)
    own, leaders = observations["observation"], observations["leader_actions"]
    agent, rank = one_hot[observations["agent"]], one_hot[observations["rank"]]
    return torch.as_tensor(np.concatenate([own, leaders.reshape(len(own), -1), agent, rank], axis=1)).float()


def masks_of(observations: Observations) -> Tensor:
    return torch.as_tensor(observations["action_mask"]).bool()


def advantages_of(rewards: Tensor, values: Tensor, dones: Tensor, last: Tensor) -> Tensor:
    """Generalised advantages (T, B): no value flows back over the end of an episode."""
    advantages = torch.zeros_like(rewards)
    running = torch.zeros_like(last)
    following = last
    for step in reversed(range(len(rewards))):
        going = 1.0 - dones[step]
        surprise = rewards[step] + GAMMA * going * following - values[step]
        running = surprise + GAMMA * TRACE * going * running
        advantages[step] = running
        following = values[step]
    return advantages


def evaluate(agent: Agent, env: gymnasium.Env[Any, Any], episodes: int = 16) -> float:
    """Mean return of greedy play."""
    total = 0.0
    for _ in range(episodes):
        view, _ = env.reset()
        over = False
        while not over:
            batch = {name: np.asarray(value)[None] for name, value in view.items()}
            decision = agent.decide(features(batch, int(env.observation_space["agent"].n)), masks_of(batch))
            view, reward, terminated, truncated, _ = env.step(int(decision.probs.argmax()))
            total += float(reward)
            over = terminated or truncated
    return total / episodes


def train(id: str, total_steps: int, seed: int) -> Agent:
    """Learn from `total_steps` decisions."""
    torch.manual_seed(seed)
    env = gymnasium.make_vec(id, num_envs=NUM_ENVS, autoreset_mode=AutoresetMode.SAME_STEP)
    n = int(env.single_observation_space["agent"].n)
    view, _ = env.reset(seed=seed)
    size = features(view, n).shape[1]
    agent = Agent(size, int(env.single_action_space.n))
    optimizer = torch.optim.Adam(agent.parameters(), LEARNING_RATE)
    for _ in range(total_steps // (NUM_ENVS * LENGTH)):
        steps: list[tuple[Tensor, ...]] = []
        for _ in range(LENGTH):
            inputs, masks = features(view, n), masks_of(view)
            with torch.no_grad():
                policy = agent.decide(inputs, masks)
                actions = policy.sample()
                value = agent.value(inputs)
            view, rewards, terminated, truncated, info = env.step(actions.numpy())
            reward = torch.as_tensor(rewards).float()
            for index in np.flatnonzero(truncated):
                final = {name: np.asarray(row)[None] for name, row in info["final_obs"][index].items()}
                with torch.no_grad():
                    reward[index] += GAMMA * agent.value(features(final, n))[0]
            done = torch.as_tensor(terminated | truncated).float()
            steps.append((inputs, masks, actions, policy.log_prob(actions), value, reward, done))
        inputs, masks, actions, old, values, reward, done = map(torch.stack, zip(*steps, strict=True))
        with torch.no_grad():
            advantages = advantages_of(reward, values, done, agent.value(features(view, n)))
        data = [x.flatten(0, 1) for x in (inputs, masks, actions, old, advantages, advantages + values)]
        for _ in range(EPOCHS):
            for rows in torch.randperm(NUM_ENVS * LENGTH).chunk(MINIBATCHES):
                seen, legal, taken, before, advantage, target = (x[rows] for x in data)
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
                policy = agent.decide(seen, legal)
                ratio = (policy.log_prob(taken) - before).exp()
                gain = torch.min(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
                error = (agent.value(seen) - target).square().mean()
                loss = -gain + 0.5 * error - ENTROPY * policy.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()
    return agent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--id", default="stmg/Penalty-v0", help="a native game with discrete actions")
    parser.add_argument("--total-steps", type=int, default=16000, help="decisions to learn from")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    agent = train(args.id, args.total_steps, args.seed)
    print(f"return: {evaluate(agent, gymnasium.make(args.id)):.2f}")


if __name__ == "__main__":
    main()
