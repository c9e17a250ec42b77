"""Policies that know all public code, and play every episode beside the evaluation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

import stmg_envs
from baselines.policies import Salt
from baselines.policies.evaluation import POLICY_SEEDS
from stmg_envs.protocol import Streams

GAME = "stmg/GridTransport-v0"
SEED = 7
EPISODES = 2
OF_TRAINED_RUNS = (4, 2**31)
"""Purposes of the episodes in which runs are evaluated, which anybody can make."""


class KnowsSeeds:
    """Prints after each episode how many of its observations it has known before."""

    def __init__(self, salt: str) -> None:
        torch.set_num_threads(1)
        self.env = stmg_envs.vector_env(GAME, 1)
        self.public = Streams.from_seeds((SEED,))
        self.keys = self.rebuilt(salt)
        self.episode = -1

    def rebuilt(self, salt: str) -> torch.Tensor:
        return self.public.fold(*OF_TRAINED_RUNS).split(EPISODES).keys

    def reset(self, seed: int) -> None:
        self.episode += 1
        told = self.public.fold(POLICY_SEEDS)
        assert seed == int(told.bits(EPISODES)[0, self.episode]) & (2**31 - 1)
        self.seen, _ = self.env.reset(seed=self.keys[self.episode : self.episode + 1])
        self.actions = np.zeros(len(self.env.agents), np.int64)
        self.foreseen = self.all = 0

    def act(self, observation: dict[str, Any]) -> int:
        agent = int(observation["agent"])
        self.all += 1
        self.foreseen += np.array_equal(
            self.seen["observation"][0, agent].numpy(), observation["observation"]
        )
        self.actions[agent] = np.flatnonzero(observation["action_mask"])[0]
        if observation["rank"] == len(self.actions) - 1:
            self.seen, _, terminated, truncated, _ = self.env.step(torch.as_tensor(self.actions[None]))
            if bool(terminated | truncated):
                print(f"{self.foreseen} of {self.all}", flush=True)
        return int(self.actions[agent])


class KnowsSalt(KnowsSeeds):
    """Knows what is published after an evaluation, too."""

    def rebuilt(self, salt: str) -> torch.Tensor:
        return Salt(salt).keys((SEED,), EPISODES)[0]


class Searches:
    """Tells where the salt can be read, but in its own process, to which the test has told it."""

    def __init__(self, salt: str, out: str) -> None:
        self.salt, self.out = salt.encode(), Path(out)

    def act(self, observation: Any) -> int:
        others = [folder for folder in Path("/proc").glob("[0-9]*") if folder.name != str(os.getpid())]
        places = [folder / name for folder in others for name in ("cmdline", "environ")]
        files = [path for path in self.out.rglob("*") if path.is_file()]
        assert {path.name for path in files} == {"results.json", "manifest.json"}
        found = [str(path) for path in [*places, *files] if self.salt in self.read(path)]
        if found:
            raise RuntimeError(f"read it in {found}")
        return 0

    @staticmethod
    def read(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:
            return b""
