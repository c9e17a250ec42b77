"""Pictures of a trained policy's greedy episode, as a film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from baselines.errors import ConfigError
from baselines.runs.api import LoadedPolicy, load_policy
from stmg_envs import parallel_env
from stmg_envs.protocol import Episodes, Game, ParallelVectorEnv
from wrappers import external_env, is_external

Frames = list[NDArray[np.uint8]]


def check_film_path(path: Path) -> None:
    """Raise ConfigError unless a film can be written to the path."""
    if path.suffix != ".gif":
        raise ConfigError(f"video={str(path)!r} is no film; expected a name that ends with .gif")


def film(run_dir: str | Path, path: Path, seed: int | None = None, episode_seed: int = 0) -> int:
    """Play one greedy episode with a run's policy and write its pictures.

    Args:
        run_dir: a run directory.
        path: the film, `.gif`.
        seed: one of the run's seeds; the first by default.
        episode_seed: seed of the episode.

    Returns:
        The number of pictures.

    Raises:
        ConfigError: for another kind of file, or a game that has no pictures.
        RunDirectoryError, CheckpointError: see `load_policy`.
    """
    check_film_path(path)
    policy = load_policy(run_dir, seed)
    if isinstance(policy.plan.game(), Game):
        frames, rate = _native_frames(policy, episode_seed)
    else:
        frames, rate = _engine_frames(policy, episode_seed)
    write_film(frames, path, rate)
    return len(frames)


def write_film(frames: Frames, path: Path, rate: float) -> None:
    """Write pictures (H, W, 3) at so many per second; the last one stays for a second."""
    images = [Image.fromarray(frame) for frame in frames + frames[-1:] * round(rate)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 / rate, loop=0)


def _native_frames(policy: LoadedPolicy, seed: int) -> tuple[Frames, float]:
    """Pictures of a native game's episode, and how many there are per second."""
    game = policy.plan.game()
    assert isinstance(game, Game)
    if "rgb_array" not in game.metadata["render_modes"]:
        raise ConfigError(
            f"env={policy.plan.env_id!r} has no pictures; expected a game that renders rgb_array"
        )
    episodes = Episodes(game, 1)
    if isinstance(policy.plan.priority, tuple):
        episodes.set_priority(policy.plan.priority)
    episodes.reset(seed)
    order = tuple(episodes.priority[0].tolist())
    frames, over = [_picture(game, episodes, order)], False
    while not over:
        actions = policy.act(episodes.observe(), episodes.priority)
        over = bool(episodes.step(actions).done)
        frames.append(_picture(game, episodes, order))
    return frames, float(game.metadata["render_fps"])


def _picture(game: Game, episodes: Episodes, order: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.asarray(game.render(episodes.state, "rgb_array", order), dtype=np.uint8)


def _engine_frames(policy: LoadedPolicy, seed: int) -> tuple[Frames, float]:
    """Pictures of an episode of an environment that is no native game, and how many there are per second."""
    plan = policy.plan
    make = external_env if is_external(plan.env_id) else parallel_env
    env = ParallelVectorEnv(lambda: make(plan.env_id, render_mode="rgb_array", **plan.env_args), 1)
    observations, _ = env.reset(seed=seed)
    frames: Frames = []
    over = torch.tensor([False])
    while not over:
        # Before the step: afterwards an episode that has ended has begun anew.
        frames.append(np.asarray(env.envs[0].render(), dtype=np.uint8))
        observations, _, terminated, truncated, _ = env.step(policy.act(observations, env.priority))
        over = terminated | truncated
    rate = float(env.envs[0].metadata.get("render_fps", 10))
    env.close()
    return frames, rate
