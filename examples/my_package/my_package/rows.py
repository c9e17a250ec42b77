"""What the package brings to the table of games; it is imported where games are listed, so it is quick."""

from __future__ import annotations

from stmg_envs import Backend, GameSpec

GAME = GameSpec(
    id="my/Game-v0",
    backends={"native": Backend("my_package.doorway:Doorway")},
    family="doorway",
    spaces="discrete",
    # Exactly: the uniformly random policy, and one person after the other (both in tests/test_doorway.py).
    bounds=(-0.758616256713867, 0.9),
    optimum=0.9,
    task_args=(("n", 3),),
    presets={
        "common": {
            "total_steps": 20_000,
            "num_envs": 20,
            "rollout_steps": 20,
            # Two numbers that are normalised say nothing but which is the larger one.
            "observation_norm": False,
            "learning_rate_decay": 1.0,
            "entropy_start": 0.3,
            "entropy_end": 0.0,
            "entropy_anneal": 0.8,
            "eval_interval": 5_000,
            "eval_episodes": 1,
        }
    },
)
