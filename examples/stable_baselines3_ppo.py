"""Stable-Baselines3's PPO on a stream of turns, one environment after another.

    python examples/stable_baselines3_ppo.py --total-steps 8000

One policy decides for all agents in turn: the observation tells whose turn it is and what superiors chose.
In Penalty(k=0) two agents share a reward: 10 for (0, 2), 8 for (2, 0), 2 for the safe (1, 1), else 0.
"""

from __future__ import annotations

import argparse

import gymnasium
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import stmg_envs  # noqa: F401 - registers the ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--total-steps", type=int, default=8000, help="decisions to learn from")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    env = make_vec_env(lambda: gymnasium.make("stmg/Penalty-v0", k=0), n_envs=8, seed=args.seed)
    # The reward of a timestep comes with its last turn: without discount every turn counts the same.
    model = PPO(
        "MultiInputPolicy", env, n_steps=64, batch_size=128, gamma=1.0, learning_rate=1e-3, seed=args.seed
    )
    model.learn(args.total_steps)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=16)
    print(f"return: {mean:.2f}")


if __name__ == "__main__":
    main()
