"""Stable-Baselines3's PPO on a stream of turns, one environment after another.

    python examples/stable_baselines3_ppo.py --total-steps 8000 --save ppo.zip

One policy decides for all agents in turn: the observation tells whose turn it is and what superiors chose.
In Penalty(k=0) two agents share a reward: 10 for (0, 2), 8 for (2, 0), 2 for the safe (1, 1), else 0.

`Trained` plays what was saved, for `stmg evaluate --policy`.
"""

from __future__ import annotations

import argparse
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import stmg_envs  # noqa: F401 - registers the ids


class Trained:
    """Decides greedily for all episodes at once, whoever's turn it is."""

    def __init__(self, path: str) -> None:
        self.model = PPO.load(path)

    def act_batch(self, observations: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        actions, _ = self.model.predict(observations, deterministic=True)
        return actions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--total-steps", type=int, default=8000, help="decisions to learn from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", help="where to save the policy, a .zip file")
    args = parser.parse_args()

    env = make_vec_env(lambda: gymnasium.make("stmg/Penalty-v0", k=0), n_envs=8, seed=args.seed)
    # The reward of a timestep comes with its last turn: without discount every turn counts the same.
    model = PPO(
        "MultiInputPolicy", env, n_steps=64, batch_size=128, gamma=1.0, learning_rate=1e-3, seed=args.seed
    )
    model.learn(args.total_steps)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=16)
    print(f"return: {mean:.2f}")
    if args.save:
        model.save(args.save)


if __name__ == "__main__":
    main()
