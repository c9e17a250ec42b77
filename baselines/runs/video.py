"""Pictures of a trained policy's greedy episode, as a film."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from baselines.errors import ConfigError
from baselines.runs.loaded import LoadedPolicy, load_policy
from baselines.runs.plan import RANDOM_PRIORITY, RunPlan
from stmg_envs import parallel_env
from stmg_envs.protocol import Episodes, Game, ParallelVectorEnv
from wrappers import external_env, is_external, random_order

Frames = list[NDArray[np.uint8]]


MOST_PER_SECOND = 50.0
"""Viewers slow down films whose delays are below 20 ms."""
USUAL_RATE = 10.0
"""Pictures per second of an environment that does not say."""
LAST_SECONDS = 1.0
"""How long the last picture stays."""


def check_film(path: Path, plan: RunPlan) -> None:
    """Raise ConfigError unless a film of the plan's game can be written to the path."""
    if path.suffix != ".gif":
        raise ConfigError(f"video={str(path)!r} is no film; expected a name that ends with .gif")
    if not path.parent.is_dir():
        raise ConfigError(f"video={str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    game = plan.game()
    if isinstance(game, Game) and "rgb_array" not in game.metadata["render_modes"]:
        raise ConfigError(f"env={plan.env_id!r} has no pictures; expected a game that renders rgb_array")


def film(
    run_dir: str | Path, path: Path, seed: int | None = None, episode_seed: int = 0, trust: bool = False
) -> int:
    """Play one greedy episode with a run's policy and write its pictures.

    Args:
        run_dir: a run directory.
        path: the film, `.gif`.
        seed: one of the run's seeds; the first by default.
        episode_seed: seed of the episode.
        trust: as in `load_policy`.

    Returns:
        The number of pictures.

    Raises:
        ConfigError: for another kind of file, a folder that is not there, or a game that has no pictures.
        RunDirectoryError, CheckpointError: see `load_policy`.
    """
    # Pictures are made on the CPU.
    policy = load_policy(run_dir, seed, "cpu", trust)
    check_film(path, policy.plan)
    if isinstance(policy.plan.game(), Game):
        frames, rate = _native_frames(policy, episode_seed)
    else:
        frames, rate = _engine_frames(policy, episode_seed)
    write_film(frames, path, rate)
    return len(frames)


def write_film(frames: Frames, path: Path, rate: float) -> None:
    """Write pictures (H, W, 3) at so many per second of play; the last one stays for a second.

    A film has hundredths of seconds and at most 50 pictures in each; of more, some are left out.

    Raises:
        ConfigError: if the file cannot be written.
    """
    shown = min(rate, MOST_PER_SECOND)
    count = max(1, round(len(frames) * shown / rate))
    chosen = np.linspace(0, len(frames) - 1, count).round().astype(int)
    # Whole hundredths since the start, so that roundings do not add up.
    hundredths = np.diff((100 * np.arange(count + 1) / shown).round())
    hundredths[-1] += 100 * LAST_SECONDS
    images = [Image.fromarray(frames[index]) for index in chosen]
    durations = [10 * int(delay) for delay in hundredths]
    try:
        images[0].save(path, save_all=True, append_images=images[1:], duration=durations, loop=0)
    except OSError as error:
        raise ConfigError(f"video={str(path)!r} cannot be written ({error}); choose another") from None


def _native_frames(policy: LoadedPolicy, seed: int) -> tuple[Frames, float]:
    """Pictures of a native game's episode, and how many there are per second."""
    plan = policy.plan
    game = plan.game()
    assert isinstance(game, Game)
    episodes = Episodes(game, 1)
    if isinstance(plan.priority, tuple):
        episodes.set_priority(plan.priority)
    episodes.reset(seed)
    if plan.priority == RANDOM_PRIORITY:
        observations = episodes.observe()["observation"]
        episodes.set_priority(random_order()(observations, episodes.episode_streams))
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
    engine = ParallelVectorEnv(lambda: make(plan.env_id, render_mode="rgb_array", **plan.env_args), 1)
    with closing(engine):
        env = plan.under_priority(engine)
        observations, _ = env.reset(seed=seed)
        frames: Frames = []
        over = torch.tensor([False])
        while not over:
            # Before the step: afterwards an episode that has ended has begun anew.
            frames.append(_engine_picture(engine.envs[0].render(), plan.env_id))
            observations, _, terminated, truncated, _ = env.step(policy.act(observations, env.priority))
            over = terminated | truncated
        rate = engine.envs[0].metadata.get("render_fps")
    usable = isinstance(rate, int | float) and 0 < rate < np.inf
    return frames, float(rate) if usable else USUAL_RATE


def _engine_picture(picture: object, env_id: str) -> NDArray[np.uint8]:
    pixels = np.asarray(picture)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ConfigError(
            f"env={env_id!r} renders {pixels.shape} of {pixels.dtype}; expected (H, W, 3) pixels"
        )
    return pixels.astype(np.uint8)
