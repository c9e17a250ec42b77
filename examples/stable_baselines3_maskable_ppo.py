"""sb3-contrib's MaskablePPO on the native `VecEnv`, where all environments are one batch.

    python examples/stable_baselines3_maskable_ppo.py --total-steps 16000

The first agent has two actions and the second has three, so one policy for both needs masks. They share a
reward of 9 if the first takes its second action and the other its third; the other's second is worth 8.
"""

from __future__ import annotations

import argparse

from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor

from wrappers.stable_baselines3 import stable_baselines3_env

SHARED = [[1.0, 2.0, 0.0], [0.0, 8.0, 9.0]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--total-steps", type=int, default=16000, help="decisions to learn from")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    env = VecMonitor(stable_baselines3_env("stmg/MatrixGame-v0", num_envs=16, payoffs=[SHARED, SHARED]))
    model = MaskablePPO(
        "MultiInputPolicy", env, n_steps=32, batch_size=128, gamma=1.0, learning_rate=1e-3, seed=args.seed
    )
    model.learn(args.total_steps)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=16)
    print(f"return: {mean:.2f}")


if __name__ == "__main__":
    main()
